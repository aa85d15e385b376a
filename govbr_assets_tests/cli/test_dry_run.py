"""What a dry run says is what `mend` then does, in the same situation; and what `mend` says of contents is true."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from govbr_assets.defs import jobs
from govbr_assets_tests.cli.command import command, document, environment_of
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.test_compact import rows
from govbr_assets_tests.stranger import as_others_write, write

QUIET = "ALTER TABLE news DISABLE TRIGGER news_touch"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    graph.insert("a", "b", day="2026-01-15")
    return environment_of(graph, tmp_path, dagster_home)


@pytest.fixture
def sibling(graph: Graph, environment: dict[str, str]) -> Graph:
    """The reduced dataset, whose repo is not there yet."""
    environment["GOVBR_REDUCED_REPO_ID"] = f"{graph.repo_id}-reduced"
    return replace(graph, repo_id=environment["GOVBR_REDUCED_REPO_ID"])


def told_twice(environment: dict[str, str], *options: str) -> tuple[list[Any], list[Any]]:
    """Run a dry run, and `mend`; give the exit code and what is left of each."""
    found: list[list[Any]] = []
    for words in (("mend", "--dry-run"), ("mend",)):
        code, told = document(environment, *words, *options)
        found.append([code, *((each["what"], each["why"]) for each in told["left"])])
    return found[0], found[1]


def test_an_approval_is_used_up_by_the_runs_of_a_dry_run_together(graph: Graph, environment: dict[str, str]):
    graph.insert("old", day="2023-01-15")
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news")
    graph.insert("stays", day="2025-01-15")
    code, told = document(environment, "mend", "--dry-run")
    (total,) = (each["why"] for each in told["left"] if each["what"] == "rows that PostgreSQL has nowhere: 3")
    assert (code, total) == (1, "the guard keeps them until 3 removals are approved: --allow-removals 3")
    assert sum("--allow-removals" in each["why"] for each in told["left"]) == 1
    ahead, then = told_twice(environment, "--allow-removals", "2")
    (_, (_, why), (day, _)), (_, (_, why_then), (day_then, _)) = ahead, then
    assert (ahead[0], then[0], day) == (1, 1, day_then)
    assert why.endswith("--allow-removals 3")
    assert why_then.endswith("--allow-removals 3")
    assert told_twice(environment, "--allow-removals", "3") == ([0], [0])


@pytest.mark.parametrize(
    "files",
    [
        {".gitignore": b"data/train-*\n"},
        {".gitignore": b"README.md\n"},
        {"data/train-2026-01-15.parquet/x.txt": b"x"},
        {"README.md/x.txt": b"x"},
        {"data": b"x"},
    ],
    ids=["ignored shards", "an ignored card", "a folder at the shard", "a folder at the card", "a file at the folder"],
)
def test_what_keeps_files_out_of_the_repo_is_told_ahead(
    graph: Graph, environment: dict[str, str], files: dict[str, bytes | None]
):
    base = write(graph.local_hub.store, graph.repo_id, files)
    ahead, then = told_twice(environment)
    assert ahead[0] == then[0] == 1
    (((_, expected),), ((_, found),)) = ahead[1:], then[1:]
    assert found == f"2 missing: {expected}"
    assert graph.local_hub.store.head(graph.repo_id) == base


def test_a_file_of_the_sibling_that_is_in_the_way_is_told_ahead(
    graph: Graph, sibling: Graph, environment: dict[str, str]
):
    for path in (".huggingface.yaml", "data"):
        write(graph.local_hub.store, sibling.repo_id, {path: b"a: 1\n"})
        code, told = document(environment, "mend", "--dry-run")
        assert (code, [each["what"] for each in told["left"]]) == (1, ["the reduced dataset"])
        assert path in told["left"][0]["why"]
        write(graph.local_hub.store, sibling.repo_id, {path: None})
    assert told_twice(environment) == ([0], [0])


def test_a_config_of_the_sibling_that_selects_years_without_rows_is_in_nobodys_way(
    graph: Graph, sibling: Graph, environment: dict[str, str]
):
    card = b"""---
configs:
- config_name: default
  default: true
  data_files: data/train-2026*.parquet
- config_name: early
  data_files: [data/train-2003-*.parquet, early.parquet]
