"""`govbr-assets` in a process of its own, for tests."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from govbr_assets_tests.graph import Graph


def environment_of(graph: Graph, folder: Path, home: Path | None) -> dict[str, str]:
    """Make the environment in which a command works on a graph.

    Args:
        graph: the graph.
        folder: of the test.
        home: of Dagster's; None remembers nothing.
    """
    if home:
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    return os.environ | {
        **({"DAGSTER_HOME": str(home)} if home else {}),
        **graph.settings,
        "GOVBR_STORAGE_URL": str(folder / "storage"),
    }


def begin(environment: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    """Start a command, in the folder of the test."""
    command = [sys.executable, "-m", "govbr_assets", *words]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    folder = Path(environment["GOVBR_STORAGE_URL"]).parent
    return subprocess.Popen(command, env=dict(environment), cwd=folder, text=True, **pipes)


def command(environment: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Run a command; give its exit code and what it has said, on standard output and error."""
    process = begin(environment, *words)
    output, errors = process.communicate(timeout=250)
    assert "Traceback" not in output + errors, errors
    return process.returncode, output, errors


def document(environment: Mapping[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    """Run a command for machines; give its exit code and its one document."""
    code, output, errors = command(environment, *words, "--json")
    try:
        return code, json.loads(output)
    except json.JSONDecodeError:
        raise AssertionError(f"{output}\n{errors}") from None
