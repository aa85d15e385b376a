"""A sync of a range while others commit: its own commits, somebody else's, and rows that two days claim."""

from collections import Counter
from collections.abc import Sequence

import pytest

from govbr_assets.io.staged import Rows
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.postgres.news import NewsTable
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import parquet
from govbr_assets_tests.tables import DAY, encode, shard
from govbr_assets_tests.test_graph import SHARD, failure, others

BEFORE = "data/train-2026-01-14.parquet"


@pytest.fixture(
    params=[(1, 1 << 30), (150, 1), (150, 1 << 30)], ids=["a commit each", "one fills a commit", "one commit"]
)
def days_a_commit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    days, most_bytes = request.param
    monkeypatch.setattr("govbr_assets.operations.sync.batches.COMMIT_DAYS", days)
    monkeypatch.setattr("govbr_assets.operations.sync.plan.COMMIT_BYTES", most_bytes)
    return days if most_bytes > 1 else 1


def times(graph: Graph) -> Counter[str]:
    """Count how often each id stands on the Hub."""
    return Counter(each for ids in graph.ids().values() for each in ids)


def stored_twice(graph: Graph) -> None:
    """Let a row stand in the stored tables of two days: it moved between the two reads."""
    graph.insert("a", "moved", day="2026-01-14")
    graph.insert("b", day="2026-01-15")
    graph.run("2026-01-14", selection=["postgres_news_partition"], checks=False)
    graph.execute("UPDATE news SET published_at = '2026-01-15T10:00-03:00' WHERE unique_id = 'moved'")
    graph.run("2026-01-15", selection=["postgres_news_partition"], checks=False)


@pytest.mark.usefixtures("days_a_commit")
def test_a_row_that_two_stored_days_have_is_published_once(graph: Graph):
    stored_twice(graph)
    ids_and_shards = ["hf_existing_ids", "hf_parquet_shard"]
    assert graph.run("2026-01-14", "2026-01-15", selection=ids_and_shards, checks=False).success
    assert times(graph) == {"a": 1, "b": 1, "moved": 1}


@pytest.mark.usefixtures("days_a_commit")
def test_a_row_that_stands_in_both_shards_of_two_days_that_have_it_is_not_lost(graph: Graph):
    stored_twice(graph)
    moved = shard(["moved"], at=DAY.start.replace(day=14))
    others(graph, **{BEFORE.replace("/", "__"): encode(moved), SHARD.replace("/", "__"): encode(shard(["moved"]))})
    ids_and_shards = ["hf_existing_ids", "hf_parquet_shard"]
    assert graph.run("2026-01-14", "2026-01-15", selection=ids_and_shards, checks=False).success
    assert times(graph) == {"a": 1, "b": 1, "moved": 1}


def test_what_somebody_else_commits_in_the_middle_of_a_range_is_not_published_again(graph: Graph, days_a_commit: int):
    for number in range(11, 17):
        graph.insert(f"id{number}", f"more{number}", day=f"2026-01-{number}")
    added = parquet(shard(["id12", "id15", "more16"]))

    def slip_in() -> None:
        others(graph, **{"data__train-00000-of-00001.parquet": added})

    # Where each day has a commit, after the first of them: the other days were compared with an older revision.
    skip = 1 if days_a_commit == 1 else 0
    graph.local_hub.faults.add(Fault("POST", rf"{graph.repo_id}/commit/main$", call(slip_in), skip=skip))
    assert graph.run("2026-01-11", "2026-01-16").success
    assert times(graph) == {f"{kind}{number}": 1 for kind in ("id", "more") for number in range(11, 17)}
    titles = [commit.title for commit in graph.local_hub.store.commits(graph.repo_id)]
    assert titles.index("o") == len(titles) - 2 - skip
    assert not graph.metadata(graph.run("2026-01-11", "2026-01-16"))["2026-01-16"]["published"]


def test_a_row_that_moved_to_another_day_goes_there_and_stands_once(graph: Graph):
    graph.insert("a", "moved", day="2026-01-14")
    assert graph.run("2026-01-14").success
    graph.execute("UPDATE news SET published_at = '2026-01-15T10:00-03:00' WHERE unique_id = 'moved'")
    graph.insert("b")
    for source in ("viewer", "exact"):
        result = graph.run("2026-01-14", "2026-01-15", config={"hf_existing_ids": {"source": source}})
        assert result.success
        assert all(each.passed for each in result.get_asset_check_evaluations())
        assert graph.ids() == {BEFORE: ["a"], SHARD: ["b", "moved"]}


def test_a_row_that_moves_and_is_deleted_before_its_new_day_is_planned_stays_if_it_is_retained(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    graph.insert("a", "moved", day="2026-01-14")
    graph.insert("b")
    assert graph.run("2026-01-14", "2026-01-15").success
    graph.execute("UPDATE news SET published_at = '2026-01-16T10:00-03:00' WHERE unique_id = 'moved'")
    graph.run("2026-01-14", "2026-01-15", selection=["postgres_news_partition", "hf_existing_ids"], checks=False)
    graph.execute("UPDATE news SET published_at = '2026-01-15T10:00-03:00' WHERE unique_id = 'moved'")
    lookup = NewsTable.lookup

    def deleted_after(news: NewsTable, ids: Sequence[str]) -> Rows:
        found = lookup(news, ids)
        graph.execute("DELETE FROM news WHERE unique_id = 'moved'")
        return found

    monkeypatch.setattr(NewsTable, "lookup", deleted_after)
    monkeypatch.setattr("govbr_assets.operations.sync.guard.REMOVALS", 0)
    result = graph.run("2026-01-14", "2026-01-15", selection=["hf_parquet_shard"], checks=False)
    assert "1 row of the Hub is not in PostgreSQL" in failure(result)
    assert graph.ids() == {BEFORE: ["a"], SHARD: ["b", "moved"]}
    monkeypatch.undo()
    assert graph.run("2026-01-14", "2026-01-15").success
    assert graph.ids() == {BEFORE: ["a"], SHARD: ["b"]}


def test_a_shard_whose_rows_others_hold_all_goes(graph: Graph):
    others(graph, **{SHARD.replace("/", "__"): encode(shard(["a", "b"]))})
    others(graph, **{"data__train-00000-of-00001.parquet": parquet(shard(["a", "b"]))})
    graph.insert("a", "b")
    assert graph.run("2026-01-15").success
    assert graph.ids() == {"data/train-00000-of-00001.parquet": ["a", "b"]}


def test_a_run_reads_nothing_of_its_own_commits_back(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("govbr_assets.operations.sync.batches.COMMIT_DAYS", 2)
    for number in range(11, 17):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    graph.local_hub.faults.forget()
    assert graph.run("2026-01-11", "2026-01-16", checks=False).success
    assert len(graph.local_hub.store.commits(graph.repo_id)) == 1 + 3
    assert graph.local_hub.faults.seen("GET", r"\.parquet$") == []
    graph.local_hub.faults.forget()
    assert graph.run("2026-01-11", "2026-01-16", checks=False).success
    assert graph.local_hub.faults.seen("GET", r"\.parquet$") == []
