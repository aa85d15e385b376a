"""The damage that the public dataset has is mended by one command after a dry run and an approval, without a daemon."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from dagster import DagsterInstance

from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets.publications import REDUCED
from govbr_assets_tests import readers, stranger
from govbr_assets_tests.approvals import used_approvals
from govbr_assets_tests.cli.command import command, document, environment_of
from govbr_assets_tests.damaged import CARD, MISSING, NOWHERE_ROWS, Damaged
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.test_mended import check_history, check_readers

JOBS = ["reconciliation", "weekly_consolidation", "reconciliation", *["daily_sync"] * 3, "reconciliation"]
"""Of each run of the one command: three ranges of days differ."""


def test_the_damage_of_the_public_dataset_is_mended_by_one_command_after_a_dry_run_and_an_approval(
    graph: Graph, dagster_home: Path, tmp_path: Path
):
    damaged, store = Damaged(graph), graph.local_hub.store
    sibling = replace(graph, repo_id=f"{graph.repo_id}-reduced")
    old = stranger.as_others_write(damaged.truth.select(REDUCED.columns).slice(0, 7))
    stranger.write(store, sibling.repo_id, {"data/train-00000-of-00001.parquet": old, "README.md": CARD.encode()})
    base, base_of_sibling = graph.head.revision or "", sibling.head.revision
    environment = environment_of(graph, tmp_path, dagster_home) | {"GOVBR_REDUCED_REPO_ID": sibling.repo_id}

    code, told = document(environment, "mend", "--dry-run")
    assert (told["dry_run"], [run["job"] for run in told["runs"]]) == (True, [*JOBS[:2], *JOBS[3:6]])
    assert told["runs"][-1]["done"].startswith("after the compaction: ")
    found = told["assessment"]
    assert found["missing_days"] == list(map(str, MISSING))
    assert (found["removals"], found["undated"], found["approval"]) == (NOWHERE_ROWS, 1, NOWHERE_ROWS)
    assert (code, told["left"][0]["what"]) == (1, f"rows that PostgreSQL has nowhere: {NOWHERE_ROWS}")
    assert told["left"][0]["why"].endswith(f"are approved: --allow-removals {found['approval']}")
    assert told["after"] == base == graph.head.revision
    assert sibling.head.revision == base_of_sibling

    code, told = document(environment, "mend", "--allow-removals", str(found["approval"]))
    assert (code, told["holds"], told["left"], told["problem"]) == (0, True, [], "")
    assert [run["job"] for run in told["runs"]] == JOBS
    assert all(run["success"] for run in told["runs"])
    assert UNDATED_PATH not in graph.ids()
    assert used_approvals(graph) == [(1, NOWHERE_ROWS), (NOWHERE_ROWS - 1, NOWHERE_ROWS)]
    with DagsterInstance.local_temp(environment["DAGSTER_HOME"]) as instance:
        assert {run.tags["govbr_assets/requested_by"] for run in instance.get_runs()} == {"govbr-assets mend"}

    code, told = document(environment, "status")
    assert (code, told["holds"], told["differing_days"], told["undated_surplus"]) == (0, True, 0, 0)
    assert told["rows"]["hub"] == told["rows"]["postgres"] == damaged.truth.num_rows
    assert (told["reduced"]["repo"], told["reduced"]["different"], told["reduced"]["behind"]) == (sibling.repo_id, 0, 0)

    heads = graph.head.revision, sibling.head.revision
    code, output, errors = command(environment, "mend")
    assert (code, output.splitlines()[-1]) == (0, "The Hub equals PostgreSQL on all days that have ended."), errors
    assert (graph.head.revision, sibling.head.revision) == heads

    damaged.gone = [*damaged.gone, damaged.unknown]
    check_history(damaged, tmp_path / "revisions", base)
    check_readers(damaged, tmp_path)
    check_sibling(damaged, sibling, tmp_path / "sibling")


def check_sibling(damaged: Damaged, sibling: Graph, folder: Path) -> None:
    """Every reader has of the reduced dataset the rows of PostgreSQL, and none besides."""
    downloaded = readers.download(sibling, folder / "head")
    found = {name: reader(downloaded) for name, reader in readers.ON_FILES.items()}
    found["datasets"] = readers.by_datasets(sibling, folder)
    expected = damaged.truth.select(REDUCED.columns).sort_by("url").combine_chunks()
    for name, table in found.items():
        columns = [table[each].cast(expected.schema.field(each).type) for each in REDUCED.columns]
        assert pa.table(columns, expected.schema).sort_by("url").combine_chunks().equals(expected), name