---
"""
    early = as_others_write(rows("x", day="2003-02-03").select(["unique_id", "title"]))
    write(graph.local_hub.store, sibling.repo_id, {"README.md": card, "early.parquet": early})
    assert told_twice(environment) == ([0], [0])


def test_what_the_sibling_takes_the_place_of_is_told_ahead(graph: Graph, sibling: Graph, environment: dict[str, str]):
    theirs = as_others_write(rows("x", day="2025-12-01").select(["published_at", "title"]))
    write(graph.local_hub.store, sibling.repo_id, {"mine.parquet": theirs})
    said = f"The reduced dataset takes the place of mine.parquet in {sibling.repo_id}."
    code, told = document(environment, "mend", "--dry-run")
    assert (code, said in told["notes"]) == (0, True)
    assert command(environment, "mend")[0] == 0
    assert [file.path for file in sibling.head.data_files] == ["data/train-2026-01-15.parquet"]
    graph.insert("c", day="2026-01-16")
    assert said not in document(environment, "mend", "--dry-run")[1]["notes"]


def test_rows_that_move_before_the_first_day_are_left_by_a_dry_run_too(graph: Graph, environment: dict[str, str]):
    graph.insert("e", "f", day="2020-01-07")
    assert command(environment, "mend")[0] == 0
    graph.execute("UPDATE news SET published_at = '2020-03-01T12:00Z' WHERE unique_id = 'e'")
    environment["GOVBR_FIRST_DAY"] = "2026-01-01"
    planned, done = told_twice(environment)
    assert planned[0] == done[0] == 1
    assert [what for what, _ in planned[1:]] == ["2020-03-01"]
    assert command(environment, "status")[0] == 1


def test_late_rows_that_change_nothing_do_not_hide_the_sibling(
    graph: Graph, sibling: Graph, environment: dict[str, str]
):
    assert command(environment, "mend")[0] == 0
    write(
        graph.local_hub.store, sibling.repo_id, {".huggingface.yaml": b"a: 1\n", "data/train-2026-01-15.parquet": None}
    )
    graph.execute("UPDATE news SET title = title")
    ahead, then = told_twice(environment)
    assert ahead[0] == then[0] == 1
    assert any(".huggingface.yaml" in why for _, why in ahead[1:]), ahead


def test_contents_are_compared_if_nobody_has_looked_for_late_rows_before(
    graph: Graph, environment: dict[str, str], dagster_home: Path
):
    graph.execute(QUIET, "UPDATE news SET updated_at = now() - interval '4 days'")
    assert command({name: each for name, each in environment.items() if name != "DAGSTER_HOME"}, "mend")[0] == 0
    assert command(environment, "mend", "--dry-run")[0] == 0
    moved = 0
    for path in dagster_home.rglob("*.db"):
        with sqlite3.connect(path) as records:
            if records.execute("SELECT 1 FROM sqlite_master WHERE name = 'event_logs'").fetchone():
                moved += records.execute("UPDATE event_logs SET timestamp = datetime(timestamp, '-2 days')").rowcount
    assert moved
    graph.execute("UPDATE news SET title = 'new', updated_at = now() - interval '30 hours' WHERE unique_id = 'a'")
    code, told = document(environment, "mend")
    assert (code, told["runs"][1]["done"]) == (0, "rows: 1 changed")


def test_contents_are_compared_after_a_commit_of_somebody_else(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == command(environment, "mend")[0] == 0
    assert command(environment, "mend")[1].splitlines()[-1].startswith("By ids, the Hub equals PostgreSQL")
    theirs = as_others_write(rows("a", "b", day="2026-01-15", title="somebody else's"))
    write(graph.local_hub.store, graph.repo_id, {"data/train-2026-01-15.parquet": theirs})
    code, told = document(environment, "mend")
    assert (code, told["conclusion"]) == (0, "The Hub equals PostgreSQL on all days that have ended.")
    assert [row["changed"] for row in told["differed"]] == [2]


def test_contents_are_compared_after_a_rollback(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    before = graph.head.revision
    graph.execute("UPDATE news SET title = 'Another' WHERE unique_id = 'a'")
    assert command(environment, "mend")[0] == 0
    config = {"ops": {"put_data_files_back": {"config": {"revision": before}}}}
    assert jobs.rollback.execute_in_process(run_config=config, resources={"hub": graph.resources()["hub"]}).success
    code, told = document(environment, "mend")
    assert (code, told["conclusion"]) == (0, "The Hub equals PostgreSQL on all days that have ended.")
    assert [row["changed"] for row in told["differed"]] == [1]


def test_late_days_that_are_rejected_are_not_run_twice(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    graph.insert("c", day="2026-01-15")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'c'")
    code, told = document(environment, "mend")
    assert (code, [run["job"] for run in told["runs"]]) == (1, ["daily_sync", "reconciliation"])
    assert told["left"][0]["why"].startswith("1 missing: Column updated_datetime of the row with id")
