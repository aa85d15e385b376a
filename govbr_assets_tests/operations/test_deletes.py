"""How many rows may leave the dataset without being told to, and by approval: the guards, as rules and on the Hub."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.days import Day
from govbr_assets.dataset.changeset import Changeset, RemovalApproval
from govbr_assets.dataset.planned import PlannedRemovals
from govbr_assets.errors import ConfigurationError
from govbr_assets.huggingface.history import Commit
from govbr_assets.local.hub.actions import call, cut
from govbr_assets.local.hub.faults import Fault
from govbr_assets.operations.sync.guard import (
    REMOVALS,
    DayRemovals,
    Judgement,
    day_guard,
    judge,
    recent_guard,
    unapproved_removals,
    without_remedy,
)
from govbr_assets_tests.approvals import used_approvals
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.test_graph import failure

DAYS = ("2026-01-30", "2026-01-31", "2026-02-01")


@pytest.mark.parametrize(
    ("removed", "hub_rows", "postgres_rows", "blocked"),
    [(0, 50, 0, False), (1, 1, 0, True), (4, 20, 16, False), (5, 20, 15, True), (18, 19, 1, False)],
)
def test_a_fifth_of_a_day_may_go_and_never_all_for_an_empty_postgres(
    removed: int, hub_rows: int, postgres_rows: int, blocked: bool
):
    assert bool(day_guard(removed, hub_rows, postgres_rows)) == blocked


@pytest.mark.parametrize(("removed", "before", "blocked"), [(0, 900, False), (200, 0, False), (1, 200, True)])
def test_two_hundred_rows_may_go_in_a_day(removed: int, before: int, blocked: bool):
    assert bool(recent_guard(removed, before)) == blocked


def removals(first: int, count: int, reason: str = "", *, guarded: bool = True) -> DayRemovals:
    return DayRemovals(frozenset(f"id{first + number}" for number in range(count)), guarded, reason)


def not_asked() -> int:
    raise AssertionError("The history was read although nothing needs an approval.")


def test_removals_that_are_not_too_many_need_no_approval_and_use_none():
    assert judge({"a": removals(0, REMOVALS)}, 0, 3700, not_asked) == Judgement()
    unguarded = {"a": removals(0, 900, guarded=False), "b": removals(0, 900, "all", guarded=False)}
    assert judge(unguarded, 900, 0, not_asked) == Judgement()


@pytest.mark.parametrize(("approved", "passes"), [(0, False), (139, False), (140, True), (141, True)])
def test_an_approval_counts_each_row_that_needs_it_once_beside_those_that_it_let_through_before(
    approved: int, passes: bool
):
    days = {"a": removals(0, 30, "too many"), "b": removals(20, 20, "all of it"), "c": removals(90, 5)}
    judged = judge(days, 0, approved, lambda: 100)
    assert judged.approval == (RemovalApproval(approved, 140, 40) if passes else None)
    assert sorted(judged.blocked) == ([] if passes else ["a", "b"])
    assert all("approve 140 removals" in reason for reason in judged.blocked.values())
    expected = {} if passes else {"a": "too many", "b": "all of it"}
    assert {key: without_remedy(reason) for key, reason in judged.blocked.items()} == expected


def test_where_all_days_together_are_too_many_each_of_their_rows_needs_the_approval():
    days = {"a": removals(0, 5, "too many"), "b": removals(10, 10)}
    assert judge(days, REMOVALS, 15, lambda: 0) == Judgement(approval=RemovalApproval(15, 15, 15))
    judged = judge(days, REMOVALS, 14, lambda: 0)
    assert (judged.approval, sorted(judged.blocked)) == (None, ["a", "b"])
    assert "this commit would make 15: 1 more than are approved" in judged.blocked["b"]


def commits_of_a_day_each(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish eight rows of three days, delete them, and let each day have a commit of its own."""
    graph.insert("a", "b", "c", day=DAYS[0])
    graph.insert("d", "e", "f", day=DAYS[1])
    graph.insert("g", "h", day=DAYS[2])
    assert graph.run(DAYS[0], DAYS[2], checks=False).success
    graph.execute("DELETE FROM news")
    monkeypatch.setattr("govbr_assets.operations.sync.batches.COMMIT_DAYS", 1)


def test_an_approval_of_a_number_lets_so_many_rows_go_and_is_used_up(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    commits_of_a_day_each(graph, monkeypatch)
    # The answer to the second commit is lost: it has been made, and counts once.
    graph.local_hub.faults.add(Fault("POST", rf"{graph.repo_id}/commit/main$", cut(), "after", skip=1))
    result = graph.run(DAYS[0], DAYS[2], checks=False, allow_removals="7")
    assert "Of 7 approved removals 6 have been made, and this commit would make 2: 1 more than are" in failure(result)
    assert "GOVBR_ALLOW_REMOVALS=8" in failure(result)
    assert used_approvals(graph) == [(3, 7), (3, 7)]

    again = graph.run(DAYS[2], checks=False, allow_removals="7")
    assert "1 more than are approved" in failure(again)
    assert [*graph.ids().values()] == [["g", "h"]]

    by_config = {"hf_parquet_shard": {"approved_removals": 8}}
    assert graph.run(DAYS[2], checks=False, config=by_config, allow_removals="7").success
    assert graph.ids() == {}
    assert used_approvals(graph) == [(3, 7), (3, 7), (2, 8)]


def test_two_runs_at_a_time_have_the_rows_of_one_approval_together(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    commits_of_a_day_each(graph, monkeypatch)

    def slip_in() -> None:
        assert graph.run(DAYS[0], checks=False, allow_removals="4").success

    graph.local_hub.faults.add(Fault("POST", rf"{graph.repo_id}/commit/main$", call(slip_in)))
    result = graph.run(DAYS[1], checks=False, allow_removals="4")
    assert "Of 4 approved removals 3 have been made, and this commit would make 3: 2 more than are" in failure(result)
    assert used_approvals(graph) == [(3, 4)]
    assert graph.hub.reader.day_rows(graph.head, Day.of(DAYS[1])).num_rows == 3


@pytest.mark.parametrize("setting", ["-1", "3,700", "many", "²"])
def test_a_number_that_is_none_is_named_with_its_setting(graph: Graph, setting: str):
    with pytest.raises(ConfigurationError, match="GOVBR_ALLOW_REMOVALS is"):
        _ = graph.resources(allow_removals=setting)["hub"].approved_removals


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.integers(0, 12))
def test_removals_since_an_instant_are_those_that_no_approval_let_through(commits: list[tuple[int, int]], lately: int):
    history, used = list[Commit](), 0
    for number, (approved, others) in enumerate(commits):
        used += approved
        approval = RemovalApproval(99, used)
        told = f"{approval}\n" * bool(approved) + f"Removed-Rows: {approved + others}"
        history.insert(0, Commit(f"{number}", datetime(2026, 1, 1, number + 1, tzinfo=UTC), told))
    since = datetime(2026, 1, 1, len(commits) - min(lately, len(commits)), 30, tzinfo=UTC)
    expected = sum(others for _, others in commits[len(commits) - min(lately, len(commits)) :])
    assert unapproved_removals(history, since) == expected


def test_a_dry_run_counts_what_needs_no_approval_apart_from_what_an_approval_lets_through():
    planned = PlannedRemovals()
    with planned.counted():
        planned.add(Changeset(report=None, removed_rows=5, approval=RemovalApproval(99, 7, 3)))
        planned.add(Changeset(report=None, removed_rows=4))
        assert (planned.removed, planned.used) == (6, 7)
    assert (planned.removed, planned.used) == (0, 0)
