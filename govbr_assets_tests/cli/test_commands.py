"""`govbr-assets` in processes of its own, as a user runs it on a machine without a daemon: what it says holds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance

from govbr_assets.cli.main import run
from govbr_assets.cli.signals import Signals
from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests.damaged import MISSING, Damaged
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.test_mended import check_history, check_readers

FOUND = ["reconciliation", "weekly_consolidation", "reconciliation", "daily_sync", "daily_sync", "reconciliation"]
SECRET = "s3cr3t-p4ssw0rd"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    (dagster_home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    return os.environ | {
        "DAGSTER_HOME": str(dagster_home),
        "GOVBR_POSTGRES_URL": graph.postgres_url,
        "GOVBR_REPO_ID": graph.repo_id,
        "GOVBR_STORAGE_URL": str(tmp_path / "storage"),
        "GOVBR_VIEWER_URL": graph.local_viewer.url,
        "HF_ENDPOINT": graph.local_hub.endpoint,
        "HF_TOKEN": graph.local_hub.write_token,
    }


def begin(environment: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    """Start a command, in a folder where it may write nothing unnoticed."""
    command = [sys.executable, "-m", "govbr_assets", *words]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    folder = Path(environment["GOVBR_STORAGE_URL"]).parent
    return subprocess.Popen(command, env=dict(environment), cwd=folder, text=True, **pipes)


def command(environment: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Run a command; give its exit code and what it has said, on standard output and error."""
    process = begin(environment, *words)
    output, errors = process.communicate(timeout=200)
    assert "Traceback" not in output + errors, errors
    return process.returncode, output, errors


def document(environment: Mapping[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    """Run a command for machines; give its exit code and its one document."""
    code, output, errors = command(environment, *words, "--json")
    try:
        return code, json.loads(output)
    except json.JSONDecodeError:
        raise AssertionError(f"{output}\n{errors}") from None


def test_the_damage_of_the_public_dataset_is_mended_by_one_command_after_a_dry_run(
    graph: Graph, environment: dict[str, str], tmp_path: Path
):
    damaged, reduced = Damaged(graph), f"{graph.repo_id}-reduced"
    base = graph.head.revision or ""
    environment["GOVBR_REDUCED_REPO_ID"] = reduced

    code, told = document(environment, "mend", "--dry-run")
    assert (code, told["dry_run"], [run["job"] for run in told["runs"]]) == (0, True, FOUND[:2])
    assert len(told["differed"]) > len(MISSING)
    assert told["after"] == base == graph.head.revision

    code, told = document(environment, "mend")
    assert ([run["job"] for run in told["runs"]], told["problem"]) == (FOUND, "")
    assert all(run["success"] for run in told["runs"])
    assert (code, len(told["left"]), told["left"][0]["what"]) == (1, 1, "rows without a time")
    assert graph.ids()[UNDATED_PATH] == [damaged.unknown]
    with DagsterInstance.local_temp(environment["DAGSTER_HOME"]) as instance:
        assert {run.tags["govbr_assets/requested_by"] for run in instance.get_runs()} == {"govbr-assets mend"}

    damaged.find_the_unknown_row()
    code, output, errors = command(environment, "mend")
    assert (code, output.splitlines()[-1]) == (0, "The Hub equals PostgreSQL."), errors
    assert "daily_sync 2026-01-16" in errors

    code, told = document(environment, "status")
    assert (code, told["holds"], told["differing_days"]) == (0, True, 0)
    assert told["rows"]["hub"] == told["rows"]["postgres"] == damaged.truth.num_rows
    assert (told["reduced"]["repo"], told["reduced"]["different"], told["reduced"]["behind"]) == (reduced, 0, 0)
    check_history(damaged, tmp_path / "revisions", base)
    check_readers(damaged, tmp_path)


def test_what_cannot_be_published_is_left_with_its_sentence_and_the_rest_is_published(
    graph: Graph, environment: dict[str, str]
):
    graph.insert("bad", day="2025-06-01")
    graph.insert("a", "b", day="2026-01-15")
    graph.insert("later", day="2026-03-15")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'bad'")
    del environment["DAGSTER_HOME"]  # nothing is remembered then

    code, told = document(environment, "mend", "--max-runs", "2")
    assert (code, told["problem"]) == (1, "")
    left = {each["what"]: each["why"] for each in told["left"]}
    assert "Column updated_datetime of the row with id 1" in left["2025-06-01"]
    assert left["2026-03-15"] == "1 missing: no run of it was begun"
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}

    code, told = document(environment, "plan", "2026-03-14..2026-03-16")
    assert (code, told["days"]) == (0, [{"day": "2026-03-15", "rows": {"added": 1}, "columns": "none"}])
    code, output, _ = command(environment, "plan", "2025-06-01")
    assert code == 1
    assert "Column updated_datetime of the row with id 1" in output
    code, output, _ = command(environment, "status")
    assert code == 1
    assert "Days that differ: 2" in output
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}


