"""Commands whose standard output or error takes nothing: they end with a sentence where one can be read."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from govbr_assets_tests.cli.command import environment_of
from govbr_assets_tests.graph import Graph

COMMAND = f"{shlex.quote(sys.executable)} -m govbr_assets"
FULL = "error: Standard output cannot be written (No space left on device)"
CLOSED = "error: Standard output is closed"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    graph.insert("a")
    return environment_of(graph, tmp_path, dagster_home)


def in_shell(environment: dict[str, str], line: str) -> subprocess.CompletedProcess[str]:
    folder = Path(environment["GOVBR_STORAGE_URL"]).parent
    command = ["/bin/sh", "-c", f"{COMMAND} {line}"]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("status > /dev/full", FULL),
        ("status --json > /dev/full", FULL),
        ("mend --dry-run > /dev/full", FULL),
        ("--help > /dev/full", FULL),
        ("status >&-", CLOSED),
        ("mend --json >&-", CLOSED),
    ],
)
def test_an_output_that_takes_nothing_is_one_sentence(environment: dict[str, str], line: str, sentence: str):
    done = in_shell(environment, line)
    assert done.returncode in (1, 2)
    assert done.stderr.splitlines()[-1].startswith(sentence)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("errors", ["2>&-", "2> /dev/full"])
def test_a_document_is_printed_without_a_standard_error(environment: dict[str, str], errors: str):
    done = in_shell(environment, f"status --json {errors}")
    assert (done.returncode, json.loads(done.stdout)["command"]) == (1, "status")
    done = in_shell(environment, f"mend --json {errors}")
    assert (done.returncode, json.loads(done.stdout)["holds"]) == (0, True)
    done = in_shell(environment | {"GOVBR_REPO_ID": ""}, f"status --json {errors}")
    assert (done.returncode, json.loads(done.stdout)) == (2, {"error": json.loads(done.stdout)["error"]})


def test_with_neither_of_them_the_exit_code_is_all_that_is_left(environment: dict[str, str]):
    assert in_shell(environment, "status >&- 2>&-").returncode == 2
    assert in_shell(environment, "status > /dev/full 2> /dev/full").returncode == 1


def test_who_has_read_enough_ends_a_command_without_a_word(environment: dict[str, str]):
    done = in_shell(environment, "status | true")
    assert "error" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    "encoding",
    [
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=["ascii", "latin-1"],
)
def test_the_calendar_has_signs_of_ascii_where_the_encoding_lacks_its_own(
    graph: Graph, environment: dict[str, str], encoding: dict[str, str]
):
    assert graph.run("2026-01-15").success
    done = in_shell({**environment, **encoding}, "status")
    legend, year = done.stdout.partition("Coverage")[2].splitlines()[:2]
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert "(# all days of a week have rows, +=- some, . none; ! one differs)" in legend
    assert year.startswith("2026   #  ")
    assert year.endswith("         1 row on    1 day")
    assert "?" not in done.stdout
