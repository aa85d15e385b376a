"""Counts of rows and differences by day: the table of days of a reconciliation, and summaries of it.

`row_differences` compares rows.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day

COUNTS = ("postgres_rows", "hub_rows", "missing", "surplus", "duplicated", "moved", "changed")

DESCRIPTIONS = {
    "day": "Day in America/Sao_Paulo.",
    "postgres_rows": "Rows of the day in PostgreSQL.",
    "hub_rows": "Rows of the day on the Hub.",
    "missing": "Rows that only PostgreSQL has.",
    "surplus": "Rows that only the Hub has.",
    "duplicated": "Further occurrences of a row on the Hub, under either of its ids.",
    "moved": "Rows that have another day on the other side; they count under both days.",
    "changed": "Rows under a legacy id, and rows whose contents differ if contents were compared.",
}
"""What the columns of `DAYS_SCHEMA` say, for the UI."""

DAYS_SCHEMA = pa.schema([("day", pa.date32()), *((name, pa.int64()) for name in COUNTS)])
"""Row counts of a day in PostgreSQL and on the Hub, and their differences.

`missing` rows are in PostgreSQL only, `surplus` rows on the Hub only. A row that has different days on both sides is
`moved`, and counted under both days. `duplicated` counts the further occurrences of a row on the Hub, by either id,
under the day of the occurrence; `changed` counts rows under a legacy id, and rows with other contents if contents were
compared.
"""

MOVED_FROM = "strayed"
"""Name of the count of moved rows under the day that the Hub has for them."""

_DIFFERENCES = COUNTS[2:]


class DayCounts:
    """Accumulates counts of rows by day."""

    def __init__(self) -> None:
        self._counts = {name: Counter[int | None]() for name in (*COUNTS, MOVED_FROM)}

    def add(self, name: str, days: pa.Array) -> None:
        """Add rows to a count.

        Args:
            name: of the count.
            days: [n rows] of date32, the day of each row; null for none.
        """
        counts = pc.value_counts(days.cast(pa.int32()))
        for day, count in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
            self._counts[name][day] += count

    def undated(self, name: str) -> int:
        """Return how many of a count have no day."""
        return self._counts[name][None]

    def postgres_days(self) -> list[Day]:
        """Return the days that have rows in PostgreSQL, in order."""
        return [Day(date) for date in _dates(self._counts["postgres_rows"]).to_pylist()]

    def table(self) -> pa.Table:
        """Return the table of days: [n days x 8] of `DAYS_SCHEMA`, in order."""
        counts = self._counts | {"moved": self._counts["moved"] + self._counts[MOVED_FROM]}
        days = _dates(set[int | None]().union(*self._counts.values()))
        columns = [[counts[name][day] for day in days.cast(pa.int32()).to_pylist()] for name in COUNTS]
        return pa.table([days, *columns], schema=DAYS_SCHEMA)

    def totals(self) -> dict[str, int]:
        """Return the sums over all days, with moved rows counted once and rows without a day under their own names."""
        totals = {name: counts.total() - counts[None] for name, counts in self._counts.items() if name != MOVED_FROM}
        undated = {name: self._counts[name][None] for name in ("hub_rows", "surplus", "duplicated")}
        return totals | {
            "hub_rows": totals["hub_rows"] + undated["hub_rows"],
            "undated": undated["hub_rows"],
            "undated_surplus": undated["surplus"] + undated["duplicated"],
        }


def without_day(days: pa.Table, undated: int, first: Day) -> int:
    """Count the rows that only the Hub has and that no sync of a day reaches: orphans.

    Args:
        days: the days that differ or all, [n days x 8] of `DAYS_SCHEMA`.
        undated: rows without a time that only the Hub has.
        first: the first day that is synced.
    """
    before = days.filter(pc.less(days["day"], pa.scalar(first.date)))
    return undated + (pc.sum(before["surplus"]).as_py() or 0)


def differing(days: pa.Table) -> pa.Table:
    """Return the days that differ."""
    return days.filter(pc.greater(_difference(days), 0))


def worst(days: pa.Table, count: int) -> pa.Table:
    """Return the days with the most differences, the worst first; of equal ones the earlier first."""
    order = pc.sort_indices(
        pa.table({"difference": _difference(days), "day": days["day"]}),
        sort_keys=[("difference", "descending"), ("day", "ascending")],
    )
    return days.take(order.slice(0, count))


def closed(days: pa.Table, today: Day) -> pa.Table:
    """Return the days before today: those that are over."""
    return days.filter(pc.less(days["day"], pa.scalar(today.date)))


def settled(days: pa.Table, today: Day) -> pa.Table:
    """Return the days before yesterday, whose differences no scheduled run will remove."""
    return days.filter(pc.less(days["day"], pa.scalar(today.date - timedelta(days=1))))


class Month(NamedTuple):
    """Counts of a month.

    Attributes:
        rows: rows in PostgreSQL.
        held: how many of them the Hub holds, under any day.
        differs: whether any day of the month differs.
    """

    rows: int
    held: int
    differs: bool


def months(days: pa.Table) -> dict[tuple[int, int], Month]:
    """Return the counts of each year and month."""
    found: dict[tuple[int, int], Month] = {}
    columns = days["day"], days["postgres_rows"], days["missing"], _difference(days)
    for day, rows, missing, difference in zip(*(column.to_pylist() for column in columns), strict=True):
        before = found.get((day.year, day.month), Month(0, 0, False))
        held = before.held + rows - missing
        found[day.year, day.month] = Month(before.rows + rows, held, before.differs or difference > 0)
    return found


def _difference(days: pa.Table) -> pa.ChunkedArray:
    """Return the number of differences of each day."""
    total = days[_DIFFERENCES[0]]
    for name in _DIFFERENCES[1:]:
        total = pc.add(total, days[name])
    return total


def _dates(days: Iterable[int | None]) -> pa.Array:
    """Return the days that are not None as date32, in order."""
    return pa.array(sorted(day for day in days if day is not None), pa.int32()).cast(pa.date32())
