"""What is due by the week is found due by whoever looks later, until it is done."""

from datetime import UTC, datetime, timedelta

from govbr_assets.core.days import Day
from govbr_assets.defs.decisions.due import compaction_is_due, reconciliation_is_to_be_deep
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import write

WEEK = timedelta(days=7)


def test_a_compaction_is_due_when_shards_have_stood_over_a_monday_and_not_after_it(graph: Graph):
    now = datetime.now(UTC)
    assert not compaction_is_due(graph.hub, now + WEEK)  # there is no dataset yet
    graph.insert("a")
    graph.run("2026-01-15", checks=False)
    assert not compaction_is_due(graph.hub, now)  # nothing has stood over a Monday yet
    assert compaction_is_due(graph.hub, now + WEEK)
    graph.compact(checks=False)
    graph.insert("b", day="2026-01-16")
    graph.run("2026-01-16", checks=False)
    assert not compaction_is_due(graph.hub, now)
    assert compaction_is_due(graph.hub, now + WEEK)


def test_a_reconciliation_is_deep_once_a_week_and_until_a_deep_one_has_found_nothing(graph: Graph):
    now, instance = datetime.now(UTC), graph.instance
    graph.insert("a")
    graph.insert("of today", day=str(Day.at(now)))
    graph.reconcile(deep=True)
    assert reconciliation_is_to_be_deep(instance, graph.hub, now)
    graph.run("2026-01-15", checks=False)
    graph.reconcile()
    assert reconciliation_is_to_be_deep(instance, graph.hub, now)
    graph.reconcile(deep=True)
    graph.reconcile()
    assert not reconciliation_is_to_be_deep(instance, graph.hub, now)
    assert reconciliation_is_to_be_deep(instance, graph.hub, now + WEEK)
    graph.repo_id += "-other"
    assert reconciliation_is_to_be_deep(instance, graph.hub, now)


def test_a_reconciliation_is_deep_after_commits_of_others_and_not_after_ones_own(graph: Graph):
    now, instance = datetime.now(UTC), graph.instance
    for day in ("2026-01-15", "2026-01-16"):
        graph.insert(day, day=day)
    graph.run("2026-01-15", "2026-01-16", checks=False)
    graph.reconcile(deep=True)
    graph.insert("another", day="2026-01-16")
    graph.run("2026-01-16", checks=False)
    assert not reconciliation_is_to_be_deep(instance, graph.hub, now)
    write(graph.local_hub.store, graph.repo_id, {"notes.txt": b"Somebody was here."})
    graph.insert("one more", day="2026-01-16")
    graph.run("2026-01-16", checks=False)
    assert reconciliation_is_to_be_deep(instance, graph.hub, now)
    graph.reconcile(deep=True)
    assert not reconciliation_is_to_be_deep(instance, graph.hub, now)