def test_a_mend_that_is_interrupted_leaves_nothing_in_part_and_the_next_one_goes_on(
    graph: Graph, environment: dict[str, str]
):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-03-15")
    process = begin(environment, "mend", "--json")

    def interrupt() -> None:
        process.send_signal(signal.SIGTERM)
        time.sleep(1)

    graph.local_hub.faults.add(Fault("POST", r"/commit/main$", call(interrupt)))
    output, errors = process.communicate(timeout=200)
    told = json.loads(output)
    assert (process.returncode, told["interrupted"], "Traceback" in errors) == (143, True, False)
    assert [run["job"] for run in told["runs"]] == ["reconciliation", "daily_sync"]
    assert graph.ids() in ({}, {"data/train-2026-01-15.parquet": ["a"]})

    code, output, _ = command(environment, "mend")
    assert (code, output.splitlines()[-1]) == (0, "The Hub equals PostgreSQL.")
    assert list(graph.ids().values()) == [["a"], ["b"]]


WRONG: dict[str, tuple[dict[str, str], list[str], int, str]] = {
    "a day before the first one": ({"GOVBR_FIRST_DAY": "2026-01-01"}, ["plan", "2025-12-31"], 2, "is no day from"),
    "a first day that is none": ({"GOVBR_FIRST_DAY": "yesterday"}, ["status"], 2, "GOVBR_FIRST_DAY is 'yesterday'"),
    "no Hub": ({"HF_ENDPOINT": "http://127.0.0.1:9"}, ["mend"], 1, "The Hub gave no readable answer"),
    "no PostgreSQL": (
        {"GOVBR_POSTGRES_URL": f"postgresql://u:{SECRET}@127.0.0.1:9/n"},
        ["plan", "2026-01-15"],
        1,
        "PostgreSQL",
    ),
    "no repo": ({"GOVBR_REPO_ID": ""}, ["mend"], 2, "GOVBR_REPO_ID is not set"),
    "no room for records": ({"DAGSTER_HOME": "/nowhere"}, ["mend"], 2, "DAGSTER_HOME cannot be opened"),
}


def test_what_is_wrong_is_one_sentence_with_an_exit_code_and_no_secret(environment: dict[str, str]):
    begun = {name: begin(environment | changed, *words, "--json") for name, (changed, words, _, _) in WRONG.items()}
    for name, (_, _, code, sentence) in WRONG.items():
        output, errors = begun[name].communicate(timeout=200)
        told = json.loads(output)
        assert (begun[name].returncode, sentence in told["error"]) == (code, True), f"{name}: {told}"
        assert "\n" not in told["error"]
        assert f"error: {told['error']}" in errors
        assert "Traceback" not in errors
        assert SECRET not in output + errors


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["mend", "--forever"], "error: No such option '--forever': see govbr-assets mend --help."),
        (["mend", "--max-runs", "0"], "error: Invalid value for '--max-runs': 0 is not in the range x>=1"),
        (["plan", "2026-01-20..2026-01-10"], "error: The range 2026-01-20...2026-01-10 begins after its end"),
        (["plan", "2999-01-01"], "error: '2999-01-01' is no day from 2003-01-01 (GOVBR_FIRST_DAY) to"),
        (["plan"], "error: Missing argument 'DAY|A..B': see govbr-assets plan --help."),
    ],
)
def test_what_is_written_wrongly_is_one_line(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    with Signals() as signals:
        assert run(words, signals) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(sentence)
