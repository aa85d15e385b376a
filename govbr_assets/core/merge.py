"""Sorted streams merged into one, for `operations.rewrite`. The spec defines the order of a file."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.periods import in_order
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.io.staged import table_of

_Key = tuple[int, str]


def merge(first: Iterator[pa.Table], second: Iterator[pa.Table], spec: DatasetSpec) -> Iterator[pa.Table]:
    """Merge two streams of rows, of which no more than a table each is in memory.

    Args:
        first: [n rows x columns] each, in the order of every file (`published_at`, `unique_id`).
        second: the same of others.
        spec: of the dataset.

    Yields:
        All rows in that order.
    """
    here, there = _next(first), _next(second)
    while here and there:
        end = min(_last(here), _last(there))
        count, other_count = _up_to(here, end), _up_to(there, end)
        some = [each for each in (here.slice(0, count), there.slice(0, other_count)) if each.num_rows]
        yield some[0] if len(some) == 1 else table_of(in_order(pa.concat_tables(some), spec))
        here = here.slice(count) if count < here.num_rows else _next(first)
        there = there.slice(other_count) if other_count < there.num_rows else _next(second)
    yield from (each for each in (here, there) if each)
    yield from first
    yield from second


def _next(tables: Iterator[pa.Table]) -> pa.Table | None:
    """Take the next table that has rows."""
    return next((table for table in tables if table.num_rows), None)


def _last(rows: pa.Table) -> _Key:
    """Return where the last row stands in the order."""
    last = rows.slice(rows.num_rows - 1)
    return _times(last)[0].as_py(), last["unique_id"][0].as_py()


def _up_to(rows: pa.Table, end: _Key) -> int:
    """Count the first rows that do not stand behind a place in the order."""
    times, (time, unique_id) = _times(rows), end
    tied = pc.and_(pc.equal(times, time), pc.less_equal(rows["unique_id"], unique_id))
    return pc.sum(pc.or_(pc.less(times, time), tied)).as_py() or 0


def _times(rows: pa.Table) -> pa.ChunkedArray:
    """Return the times as numbers; null stands before all times."""
    return pc.fill_null(rows["published_at"].cast(pa.int64()), -(1 << 63))
