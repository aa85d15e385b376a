"""Rules of a compacted file: the month and the day of a row, which version of it wins, and the order of rows.

Reading rows and keeping them on disk belongs to `operations/compact`.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.core.digest import row_digests
from govbr_assets.core.layout import LARGE_GROUP_BYTES, ROW_GROUP_BYTES, ROW_GROUP_ROWS, UNDATED, FileLayout
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ProofError
from govbr_assets.io.staged import Rows, ordered

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = ZoneInfo(TIME_ZONE)

VersionRank = tuple[int, ...]
"""What decides between rows of one id, the greatest wins: the times of `newest_by` (in ticks), then the digest."""


def digested(rows: pa.Table, spec: DatasetSpec) -> pa.Table:
    """Add digests to published rows, [n rows x columns]: of its `digested_schema`."""
    return pa.table([*rows.columns, row_digests(rows, spec.schema)], schema=spec.digested_schema)


def sourced(rows: pa.Table, source: str | pa.Array, spec: DatasetSpec) -> pa.Table:
    """Add digest and source to published rows: of its `sourced_schema`.

    Args:
        rows: [n rows x columns].
        source: the file that all of them come from, or that of each row.
        spec: of the dataset.
    """
    sources = pa.repeat(pa.scalar(source), rows.num_rows) if isinstance(source, str) else source
    return digested(rows, spec).append_column("source", sources)


def by_month(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Part rows by month, such as 202601, in America/Sao_Paulo."""
    return _parted(rows, months(rows["published_at"]))


def months(published_at: pa.ChunkedArray) -> pa.Array:
    """Return the month of each instant: [n rows], such as 202601; `UNDATED` for null."""
    return _local(published_at, lambda day: day.year * 100 + day.month)


def version_ranks(rows: pa.Table, spec: DatasetSpec) -> Iterator[tuple[str, VersionRank]]:
    """Return the rank of each row of a `digested_schema` beside its id."""
    times = (pc.fill_null(rows[name].cast(pa.int64()), -(1 << 63)) for name in spec.newest_by)
    columns = [rows[spec.key], *times, rows["digest"]]
    for unique_id, *rank in zip(*(column.to_pylist() for column in columns), strict=True):
        yield unique_id, tuple(rank)


class SortCheck:
    """Sees to it that keys come in the order of every file, none of them twice.

    Args:
        label: what the keys are of, for the message.
    """

    def __init__(self, label: str) -> None:
        self._label, self._last = label, None

    def breach(self, keys: pa.Table) -> str:
        """Return what breaks the order in the next keys; an empty text if nothing does.

        Args:
            keys: [n rows x 2 or more] with `published_at` and `unique_id`.
        """
        keys = keys.select(["published_at", "unique_id"])
        joined = keys if self._last is None else pa.concat_tables([self._last, keys])
        self._last = keys.slice(max(0, keys.num_rows - 1)) if keys.num_rows else self._last
        at, ids = (column.combine_chunks() for column in joined.columns)
        times = pc.fill_null(at.cast(pa.int64()), -(1 << 63))
        before, after = times.slice(0, max(0, len(times) - 1)), times.slice(1)
        id_before, id_after = ids.slice(0, max(0, len(ids) - 1)), ids.slice(1)
        rises = pc.or_(pc.less(before, after), pc.and_(pc.equal(before, after), pc.less(id_before, id_after)))
        wrong = pc.index(pc.fill_null(rises, False), False).as_py()
        return "" if wrong < 0 else f"{id_after[wrong]!s} stands out of order in {self._label}"


