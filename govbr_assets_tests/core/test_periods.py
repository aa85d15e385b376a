"""Months and days in São Paulo, winning rows, order and compacted files, each against a few lines of plain Python."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core import periods
from govbr_assets.core.contract import EARLIEST, LATEST
from govbr_assets.core.digest import row_digests
from govbr_assets.core.periods import (
    UNDATED,
    SortCheck,
    by_month,
    in_order,
    months,
    months_of_groups,
    sourced,
    version_ranks,
)
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.io.sizes import group_sizes
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import shard

ZONE, EPOCH = ZoneInfo("America/Sao_Paulo"), datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)

Row = tuple[str, int | None, int | None, int | None, str | None]  # id, three times in ticks, title


def ticks(text: str) -> int:
    """Count the microseconds to an instant."""
    return (datetime.fromisoformat(text) - EPOCH) // TICK


# Each with the instants around it: ends of months and years, and where clocks changed at midnight.
EDGES = [
    ticks(f"{day}T03:00+00:00") + by
    for day in ("2026-01-01", "2026-02-01", "2024-03-01", "2025-01-01", "1969-12-31")
    for by in (-1, 0, 1)
] + [
    ticks(text) + by
    for text in ("2018-11-04T03:00+00:00", "2019-02-17T02:00+00:00", "2019-02-17T03:00+00:00", "1913-12-31T00:00+00:00")
    for by in (-1, 0, 1)
]
instants = st.none() | st.sampled_from([*EDGES, EARLIEST, LATEST]) | st.integers(EARLIEST, LATEST)
few = st.sampled_from([None, -1, 0, 1])
NAMES = ["a", "b", "c", "á", "A", "", " a"]
ids = st.sampled_from(NAMES)
any_rows = st.lists(st.tuples(ids, instants, few, few, st.sampled_from([None, "", "x"])), max_size=20)
near_rows = st.lists(st.tuples(ids, few, few, few, st.sampled_from([None, "x"])), max_size=12)
cuts = st.lists(st.integers(0, 20), max_size=4)


def news(rows: Sequence[Row]) -> pa.Table:
    names = ("unique_id", "published_at", "extracted_at", "updated_datetime", "title")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=NEWS.schema)


def keys(rows: Sequence[tuple[str, int | None]]) -> pa.Table:
    return news([(name, at, None, None, None) for name, at in rows]).select(["unique_id", "published_at"])


def pieces(table: pa.Table, at: Sequence[int]) -> list[pa.Table]:
    """Cut a table, here and there into nothing."""
    ends = sorted([0, *(min(cut, table.num_rows) for cut in at), table.num_rows])
    return [table.slice(start, end - start) for start, end in pairwise(ends)]


def date_of(at: int | None) -> tuple[int, int, int]:
    """Tell year, month and day in São Paulo; before its first second of the year 1 it is the first day already."""
    if at is None:
        return 0, 0, 0
    try:
        local = (EPOCH + at * TICK).astimezone(ZONE)
    except OverflowError:
        return 1, 1, 1
    return local.year, local.month, local.day


@pytest.mark.parametrize(
    ("at", "month"),
    [
        ("2026-01-31T23:59:59.999999-03:00", 202601),
        ("2026-02-01T00:00-03:00", 202602),
        ("2025-12-31T23:59:59.999999-03:00", 202512),
        ("2026-01-01T00:00-03:00", 202601),
        ("2018-11-03T23:59:59.999999-03:00", 201811),
        ("2018-11-04T01:00-02:00", 201811),  # the day begins an hour late
        ("2019-02-16T23:59:59.999999-02:00", 201902),
        ("2019-02-16T23:00-03:00", 201902),  # the hour before midnight comes again
        ("2019-02-17T00:00-03:00", 201902),
        ("2018-12-31T23:59:59.999999-02:00", 201812),  # in summer
        ("2019-01-01T00:00-02:00", 201901),
        ("0001-01-01T00:00+00:00", 101),
        ("0001-01-01T12:00+00:00", 101),
        ("9999-12-31T23:59:59.999999+00:00", 999912),
        (None, UNDATED),
    ],
)
def test_an_instant_has_the_month_of_sao_paulo(at: str | None, month: int):
    table = news([("a", ticks(at) if at else None, None, None, None)])
    assert months(table["published_at"]).to_pylist() == [month]
    assert [key for key, _ in by_month(table)] == [month]


@given(any_rows, cuts)
def test_parts_hold_all_rows_by_rising_key_and_in_their_order(rows: list[Row], at: list[int]):
    whole = news(rows)
    table = pa.concat_tables(pieces(whole, at))
    wanted: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        year, month, _ = date_of(row[1])
        wanted.setdefault(year * 100 + month, []).append(index)
    found = list(by_month(table))
    assert [key for key, _ in found] == sorted(wanted)
    for key, part in found:
        assert part.equals(whole.take(pa.array(wanted[key])))


def rank_of(row: Row, digest: int) -> tuple[object, ...]:
    return *((time is not None, time or 0) for time in (row[2], row[3])), digest


@given(near_rows)
def test_ranks_are_in_the_order_of_extraction_update_and_digest(rows: list[Row]):
    table = sourced(news(rows), "x", NEWS)
    plain = [rank_of(row, digest) for row, digest in zip(rows, table["digest"].to_pylist(), strict=True)]
    found = list(version_ranks(table, NEWS))
    assert [name for name, _ in found] == [row[0] for row in rows]
    for (_, one), wanted in zip(found, plain, strict=True):
        assert [one < other for _, other in found] == [wanted < other for other in plain]


def test_rows_on_their_way_carry_digest_and_source():
    rows = shard(["a", "b"])
    table = sourced(rows, "data/train-x.parquet", NEWS)
    assert table.schema.equals(NEWS.sourced_schema, check_metadata=True)
    assert table.select(NEWS.schema.names).equals(rows)
    assert table["digest"].combine_chunks() == row_digests(rows, NEWS.schema)
    assert table["source"].to_pylist() == ["data/train-x.parquet"] * 2


def before(one: tuple[str, int | None], other: tuple[str, int | None]) -> bool:
    """Say whether a key comes before another: by time, none first, then by the bytes of the id."""
    return (one[1] is not None, one[1] or 0, one[0].encode()) < (other[1] is not None, other[1] or 0, other[0].encode())


@given(st.lists(st.tuples(ids, few), max_size=8), cuts, st.booleans())
def test_the_first_key_that_does_not_come_after_the_one_before_it_is_told(
    rows: list[tuple[str, int | None]], at: list[int], tidy: bool
):
    if tidy:
        rows = sorted(set(rows), key=lambda each: (each[1] is not None, each[1] or 0, each[0].encode()))
    order = SortCheck("the file")
    told = [breach for piece in pieces(keys(rows), at) if (breach := order.breach(piece))]
    wrong = [after for one, after in pairwise(rows) if not before(one, after)]
    assert told[:1] == [f"{wrong[0][0]} stands out of order in the file" for _ in wrong[:1]]


@given(any_rows)
def test_rows_in_order_are_in_order_unless_a_key_stands_twice(rows: list[Row]):
    rows = [row for row in rows if row[1] is not None]
    table = in_order(news(rows), NEWS)
    twice = max(Counter((row[0], row[1]) for row in rows).values(), default=1) > 1
    assert bool(SortCheck("x").breach(table)) == twice
    assert Counter(row_digests(table, NEWS.schema).to_pylist()) == Counter(
        row_digests(news(rows), NEWS.schema).to_pylist()
    )


def plain_months(groups: Sequence[Sequence[tuple[str, int | None]]], year: int, full: int) -> list[int] | None:
    """Tell the months of row groups as the definition of a compacted file has it."""
    rows = [row for group in groups for row in group]
    dates = [{date_of(at)[:2] for _, at in group} for group in groups]
    if any(len(each) != 1 for each in dates) or not all(before(one, other) for one, other in pairwise(rows)):
        return None
    found = [each.pop() for each in dates]
    if any(there != year for there, _ in found) or any(len(group) > full for group in groups):
        return None
    sizes = {month: [len(group) for each, group in zip(found, groups, strict=True) if each == month] for month in found}
    if any(size != full for of_month in sizes.values() for size in of_month[:-1]):
        return None
    return [there * 100 + month for there, month in found]


YEAR_EDGES = [ticks(f"2025-0{month}-01T03:00+00:00") + by for month in (1, 2, 3) for by in (-1, 0, 1, 2)]


@st.composite
def year_files(draw: st.DrawFn) -> list[list[tuple[str, int | None]]]:
    """Draw a compacted file with row groups of three rows at most, and more often than not break something in it."""
    at = [None] if draw(st.integers(0, 3)) == 0 else YEAR_EDGES[1:]
    all_keys = [(name, time) for name in NAMES for time in at]
    rows = draw(st.lists(st.sampled_from(all_keys), max_size=min(14, len(all_keys)), unique=True))
    rows.sort(key=lambda each: (each[1] or 0, each[0].encode()))
    months_of = [list(group) for _, group in groupby(rows, key=lambda each: date_of(each[1])[:2])]
    groups = [month[start : start + 3] for month in months_of for start in range(0, len(month), 3)]
    for kind in draw(st.lists(st.sampled_from(["cut", "join", "swap", "twice", "empty", "year"]), max_size=2)):
        where = draw(st.integers(0, max(0, len(groups) - 1)))
        here = groups[where : where + 1] or [[]]
        if kind == "cut":
            groups[where : where + 1] = [here[0][:1], here[0][1:]]
        elif kind == "join":
            groups[where : where + 2] = [[row for group in groups[where : where + 2] for row in group]]
        elif kind == "swap":
            groups[where : where + 1] = [here[0][::-1]]
        elif kind == "twice":
            groups[where : where + 1] = [here[0][:1] + here[0]]
        elif kind == "year":
            groups.insert(0, [("a", YEAR_EDGES[0])])
        else:
            groups.insert(where, [])
    return groups


@given(year_files(), cuts)
def test_a_compacted_file_is_known_by_its_keys_and_row_groups(
    groups: list[list[tuple[str, int | None]]], at: list[int]
):
    table = keys([row for group in groups for row in group])
    dated = any(time is not None for group in groups for _, time in group)
    year = 2025 if dated else UNDATED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periods, "ROW_GROUP_ROWS", 3)
        found = months_of_groups(iter(pieces(table, at)), [(len(group), 1) for group in groups], year, NEWS.layout)
    assert found == plain_months(groups, year, 3)


@pytest.mark.parametrize(
    ("rows", "groups"),
    [(1, [1]), (9_999, [9_999]), (10_000, [10_000]), (10_001, [10_000, 1]), (20_000, [10_000, 10_000])],
)
def test_a_month_of_any_size_ends_its_row_group_and_is_known_again(rows: int, groups: list[int]):
    sink = io.BytesIO()
    table = shard([f"{number:05}" for number in range(rows)], at=EPOCH + ticks("2025-05-05T12:00+00:00") * TICK)
    table = table.set_column(2, NEWS.schema.field(2), pa.repeat(table["published_at"][0], rows))
    assert encode_to(sink, _halves(table), NEWS) == rows
    parquet = pq.ParquetFile(sink)
    assert [parquet.metadata.row_group(index).num_rows for index in range(parquet.num_row_groups)] == groups
    read = (parquet.read_row_group(index, ["unique_id", "published_at"]) for index in range(parquet.num_row_groups))
    assert months_of_groups(read, group_sizes(parquet.metadata), 2025, NEWS.layout) == [202505] * len(groups)
    if len(groups) > 1:
        uneven = [(rows, 1) for rows in (groups[0] - 1, groups[1] + 1, *groups[2:])]
        assert months_of_groups([table.select(["unique_id", "published_at"])], uneven, 2025, NEWS.layout) is None


def _halves(table: pa.Table) -> Iterator[pa.Table]:
    yield table.slice(0, table.num_rows // 2)
    yield table.slice(table.num_rows // 2)
