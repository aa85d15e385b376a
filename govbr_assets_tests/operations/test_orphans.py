"""Rows that PostgreSQL has nowhere and that no day's run reaches leave by approval: all of them or none."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from govbr_assets.core.days import Day
from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets.errors import HubConflictError
from govbr_assets.operations.compact.orphans import OrphanRemoval
from govbr_assets.operations.compact.plan import compact
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.approvals import used_approvals
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.defs.test_sensors import automation  # noqa: F401
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import encode, shard

FIRST, TODAY = Day.of("2003-01-01"), Day.of("2026-01-20")


def undated(*ids: str) -> pa.Table:
    rows = shard(ids)
    return rows.set_column(2, "published_at", pa.nulls(len(ids), rows.schema.field(2).type))


def removal(graph: Graph, approved: int) -> OrphanRemoval:
    return OrphanRemoval(approved, FIRST, NewsTable(graph.postgres_url, NEWS).existing_among)


def ids(graph: Graph) -> list[str]:
    return sorted(each for found in graph.ids().values() for each in found)


def test_only_what_postgres_has_nowhere_goes_all_of_it_or_nothing_and_each_row_is_counted_once(graph: Graph):
    graph.insert("known", day="2025-03-01")
    graph.insert("renamed", day="2025-03-02", legacy="old")
    ancient = shard(["ancient"], at=datetime(1970, 1, 1, tzinfo=UTC))
    both = shard(["both"], at=Day.of("2025-03-03").start)
    rows = [undated("gone", "twice", "known", "old", "both", "a\0b"), undated("twice"), ancient, both]
    files = {f"data/{number}.parquet": encode(each) for number, each in enumerate(rows)}
    write(graph.local_hub.store, graph.repo_id, files)

    said = list[str]()
    (step,) = compact(graph.hub, TODAY, removal(graph, 3), dry_run=True, log=said.append)
    assert (step.report.removed, step.changeset.approval) == (0, None)
    assert "More than 3 rows without a day are in PostgreSQL nowhere, and no more may be removed: all stay." in said

    (step,) = compact(graph.hub, TODAY, removal(graph, 4))
    assert (step.report.removed, step.report.dropped.total()) == (4, 2)
    assert ids(graph) == ["both", "known", "old"]
    assert used_approvals(graph) == [(4, 4)]
    assert list(compact(graph.hub, TODAY, removal(graph, 4))) == []
    with pytest.raises(HubConflictError, match="lost rows by the approval of 4 meanwhile"):
        removal(graph, 4).approval(graph.hub.client, graph.head, 1)


def test_the_repair_has_them_removed_when_all_that_is_to_go_is_approved(
    graph: Graph,
    automation: Automation,  # noqa: F811
):
    automation.truly = True
    graph.insert("a", day="2025-03-01")
    graph.run("2025-03-01")
    write(graph.local_hub.store, graph.repo_id, {UNDATED_PATH: encode(undated("one", "two"))})

    assert automation.let_it_run(ticks=3, allow_removals="1") == [["daily_sync", "reconciliation"]]
    assert not automation.judged().passed
    assert "approve 2 removals (`GOVBR_ALLOW_REMOVALS=2`" in str(automation.judged().metadata["removals"].value)
    assert ids(graph) == ["a", "one", "two"]

    again = ["weekly_consolidation"], ["reconciliation"]
    assert automation.let_it_run(ticks=5, allow_removals="2") == [["reconciliation"], *map(list, again)]
    assert automation.judged().passed
    assert (ids(graph), used_approvals(graph)) == (["a"], [(2, 2)])

    # It is used up, and somebody adds such a row again.
    write(graph.local_hub.store, graph.repo_id, {UNDATED_PATH: encode(undated("three"))})
    automation.reconcile()
    assert automation.let_it_run(ticks=3, allow_removals="2") == []
    assert "approve 3 removals" in str(automation.judged().metadata["removals"].value)
    assert ids(graph) == ["a", "three"]
