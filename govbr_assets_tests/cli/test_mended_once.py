"""The damage that the public dataset has is mended by one command, after a dry run, without a daemon."""

from pathlib import Path

from dagster import DagsterInstance

from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets_tests.cli.command import command, document, environment_of
from govbr_assets_tests.damaged import GONE_ROWS, MISSING, Damaged
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.test_mended import check_history, check_readers

JOBS = ["reconciliation", "weekly_consolidation", "reconciliation", *["daily_sync"] * 3, "reconciliation"]
"""Of each run of the one command: three ranges of days differ."""


def test_the_damage_of_the_public_dataset_is_mended_by_one_command_after_a_dry_run(
    graph: Graph, dagster_home: Path, tmp_path: Path
):
    damaged, reduced = Damaged(graph), f"{graph.repo_id}-reduced"
    base = graph.head.revision or ""
    environment = environment_of(graph, tmp_path, dagster_home) | {"GOVBR_REDUCED_REPO_ID": reduced}

    code, told = document(environment, "mend", "--dry-run")
    assert (told["dry_run"], [run["job"] for run in told["runs"]]) == (True, JOBS[:2])
    assert told["assessment"]["missing_days"] == list(map(str, MISSING))
    assert (code, told["left"][0]["why"].endswith(f"are approved: --allow-removals {GONE_ROWS}")) == (1, True)
    assert told["after"] == base == graph.head.revision

    code, told = document(environment, "mend", "--allow-removals", f"{GONE_ROWS}")
    assert ([run["job"] for run in told["runs"]], told["problem"]) == (JOBS, "")
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
