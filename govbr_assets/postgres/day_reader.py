"""Rows of many days from as few queries as possible: one query, split by day, and resumed around days that fail.

How the query is written belongs to `row_query`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day
from govbr_assets.errors import SourceError, SourceRowsError
from govbr_assets.io.staged import Rows
from govbr_assets.io.staging import collected

T = TypeVar("T")


class DayReader(Generic[T]):
    """Reads days one after another, from one query for as long as no day fails.

    A query for many days can fail before its first row, and its error does not name the day. After such an error the
    days are queried one by one, then two by two, doubling with every query that succeeds.

    Args:
        days: in order, gaps allowed.
        query: streams the results of some of these days, in order.
    """

    def __init__(self, days: Sequence[Day], query: Callable[[Sequence[Day]], Iterator[tuple[Day, T]]]) -> None:
        self._days, self._query = list(days), query
        self._next_count = len(self._days)  # days of the next query
        self._count = 0  # days of the current query
        self._results: Iterator[tuple[Day, T]] = iter(())
        self._source_error = ""  # message of an error that every day would raise

    def read(self, day: Day) -> T:
        """Return the result of a day: from the current query if it is still to come there, else from a new one.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable, or the connection broke.
            SourceError: PostgreSQL rejects the query for every day; it is not asked again.
            SourceRowsError: PostgreSQL fails on rows of this day; other days can still be read.
        """
        if self._source_error:
            raise SourceError(self._source_error)
        while True:
            try:
                return self._advance(day)
            except SourceRowsError:
                self._next_count = 1
                if self._count == 1:
                    raise
            except SourceError as error:
                self._source_error = str(error)
                raise

    def _advance(self, day: Day) -> T:
        """Advance the current query to a day, or start a new query there."""
        for found, result in self._results:
            if found == day:
                return result
        index = self._days.index(day) if day in self._days else None
        ahead = [day] if index is None else self._days[index : index + self._next_count]
        self._count, self._next_count = len(ahead), self._next_count * 2
        self._results = self._query(ahead)
        return next(self._results)[1]


def split_by_day(batches: Iterator[pa.Table], days: Sequence[Day]) -> Iterator[tuple[Day, Rows]]:
    """Split a stream of rows into days.

    Args:
        batches: [n rows x any columns] each, ordered by `published_at`; the first one gives the columns.
        days: in order, gaps allowed; rows of the gaps are dropped.

    Yields:
        Each day with its rows, on the disk if they are large.

    Raises:
        SourceError: a row lies outside the window from the first to the last day.
    """
    start, end = days[0].start, days[-1].end
    checked = (_within(batch, start, end) for batch in batches)
    rest = next(checked)

    def until(instant: datetime) -> Iterator[pa.Table]:
        """Stream the rows before an instant."""
        nonlocal rest
        while True:
            count = rows_before(rest, instant)
            yield rest.slice(0, count)
            rest = rest.slice(count)
            if rest.num_rows or (batch := next(checked, None)) is None:
                break
            rest = batch

    for day in days:
        rows = collected(until(day.end), rest.schema)
        yield day, rows.slice(rows_before(rows, day.start))


def rows_before(rows: Rows, instant: datetime) -> int:
    """Return the number of rows published before an instant; times without a zone are UTC."""
    times = rows["published_at"].cast(pa.timestamp("us", "UTC"))
    return pc.sum(pc.less(times, pa.scalar(instant, times.type)), min_count=0).as_py()


def _within(rows: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Return the rows if all of them lie in the window; rows of another query's answer do not."""
    if rows_before(rows, start) or rows_before(rows, end) < rows.num_rows:
        text = f"PostgreSQL has answered a query for {start} to {end} with rows of other times"
        raise SourceError(f"{text}: check which server GOVBR_POSTGRES_URL leads to.")
    return rows
