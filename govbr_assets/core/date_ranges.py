"""Ranges of dates: few ranges that cover many days, their names, and mappings of days encoded as ranges."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

RANGE_DAYS = 366
"""Maximum number of days of a run: 300,000 changed rows over 8,000 days are 22 runs."""

GAP_DAYS = 7
"""Days without a change that a run includes rather than starting another run: a day takes 0.2 s, a run 6 s."""

V = TypeVar("V")


@dataclass(frozen=True, order=True)
class DateRange:
    """The days from a first to a last one, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, text: str) -> "DateRange":
        """Parse a range such as `2026-01-15` or `2026-01-15..2026-01-20`."""
        first, _, last = text.partition("..")
        return cls(date.fromisoformat(first), date.fromisoformat(last or first))

    @property
    def days(self) -> list[date]:
        """The days of the range, in order."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"


def cover(days: Iterable[date], *, gap: int = GAP_DAYS, most: int = RANGE_DAYS) -> list[DateRange]:
    """Return few disjoint date ranges that cover some days, in order.

    Args:
        days: in any order.
        gap: number of other days in a row that a range may include.
        most: maximum number of days of a range.
    """
    found: list[DateRange] = []
    for day in sorted(set(days)):
        last = found[-1] if found else None
        if last and (day - last.last).days <= gap + 1 and (day - last.first).days < most:
            found[-1] = DateRange(last.first, day)
        else:
            found.append(DateRange(day, day))
    return found


def exact_ranges(days: Collection[date]) -> list[DateRange]:
    """Return the ranges of days in a row, in order: they hold some days and no others."""
    return cover(days, gap=0, most=len(days))


def name_days(days: Collection[date], most: int) -> str:
    """Name days as ranges, such as `2026-01-15..2026-01-20, 2026-02-01 and 3 more ranges`.

    Args:
        days: in any order.
        most: maximum number of ranges that are named.
    """
    ranges = exact_ranges(days)
    more = f" and {len(ranges) - most:,} more ranges" if len(ranges) > most else ""
    return ", ".join(map(str, ranges[:most])) + more


def days_by_value(values: Mapping[date, V]) -> dict[V, list[date]]:
    """Return the days that have each value, in the order of the mapping."""
    found: dict[V, list[date]] = {}
    for day, value in values.items():
        found.setdefault(value, []).append(day)
    return found


def ranges_by_value(values: Mapping[date, V]) -> list[tuple[DateRange, V]]:
    """Return the ranges of days in a row that have the same value, each with it."""
    return [(each, value) for value, days in days_by_value(values).items() for each in exact_ranges(days)]


def encode_days(values: Mapping[date, V]) -> list[tuple[str, V]]:
    """Encode a mapping of days as ranges of days with equal values: thousands of days fit into a cursor."""
    return [(str(each), value) for each, value in ranges_by_value(values)]


def decode_days(lines: Iterable[tuple[str, V]]) -> dict[date, V]:
    """Decode a mapping that `encode_days` has encoded."""
    return {day: value for text, value in lines for day in DateRange.of(text).days}