class GroupMonths:
    """Judges by its keys, as they come, whether the file of a period is a compacted one, and finds its months.

    It is if it is sorted, its row groups are full except for the last one of each month, none is larger than the limit,
    and no row is of another period.

    Args:
        groups: rows and bytes of each row group, as `io.sizes.group_sizes` returns them.
        period: what the file is for; `UNDATED` for rows without a time.
        layout: gives the period of a month.
    """

    def __init__(self, groups: Sequence[tuple[int, int]], period: int, layout: FileLayout) -> None:
        self._groups, self._period, self._layout = groups, period, layout
        self._order, self._sorted = SortCheck("the file"), all(rows for rows, _ in groups)
        ends = list(accumulate((rows for rows, _ in groups), initial=0))
        # Between two rows of one month that are in order there is no other month.
        self._edges = [row for start, end in pairwise(ends) for row in (start, end - 1)]
        self._rows, self._seen, self._months = ends[-1], 0, list[int]()

    def add(self, keys: pa.Table) -> bool:
        """Take the next keys, [n rows x 2 or more]; return False if the rest need not come."""
        if not self._sorted:
            return False
        start, end = (bisect_left(self._edges, row) for row in (self._seen, self._seen + keys.num_rows))
        here = pa.array([row - self._seen for row in self._edges[start:end]], pa.int64())
        self._months += months(keys["published_at"].take(here)).to_pylist()
        self._seen += keys.num_rows
        self._sorted = not self._order.breach(keys)
        return self._sorted

    def found(self) -> list[int] | None:
        """Return the month of each row group when all keys have come; None if the file is not a compacted one.

        Raises:
            ProofError: there were more or fewer keys than the row groups have rows.
        """
        if not self._sorted:
            return None
        if self._seen != self._rows:
            raise ProofError(f"{self._rows} keys should be there, {self._seen} are. Nothing was published.")
        found, groups = self._months[::2], self._groups
        if found != self._months[1::2] or any(self._layout.period_of_month(each) != self._period for each in found):
            return None
        full = all(
            rows == ROW_GROUP_ROWS or size + more > ROW_GROUP_BYTES // 2  # the first row of the next one did not fit
            for (rows, size), (_, more), month, after in zip(groups, groups[1:], found, found[1:], strict=False)
            if month == after
        )
        fitting = all(rows == 1 or (rows <= ROW_GROUP_ROWS and size <= LARGE_GROUP_BYTES) for rows, size in groups)
        return found if full and fitting else None


def months_of_groups(
    keys: Iterable[pa.Table], groups: Sequence[tuple[int, int]], period: int, layout: FileLayout
) -> list[int] | None:
    """Return the month of each row group of a compacted file; None if the file is not one, as `GroupMonths` judges.

    Args:
        keys: [n rows x 2] each, the keys of the file in its order.
        groups: rows and bytes of each row group, as `io.sizes.group_sizes` returns them.
        period: what the file is for; `UNDATED` for rows without a time.
        layout: gives the period of a month.
    """
    judged = GroupMonths(groups, period, layout)
    return judged.found() if all(map(judged.add, keys)) else None


def in_order(rows: Rows, spec: DatasetSpec) -> Rows:
    """Give rows the order of every file."""
    return ordered(rows, spec.sorted_by)


def regrouped(tables: Iterable[pa.Table], sizes: Sequence[int]) -> Iterator[pa.Table]:
    """Cut a stream of tables into tables of so many rows each.

    Raises:
        ProofError: the stream ends before.
    """
    waiting, rest = None, iter(tables)
    for size in sizes:
        while waiting is None or waiting.num_rows < size:
            more = next(rest, None)
            if more is None:
                here = waiting.num_rows if waiting else 0
                raise ProofError(f"A row group of {size} rows should be there, {here} are. Nothing was published.")
            waiting = more if waiting is None else pa.concat_tables([waiting, more])
        yield waiting.slice(0, size)
        waiting = waiting.slice(size)


def _local(published_at: pa.ChunkedArray, number: Callable[[date], int]) -> pa.Array:
    """Make a number of the local date of each instant; Arrow's own time zones need files that not every machine has."""
    instants = published_at.combine_chunks().cast(pa.int64()).dictionary_encode()
    numbers = [number(_local_date(each)) for each in instants.dictionary.to_pylist()]
    return pc.fill_null(pa.array(numbers, pa.int32()).take(instants.indices), UNDATED)


def _local_date(microseconds: int) -> date:
    """Return the date in America/Sao_Paulo; the first hours of year 1 are its own."""
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).astimezone(_ZONE).date()
    except OverflowError:
        return date.min


def _parted(rows: pa.Table, keys: pa.Array) -> Iterator[tuple[int, pa.Table]]:
    """Part rows by key, the lowest first."""
    order = pc.sort_indices(keys)
    if not keys.equals(parted := keys.take(order)):  # else the rows need not be copied
        rows, keys = rows.take(order), parted
    counts, start = pc.value_counts(keys), 0
    for key, count in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
        yield key, rows.slice(start, count)
        start += count
