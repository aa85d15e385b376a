"""A day, and tables by day: the unit in which news is read, stored and published."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

TIME_ZONE = "America/Sao_Paulo"
"""The one time zone. Its days have 23, 24 or 25 hours; an instant belongs to exactly one."""

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Day:
    """A calendar day in America/Sao_Paulo.

    Attributes:
        date: the day.
    """

    date: date

    @classmethod
    def of(cls, partition_key: str) -> "Day":
        """Return the day of a partition key, such as `2026-01-15`."""
        return cls(date.fromisoformat(partition_key))

    @classmethod
    def at(cls, instant: datetime) -> "Day":
        """Return the day of an aware instant."""
        return cls(instant.astimezone(ZoneInfo(TIME_ZONE)).date())

    @property
    def start(self) -> datetime:
        """First instant of the day, aware."""
        return _midnight(self.date)

    @property
    def end(self) -> datetime:
        """First instant after the day, aware: windows are half open."""
        return _midnight(self.date + timedelta(days=1))

    def __str__(self) -> str:
        return self.date.isoformat()


class ByDay(Mapping[str, T], Generic[T]):
    """A lazy mapping from partition key to the value of a day: made when asked for, and kept by nobody.

    A run over one day is the case of one key.

    Args:
        keys: partition keys, in order.
        make: makes the value of a key; raises a `PermanentError` for a day that cannot be had.
        metadata: by key, what to record of a day; `make` fills it in when it makes the value.
    """

    def __init__(
        self,
        keys: Iterable[str],
        make: Callable[[str], T],
        metadata: dict[str, Mapping[str, str | int | float]] | None = None,
    ) -> None:
        self._keys, self._make = list(keys), make
        self.metadata = {} if metadata is None else metadata

    @classmethod
    def of(cls, value: "DayValue[T]", keys: Iterable[str]) -> "ByDay[T]":
        """Take what an asset was given for the days of a run: a plain value is that of each key.

        Args:
            value: the value of one day, or a mapping.
            keys: partition keys of the run, in order.
        """
        if isinstance(value, ByDay):
            return cls(keys, value.__getitem__, value.metadata)
        return cls(keys, lambda _: value)

    def plain(self) -> "DayValue[T]":
        """Return the value of the only day as it is, which makes it now, or this mapping if there are several days."""
        return self if len(self) != 1 else self[self._keys[0]]

    def __getitem__(self, key: str) -> T:
        return self._make(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


DayValue = T | ByDay[T]
"""What goes from asset to asset: the plain value of a run's only day, or a mapping of the days of a range."""


def _midnight(day: date) -> datetime:
    """Return the first instant of a day; where clocks skip midnight this is the instant of the change."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIME_ZONE))
