"""Differences between PostgreSQL and the Hub, added up by day: the table of days, and what is read off it.

How two rows differ belongs to `reconciliation`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day

COUNTS = ("postgres_rows", "hub_rows", "missing", "surplus", "duplicated", "moved", "changed")

DAYS_SCHEMA = pa.schema([("day", pa.date32()), *((name, pa.int64()) for name in COUNTS)])
"""What there is of a day on both sides, and how they differ.

`missing` rows are in PostgreSQL only, `surplus` ones on the Hub only. A row that both have under different days is
`moved`, in both of these days and nowhere else. `duplicated` counts how often more than once a row stands on the Hub,
by either id, on the day where it does so, and `changed` rows that say something else, if that was looked at.
"""

MOVED_FROM = "strayed"
"""Moved rows, on the day that the Hub has for them."""

_DIFFERENCES = COUNTS[2:]


class DayCounts:
    """Counts of rows by day, added up."""

    def __init__(self) -> None:
        self._counts = {name: Counter[int | None]() for name in (*COUNTS, MOVED_FROM)}

    def add(self, name: str, days: pa.Array) -> None:
        """Count some rows under the days that they are on, null for none."""
        counts = pc.value_counts(days.cast(pa.int32()))
        for day, count in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
            self._counts[name][day] += count

    def postgres_days(self) -> list[Day]:
        """List the days that have rows in PostgreSQL, in order."""
        return [Day(each) for each in _dates(self._counts["postgres_rows"]).to_pylist()]

    def table(self) -> pa.Table:
        """Give all days: [n days x 8] of `DAYS_SCHEMA`, in order."""
        counts = self._counts | {"moved": self._counts["moved"] + self._counts[MOVED_FROM]}
        days = _dates(set[int | None]().union(*self._counts.values()))
        columns = [[counts[name][day] for day in days.cast(pa.int32()).to_pylist()] for name in COUNTS]
        return pa.table([days, *columns], schema=DAYS_SCHEMA)

    def totals(self) -> dict[str, int]:
        """Add up all days, every moved row once; what has no day is told apart, but for the rows of the Hub."""
        totals = {name: counts.total() - counts[None] for name, counts in self._counts.items() if name != MOVED_FROM}
        undated = {name: self._counts[name][None] for name in ("hub_rows", "surplus", "duplicated")}
        return totals | {
            "hub_rows": totals["hub_rows"] + undated["hub_rows"],
            "undated": undated["hub_rows"],
            "undated_surplus": undated["surplus"] + undated["duplicated"],
        }


def differing(days: pa.Table) -> pa.Table:
    """Take the days that differ out of all days."""
    return days.filter(pc.greater(_difference(days), 0))


def worst(days: pa.Table, count: int) -> pa.Table:
    """Take some days that differ the most, the worst first and the earlier of two that are alike."""
    order = pc.sort_indices(
        pa.table({"difference": _difference(days), "day": days["day"]}),
        sort_keys=[("difference", "descending"), ("day", "ascending")],
    )
    return days.take(order.slice(0, count))


def settled(days: pa.Table, today: Day) -> pa.Table:
    """Take the days before yesterday: what differs there, no run that is still to come will mend by itself."""
    return days.filter(pc.less(days["day"], pa.scalar(today.date - timedelta(days=1))))


class Month(NamedTuple):
    """A month on both sides.

    Attributes:
        rows: in PostgreSQL.
        held: how many of them the Hub holds, on whatever day.
        differs: whether any of its days does.
    """

    rows: int
    held: int
    differs: bool


def months(days: pa.Table) -> dict[tuple[int, int], Month]:
    """Add up all days by year and month."""
    found: dict[tuple[int, int], Month] = {}
    columns = days["day"], days["postgres_rows"], days["missing"], _difference(days)
    for day, rows, missing, difference in zip(*(column.to_pylist() for column in columns), strict=True):
        before = found.get((day.year, day.month), Month(0, 0, False))
        held = before.held + rows - missing
        found[day.year, day.month] = Month(before.rows + rows, held, before.differs or difference > 0)
    return found


def _difference(days: pa.Table) -> pa.ChunkedArray:
    """Count all differences of each day."""
    total = days[_DIFFERENCES[0]]
    for name in _DIFFERENCES[1:]:
        total = pc.add(total, days[name])
    return total


def _dates(days: Iterable[int | None]) -> pa.Array:
    """Give the dates among some days, in order."""
    return pa.array(sorted(day for day in days if day is not None), pa.int32()).cast(pa.date32())
