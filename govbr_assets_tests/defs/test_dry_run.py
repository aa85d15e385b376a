"""The dry run: everything but the commit, and a plan to read."""

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterEventType, ExecuteInProcessResult

from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import parquet
from govbr_assets_tests.tables import shard
from govbr_assets_tests.test_graph import SHARD, SHARD_KEY, checks, failure, others

DRY = {"hf_parquet_shard": {"dry_run": True}}


def observed(result: ExecuteInProcessResult) -> dict[str | None, dict[str, Any]]:
    """Collect what a run observed of the shard, by day; None has the whole run."""
    events = [event for event in result.all_events if event.event_type == DagsterEventType.ASSET_OBSERVATION]
    seen = [event.asset_observation_data.asset_observation for event in events]
    return {each.partition: {name: value.value for name, value in each.metadata.items()} for each in seen}


def test_a_dry_run_shows_the_plan_and_publishes_nothing(graph: Graph):
    graph.insert("a", "b")
    result = graph.run("2026-01-15", config=DRY)
    assert result.success
    assert graph.head.revision is None
    told = observed(result)["2026-01-15"]
    assert {name: told[name] for name in ("dry_run", "files", "rows", "deletions", "commits", "path")} == {
        "dry_run": True,
        "files": 2,  # the shard and the card
        "rows": 2,
        "deletions": 0,
        "commits": 1,
        "path": SHARD,
    }
    assert told["published"] is False
    assert told["bytes"] > 1000


def test_the_day_is_not_recorded_as_materialized_and_its_checks_do_not_run(graph: Graph):
    graph.insert("a")
    result = graph.run("2026-01-15", config=DRY)
    assert graph.instance.get_materialized_partitions(SHARD_KEY) == set()
    assert graph.instance.get_materialized_partitions(AssetKey("hf_existing_ids")) == {"2026-01-15"}
    assert checks(result) == {"partition_ids_are_unique": True}


def test_what_a_dry_run_plans_is_what_a_run_publishes(graph: Graph):
    for day in (14, 15, 16):
        graph.insert(f"id{day}", f"more{day}", day=f"2026-01-{day}")
    graph.run("2026-01-15")
    graph.insert("late")
    before = graph.head
    plan = observed(graph.run("2026-01-14", "2026-01-16", config=DRY))
    assert graph.head == before
    run = graph.run("2026-01-14", "2026-01-16")
    recorded = graph.metadata(run)
    counts = ("new_rows", "existing_rows", "dagster/partition_row_count", "shard_rows", "bytes")
    same = ("path", "revision_before", *counts)
    for day in ("2026-01-14", "2026-01-15", "2026-01-16"):
        assert {name: plan[day][name] for name in same} == {name: recorded[day][name] for name in same}, day
    assert {name: plan[None][name] for name in ("files", "rows", "commits", "deletions")} == {
        "files": 3,
        "rows": 5,
        "commits": 1,
        "deletions": 0,
    }


def test_a_dry_run_with_nothing_to_publish_plans_no_commit(graph: Graph):
    graph.insert("a")
    graph.run("2026-01-15")
    told = observed(graph.run("2026-01-15", config=DRY))["2026-01-15"]
    assert (told["files"], told["rows"], told["bytes"], told["commits"]) == (0, 0, 0, 0)


def test_the_setting_makes_every_run_a_dry_run(graph: Graph):
    graph.insert("a")
    result = graph.run("2026-01-15", dry_run="1")
    assert result.success
    assert graph.head.revision is None
    assert observed(result)["2026-01-15"]["rows"] == 1
    assert graph.run("2026-01-15", dry_run="0").success
    assert graph.ids() == {SHARD: ["a"]}


def test_a_setting_that_is_neither_yes_nor_no_is_named_and_publishes_nothing(graph: Graph):
    graph.insert("a")
    assert "GOVBR_DRY_RUN is 'perhaps'" in failure(graph.run("2026-01-15", dry_run="perhaps"))
    assert graph.head.revision is None


def test_a_dry_run_tells_what_a_run_would_refuse(graph: Graph, tmp_path: Path):
    graph.insert("a")
    strings = shard(["b"]).cast(shard([]).schema)
    strings = strings.set_column(2, "published_at", strings["published_at"].cast("string"))
    others_in_the_store(graph, parquet(strings))
    graph.insert("c", day="2026-01-16")
    result = graph.run("2026-01-15", config=DRY)
    assert not result.success
    assert "data/train-2026-01-15-010203.parquet" in failure(result)
    assert "published_at" in failure(result)


def test_a_refused_day_is_named_and_the_others_are_planned(graph: Graph):
    graph.insert("a", day="2026-01-14")
    graph.insert("b", day="2026-01-15")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'b'")
    result = graph.run("2026-01-14", "2026-01-15", config=DRY)
    assert not result.success
    assert "2026-01-15" in failure(result)
    assert observed(result)["2026-01-14"]["new_rows"] == 1


def others_in_the_store(graph: Graph, content: bytes) -> None:
    """Let somebody else publish a file that our own loop would refuse."""
    others(graph, **{"notes.txt": b"made by hand"})
    file = {"data/train-2026-01-15-010203.parquet": content}
    graph.hub.client.commit(graph.head.revision or "", FileChanges(file, message="by hand"))


@pytest.mark.parametrize("value", ["True", "true", "1"])
def test_the_setting_is_read_from_the_environment(graph: Graph, value: str):
    graph.insert("a")
    assert graph.run("2026-01-15", dry_run=value).success
    assert graph.head.revision is None
