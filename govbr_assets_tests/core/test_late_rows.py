"""Days that changed into runs: few spans, no day lost, whatever breaks off and however late a commit is."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.date_ranges import GAP_DAYS, RANGE_DAYS, DateRange, cover, decode_days, encode_days
from govbr_assets.core.late_rows import Changes, LateRows, Watermark

FIRST = date(2003, 1, 1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAYS = st.integers(0, 8400).map(lambda number: FIRST + timedelta(days=number))


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_a_mass_update_over_8000_days_is_22_runs_of_a_year_each():
    found = cover(day(number) for number in range(8000))
    assert len(found) == 22
    assert {len(span.days) for span in found[:-1]} == {RANGE_DAYS}
    assert [each for span in found for each in span.days] == [day(number) for number in range(8000)]


def test_days_with_a_small_gap_are_one_run_and_with_a_large_one_two():
    assert cover([day(0), day(GAP_DAYS + 1)]) == [DateRange(day(0), day(GAP_DAYS + 1))]
    assert cover([day(0), day(GAP_DAYS + 2)]) == [
        DateRange(day(0), day(0)),
        DateRange(day(GAP_DAYS + 2), day(GAP_DAYS + 2)),
    ]


@given(st.lists(DAYS, max_size=60), st.integers(0, 30), st.integers(1, 400))
def test_spans_cover_every_day_once_in_order_and_begin_and_end_with_one(days: list[date], gap: int, most: int):
    found = cover(days, gap=gap, most=most)
    covered = [each for span in found for each in span.days]
    assert set(days) <= set(covered)
    assert covered == sorted(set(covered))
    assert all({span.first, span.last} <= set(days) and len(span.days) <= most for span in found)


@given(st.dictionaries(DAYS, st.integers(1, 3), max_size=60))
def test_what_days_have_comes_back_from_a_cursor(values: dict[date, int]):
    assert decode_days(encode_days(values)) == values


def test_a_cursor_of_8000_days_is_short():
    news = LateRows().with_changes(
        Changes(Watermark(NOW, 7), tuple(day(number) for number in range(8000)), 300_000, NOW)
    )
    assert len(news.cursor()) < 200
    assert LateRows.of(news.cursor()) == news


@given(st.dictionaries(DAYS, st.text(max_size=5)), st.none() | st.datetimes(timezones=st.just(UTC)), st.integers(0))
def test_a_cursor_is_read_as_it_was_written(waiting: dict[date, str], at: datetime | None, xid: int):
    news = LateRows(Watermark(at, xid), waiting)
    assert LateRows.of(news.cursor()) == news


@pytest.mark.parametrize("free", [-1, 0, 1, 2])
def test_no_more_runs_are_taken_than_are_free_and_the_rest_waits(free: int):
    news = LateRows().with_changes(Changes(Watermark(NOW, 7), (day(0), day(100), day(200)), 3, NOW))
    taken, left = news.next_ranges(free)
    assert [span.first for span, _ in taken] == [day(0), day(100), day(200)][: max(0, free)]
    assert sorted(left.waiting) == [day(0), day(100), day(200)][max(0, free) :]


def test_a_run_key_names_the_days_and_the_newest_change():
    news = LateRows(Watermark(NOW, 7)).with_changes(Changes(Watermark(NOW, 9), (day(0), day(1)), 5, NOW))
    ((_, key),), _ = news.next_ranges(1)
    assert key.rpartition(":")[0] == "late:2003-01-01..2003-01-02:2026-11-24T12:00:00.000000Z"


def test_a_repeated_reading_asks_for_the_run_that_is_there_and_a_late_commit_for_another():
    changes = Changes(Watermark(NOW, 9), (day(0),), 5, NOW)
    late = Changes(Watermark(NOW, 9), (day(0),), 6, NOW)  # one row more, and none newer
    before = LateRows(Watermark(NOW, 7))
    first, again, other = (before.with_changes(each).next_ranges(1)[0][0][1] for each in (changes, changes, late))
    assert first == again != other


def test_a_change_behind_an_older_one_that_waits_has_a_key_of_its_own():
    waiting = LateRows(Watermark(NOW, 7), {day(0): f"{NOW:%Y-%m-%dT%H:%M:%S.%fZ}/9/1"})
    earlier = NOW - timedelta(hours=1)
    one, two = (Changes(Watermark(NOW, 9), (day(1),), rows, earlier) for rows in (1, 2))
    assert waiting.with_changes(one).next_ranges(1)[0][0][1] != waiting.with_changes(two).next_ranges(1)[0][0][1]


@dataclass
class World:
    """PostgreSQL and Dagster, as far as late news sees them."""

    random: Random
    xid: int = 100
    open: dict[int, list[tuple[date, int]]] = field(default_factory=dict)
    rows: list[tuple[date, int, int]] = field(default_factory=list)  # day, time of the change, transaction
    committed: list[tuple[date, int]] = field(default_factory=list)  # day, when it can be seen
    runs: dict[str, tuple[DateRange, int]] = field(default_factory=dict)  # by run key: days, when it read them
    active_runs: set[str] = field(default_factory=set)
    clock: int = 0

    def write(self) -> None:
        """Begin a transaction, or write or commit in one that is open."""
        if not self.open or self.random.random() < 0.3:
            self.open[self.xid] = []
            self.xid += 1
        xid = self.random.choice(list(self.open))
        self.open[xid].append((day(self.random.randrange(40)), self.clock // 3))  # many changes have the same time
        if self.random.random() < 0.5:
            for changed, at in self.open.pop(xid):
                self.rows.append((changed, at, xid))
                self.committed.append((changed, self.clock))

    def read(self, mark: Watermark) -> Changes:
        """Answer as `changed` does."""
        seen = [(changed, at) for changed, at, xid in self.rows if xid >= mark.xid]
        now = Watermark(NOW + timedelta(seconds=self.clock), min([*self.open, self.xid]))
        if not seen:
            return Changes(now)
        newest = NOW + timedelta(seconds=max(at for _, at in seen))
        return Changes(now, tuple(sorted({changed for changed, _ in seen})), len(seen), newest)

    def launch(self, requests: list[tuple[DateRange, str]]) -> None:
        """Launch what has a new run key."""
        for span, key in requests:
            if key not in self.runs:
                self.runs[key] = (span, self.clock)
                self.active_runs.add(key)


def tick(world: World, cursor: str | None, at_once: int, crash: str) -> str | None:
    """Let the sensor tick; a crash comes before its runs are launched, or before its cursor is kept."""
    before = LateRows.of(cursor)
    free = at_once - len(world.active_runs)
    wanted, after = before.with_changes(world.read(before.mark)).next_ranges(free)
    assert len(wanted) <= max(0, free)
    if crash == "before":
        return cursor
    world.launch(wanted)
    return cursor if crash == "between" else after.cursor()


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_no_changed_day_is_ever_lost(seed: int, at_once: int):
    random = Random(seed)
    world, cursor = World(random), None
    for world.clock in range(60):
        for _ in range(random.randrange(3)):
            world.write()
        world.active_runs -= {key for key in world.active_runs if random.random() < 0.4}
        if random.random() < 0.5:
            cursor = tick(world, cursor, at_once, random.choice(["no", "no", "before", "between"]))
    for xid in list(world.open):  # the last transactions end, and the sensor goes on without faults
        world.rows += [(changed, at, xid) for changed, at in world.open[xid]]
        world.committed += [(changed, world.clock) for changed, _ in world.open.pop(xid)]
    for world.clock in range(60, 120):
        world.active_runs.clear()
        cursor = tick(world, cursor, at_once, "no")
    assert not LateRows.of(cursor).waiting
    for changed, at in world.committed:
        assert any(changed in span and read_at >= at for span, read_at in world.runs.values()), (changed, at)


def test_the_queue_empties_and_nothing_is_asked_for_again_without_a_change():
    world = World(Random(1))
    world.rows = [(day(number * 20), 0, 99) for number in range(10)]
    cursor = None
    for world.clock in range(20):
        world.active_runs.clear()
        cursor = tick(world, cursor, 2, "no")
    assert len(world.runs) == 10
