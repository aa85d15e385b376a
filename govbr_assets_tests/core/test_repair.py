"""The repair's rounds: the compaction, then days, then another look, until all is equal or given up; then nothing."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.repair import TRIES, ReconciliationSummary, RepairState, WantedRun


def day(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)


def found(*days: int, number: int = 1, uncompacted: int = 0, deep: bool = False) -> ReconciliationSummary:
    return ReconciliationSummary(number, f"revision {number}", uncompacted, deep, frozenset(map(day, days)))


def test_differing_days_are_requested_oldest_first_some_a_tick_and_then_another_reconciliation():
    repair, told = RepairState().with_reconciliation(found(60, 0, 1, 30))
    steps = []
    for _ in range(4):
        requests, repair = repair.next_runs(2)
        steps.append([each.key for each in requests])
    assert not told
    assert steps == [
        ["repair:2026-01-01..2026-01-02:1:1", "repair:2026-01-31:1:1"],
        ["repair:2026-03-02:1:1"],
        ["repair:reconciliation:1:1"],
        ["repair:reconciliation:1:2"],  # the first one has failed, or there would be news of it
    ]


def test_a_reconciliation_that_fails_is_asked_for_three_times():
    repair, _ = RepairState().with_reconciliation(found(0))
    keys = []
    for _ in range(8):
        requests, repair = repair.next_runs(2)
        keys += [each.key for each in requests if each.of == "reconciliation"]
    assert keys == [f"repair:reconciliation:1:{attempt}" for attempt in (1, 2, 3)]


def test_nothing_is_done_when_all_is_equal():
    repair, told = RepairState().with_reconciliation(found())
    assert (repair.next_runs(2), told) == (([], repair), [])


def test_files_are_compacted_first_and_days_wait_for_a_reconciliation_without_uncompacted_ones():
    repair, _ = RepairState().with_reconciliation(found(0, 1, uncompacted=3))
    requests, repair = repair.next_runs(2)
    assert requests == [WantedRun("compaction", "repair:fold:1:revision 1:1")]
    requests, repair = repair.next_runs(2)
    assert requests == [WantedRun("reconciliation", "repair:reconciliation:1:1")]
    repair, _ = repair.with_reconciliation(found(0, 1, number=2))
    requests, repair = repair.next_runs(2)
    assert requests == [WantedRun("days", "repair:2026-01-01..2026-01-02:2:1", DateRange(day(0), day(1)))]


def test_a_compaction_is_given_up_after_three_runs_with_one_word_and_taken_up_when_all_is_compacted_again():
    repair, compactions, told = RepairState(), [], []
    for number in range(1, 8):
        repair, news = repair.with_reconciliation(found(0, number=number, uncompacted=3))
        requests, repair = repair.next_runs(2)
        told += news
        compactions += [each.key for each in requests if each.of == "compaction"]
    assert len(compactions) == TRIES
    assert len(told) == 1
    assert "3 data files" in told[0]
    repair, _ = repair.with_reconciliation(found(0, number=8))
    assert repair.next_runs(1)[0][0].of == "days"
    repair, _ = repair.with_reconciliation(found(0, number=9, uncompacted=1))
    assert repair.next_runs(1)[0][0].of == "compaction"


def test_orphans_are_removed_beside_days_and_given_up_after_three_compactions_with_one_word():
    repair, steps, told = RepairState().with_approval(7), [], []
    for number in range(1, 7):
        left = ReconciliationSummary(number, f"revision {number}", 0, False, frozenset({day(0)}), orphans=5)
        repair, news = repair.with_reconciliation(left)
        told += news
        for _ in range(3):
            requests, repair = repair.next_runs(1)
            steps += [(each.of, each.approved) for each in requests]
    once = [("compaction", 7), ("days", 0), ("reconciliation", 0)]
    assert steps[:9] == once * TRIES
    assert "compaction" not in dict(steps[9:])
    assert ["5 rows without a day" in each for each in told].count(True) == 1
    repair, _ = repair.with_reconciliation(found(number=8))  # they are gone
    assert repair.next_runs(1)[0] == []


def test_a_day_is_given_up_after_three_runs_with_one_word_and_the_others_go_on():
    repair, keys, told = RepairState(), [], []
    for number in range(1, 7):
        repair, news = repair.with_reconciliation(found(0, *([40] if number > 4 else []), number=number))
        requests, repair = repair.next_runs(2)
        told += news
        keys += [each.key for each in requests if each.of == "days"]
    assert keys == [
        "repair:2026-01-01:1:1",
        "repair:2026-01-01:2:2",
        "repair:2026-01-01:3:3",
        "repair:2026-02-10:5:1",
        "repair:2026-02-10:6:2",
    ]
    assert len(told) == 1
    assert "2026-01-01" in told[0]


def test_a_day_that_was_equal_in_between_has_its_three_runs_again():
    repair = RepairState()
    for number in range(1, 5):
        repair, _ = repair.with_reconciliation(found(0, number=number))
        _, repair = repair.next_runs(2)
    assert repair.given_up == {day(0)}
    repair, _ = repair.with_reconciliation(found(number=5))
    repair, _ = repair.with_reconciliation(found(0, number=6))
    assert repair.next_runs(2)[0][0].key == "repair:2026-01-01:6:1"


def test_days_that_were_given_up_are_tried_again_when_more_removals_are_approved_and_only_then():
    repair = RepairState().with_approval(10)
    for number in range(1, 5):
        repair, _ = repair.with_approval(10).with_reconciliation(found(0, number=number))
        _, repair = repair.next_runs(2)
    assert (repair.given_up, repair.with_approval(9).next_runs(2)[0]) == ({day(0)}, [])
    repair = RepairState.of(repair.with_approval(11).cursor())
    requests, repair = repair.next_runs(2)
    assert requests == [WantedRun("reconciliation", "repair:reconciliation:4:1")]
    repair, _ = repair.with_approval(11).with_reconciliation(found(0, number=5))
    assert repair.next_runs(2)[0][0].key == "repair:2026-01-01:5:1"


def test_a_newer_reconciliation_takes_the_place_of_a_round_that_is_not_over():
    repair, _ = RepairState().with_reconciliation(found(0, 100, 200))
    _, repair = repair.next_runs(1)
    repair, _ = repair.with_reconciliation(found(200, number=2))
    requests, _ = repair.next_runs(5)
    assert [each.key for each in requests] == ["repair:2026-07-20:2:1"]


def test_where_there_was_no_reconciliation_a_deep_one_is_requested_three_times_at_most():
    repair, keys = RepairState.of(None), []
    for _ in range(5):
        requests, repair = RepairState.of(repair.cursor()).next_runs(2)
        keys += [each.key for each in requests if each.deep]
    assert keys == [f"repair:reconciliation:0:{attempt}" for attempt in (1, 2, 3)]


def test_what_a_reconciliation_by_hand_finds_is_repaired_before_the_repair_makes_its_own():
    repair, _ = RepairState.of(None).with_reconciliation(found(0))
    requests, repair = repair.next_runs(2)
    assert [each.of for each in requests] == ["days"]
    requests, _ = repair.next_runs(2)
    assert requests == [WantedRun("reconciliation", "repair:reconciliation:1:1", deep=False)]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("uncompacted", [0, 3])
def test_the_reconciliation_at_the_end_of_a_round_is_as_deep_as_that_at_its_beginning(deep: bool, uncompacted: int):
    repair, _ = RepairState().with_reconciliation(found(0, uncompacted=uncompacted, deep=deep))
    _, repair = repair.next_runs(2)
    (request,), _ = RepairState.of(repair.cursor()).next_runs(2)
    assert (request.of, request.deep) == ("reconciliation", deep)


def test_a_shallow_reconciliation_in_a_deep_round_leaves_the_days_that_wait_and_the_deep_one_at_the_end():
    repair, _ = RepairState().with_reconciliation(found(0, 100, 200, deep=True))
    _, repair = repair.next_runs(1)
    repair, _ = repair.with_reconciliation(found(100, 300, number=2))
    steps = []
    for _ in range(4):
        requests, repair = repair.next_runs(1)
        steps += [(each.key, each.deep) for each in requests]
    assert steps == [
        ("repair:2026-04-11:2:1", False),
        ("repair:2026-07-20:2:1", False),
        ("repair:2026-10-28:2:1", False),
        ("repair:reconciliation:2:1", True),
    ]


def test_a_shallow_reconciliation_after_a_deep_round_begins_a_shallow_one():
    repair, _ = RepairState().with_reconciliation(found(0, deep=True))
    _, repair = repair.next_runs(1)
    repair, _ = repair.with_reconciliation(found(number=2, deep=True))
    repair, _ = repair.with_reconciliation(found(1, number=3))
    _, repair = repair.next_runs(1)
    (request,), _ = repair.next_runs(1)
    assert (request.of, request.deep) == ("reconciliation", False)


def test_a_day_whose_contents_differ_is_given_up_once_whatever_shallow_ones_come_between():
    repair, keys, told = RepairState(), [], []
    for number in range(1, 11):
        shallow = number in (2, 5, 8)
        repair, news = repair.with_reconciliation(found(*([] if shallow else [0]), number=number, deep=not shallow))
        requests, repair = repair.next_runs(2)
        told += news
        keys += [each.key for each in requests if each.of == "days"]
    assert keys == ["repair:2026-01-01:1:1", "repair:2026-01-01:3:2", "repair:2026-01-01:4:3"]
    assert len(told) == 1
    repair, _ = repair.with_reconciliation(found(number=11, deep=True))
    repair, _ = repair.with_reconciliation(found(0, number=12, deep=True))
    assert repair.next_runs(2)[0][0].key == "repair:2026-01-01:12:1"


@dataclass
class World:
    """The Hub, as far as the repair sees it: what differs, in contents only or not, and what no run can mend."""

    random: Random
    differing: set[date]
    contents: set[date]
    hopeless: set[date]
    uncompacted: int
    reconciliation: ReconciliationSummary | None = None
    keys: list[str] = field(default_factory=list)

    def reconcile(self, *, deep: bool) -> None:
        """Look again."""
        number = self.reconciliation.number + 1 if self.reconciliation else 1
        days = self.differing if deep else self.differing - self.contents
        self.reconciliation = ReconciliationSummary(number, str(number), self.uncompacted, deep, frozenset(days))

    def run(self, request: WantedRun) -> None:
        """Run what was requested, or fail."""
        assert request.key not in self.keys
        self.keys.append(request.key)
        if request.span:
            assert not self.uncompacted, "a day before the compaction"
        if request.of == "reconciliation":
            if request.key.endswith(f":{TRIES}") or self.random.random() < 0.8:
                self.reconcile(deep=request.deep)
        elif self.random.random() < 0.8:
            self.uncompacted = 0 if request.of == "compaction" else self.uncompacted
            self.differing -= {
                each for each in (request.span.days if request.span else []) if each not in self.hopeless
            }

    def pass_time(self) -> None:
        """Let a schedule reconcile now and then, mostly not deep."""
        if self.reconciliation and self.random.random() < 0.15:
            self.reconcile(deep=self.random.random() < 0.2)


some_days = st.sets(st.integers(0, 900), max_size=40)


@example(3541, set(), set(), set())
@given(st.integers(0, 2**32), some_days, some_days, st.sets(st.integers(0, 900), max_size=5))
def test_the_repair_ends_in_few_ticks_with_all_equal_or_given_up_and_told_once(seed, days, contents, hopeless):
    random = Random(seed)
    differing, hard = set(map(day, days | contents | hopeless)), set(map(day, hopeless))
    world = World(random, differing, set(map(day, contents)), hard, random.choice([0, 0, 2]))
    cursor, told, ticks = None, [], 0
    while ticks < 400:
        ticks += 1
        repair = RepairState.of(cursor)
        if world.reconciliation and repair.number != world.reconciliation.number:
            repair, news = repair.with_reconciliation(world.reconciliation)
            told += news
        requests, repair = repair.next_runs(2)
        assert len(requests) <= 2
        assert all(number <= TRIES for number in repair.tries.values())
        if random.random() < 0.2:
            continue  # a crash: neither the runs nor the cursor are kept
        for request in requests:
            world.run(request)
        cursor = repair.cursor()
        if not requests:
            break
        world.pass_time()
    assert ticks < 400
    repair = RepairState.of(cursor)
    if world.uncompacted:
        assert len({*told}) == 1  # a tick that crashes after it has told tells the same once more
    else:
        assert world.differing == repair.given_up
        assert all(repair.tries[each] == TRIES for each in repair.given_up)
        assert all(
            any(each in DateRange.of(span) for text in told for span in _named(text)) for each in repair.given_up
        )


@given(st.sets(st.integers(0, 3000)), st.sets(st.integers(0, 3000)), st.booleans(), st.integers(0, 4))
def test_a_cursor_is_read_as_it_was_written(waiting: set[int], tried: set[int], due: bool, compactions: int):
    days = frozenset(map(day, waiting))
    tries = {day(each): 1 + each % 3 for each in tried}
    repair = RepairState(7, "abc", due, days, due, not due, 1, compactions, tries, days, frozenset(tries))
    assert RepairState.of(repair.cursor()) == repair


def _named(text: str) -> list[str]:
    """Read the spans out of a sentence about days that are given up."""
    return text.split("differs from PostgreSQL on: ")[1].split(". Look")[0].split(", ")
