"""Streams that were taken last are given again without their source, and never take more than their room."""

from collections.abc import Iterator

import pyarrow as pa

from govbr_assets.io.recent import RecentTables

ROW = 8  # bytes


class Source:
    """Counts how often each stream is begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def of(self, name: str, rows: int, tables: int = 2) -> Iterator[pa.Table]:
        self.begun.append(name)
        return (pa.table({"n": pa.array(range(rows), pa.int64())}) for _ in range(tables))


def take(recent: RecentTables, source: Source, name: str, rows: int) -> list[int]:
    found = recent.stream(name, lambda: source.of(name, rows))
    assert found is not None
    return [each.num_rows for each in found]


def test_a_stream_is_taken_once_and_given_again():
    recent, source = RecentTables(100 * ROW), Source()
    assert take(recent, source, "a", 10) == take(recent, source, "a", 10) == [10, 10]
    assert take(recent, source, "none", 0) == take(recent, source, "none", 0) == [0, 0]
    assert source.begun == ["a", "none"]


def test_the_ones_that_were_taken_longest_ago_make_room():
    recent, source = RecentTables(100 * ROW), Source()
    for name in ("a", "b", "a", "c", "a", "b"):  # two of 40 rows have room
        assert take(recent, source, name, 20) == [20, 20]
    assert source.begun == ["a", "b", "c", "b"]


def test_what_is_too_large_is_not_kept_and_drives_nothing_out():
    recent, source = RecentTables(100 * ROW), Source()
    for name, rows in (("a", 10), ("large", 60), ("large", 60), ("a", 10)):
        assert take(recent, source, name, rows) == [rows, rows]
    assert source.begun == ["a", "large", "large"]


def test_a_stream_that_was_left_in_the_middle_is_not_kept():
    recent, source = RecentTables(100 * ROW), Source()
    begun = recent.stream("a", lambda: source.of("a", 10))
    assert begun is not None
    next(begun)
    assert take(recent, source, "a", 10) == [10, 10]
    assert source.begun == ["a", "a"]


def test_a_stream_that_two_have_taken_at_once_takes_its_room_once():
    recent, source = RecentTables(100 * ROW), Source()
    both = [recent.stream("a", lambda: source.of("a", 20)) for _ in range(2)]
    for each in both:
        assert each is not None
        assert [table.num_rows for table in each] == [20, 20]
    for name in ("b", "a", "b"):
        assert take(recent, source, name, 25 if name == "b" else 20)
    assert source.begun == ["a", "a", "b"]


def test_without_a_source_there_is_nothing_and_it_is_asked_again():
    recent, source = RecentTables(100 * ROW), Source()
    assert recent.stream("a", lambda: None) is None
    assert take(recent, source, "a", 10) == [10, 10]
