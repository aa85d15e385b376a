"""Coverage of a dataset: how many rows each year has, on how many days, and the first and the last of these days.

Where the times of rows are read belongs to `dataset.coverage`, and how coverage is written to `card_text`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.row_differences import local_days


@dataclass(frozen=True)
class YearCoverage:
    """What a dataset has of a year.

    Attributes:
        year: in America/Sao_Paulo.
        rows: how many.
        days: on how many days there is a row.
        first: the first such day.
        last: the last one.
    """

    year: int
    rows: int
    days: int
    first: date
    last: date


@dataclass(frozen=True)
class Coverage:
    """What a dataset has.

    Attributes:
        years: those with rows, in order.
        undated: how many rows have no time.
    """

    years: tuple[YearCoverage, ...] = ()
    undated: int = 0

    @classmethod
    def of(cls, times: Iterable[pa.ChunkedArray]) -> "Coverage":
        """Count rows.

        Args:
            times: [n rows] each of timestamps, of all rows; null for a row without a time.
        """
        rows = Counter[date | None]()
        for some in times:
            counts = pc.value_counts(local_days(some))
            rows.update(dict(zip(*(counts.field(name).to_pylist() for name in ("values", "counts")), strict=True)))
        undated, by_year = rows.pop(None, 0), dict[int, list[date]]()
        for day in sorted(day for day in rows if day is not None):
            by_year.setdefault(day.year, []).append(day)
        years = (
            YearCoverage(year, sum(rows[day] for day in days), len(days), days[0], days[-1])
            for year, days in by_year.items()
        )
        return cls(tuple(years), undated)

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(each.rows for each in self.years) + self.undated

    @cached_property
    def days(self) -> int:
        """On how many days there is a row."""
        return sum(each.days for each in self.years)

    @property
    def first(self) -> date | None:
        """The first day with a row."""
        return self.years[0].first if self.years else None

    @property
    def last(self) -> date | None:
        """The last day with a row."""
        return self.years[-1].last if self.years else None
