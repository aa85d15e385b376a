"""A day, and tables by day: the unit in which news is read, stored and published."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar
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
        """Read a partition key, such as `2026-01-15`."""
        return cls(date.fromisoformat(partition_key))

    @classmethod
    def at(cls, instant: datetime) -> "Day":
        """Tell on which day an aware instant is."""
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
    """A lazy mapping from partition key to what a day has: made when asked for, and kept by nobody.

    Args:
        keys: partition keys, in order.
        make: makes the value of a key; raises a `PermanentError` for a day that cannot be had.
        told: takes what is to be told of a day when its value is made, by key.
    """

    def __init__(self, keys: Sequence[str], make: Callable[[str], T], told: dict[str, Any] | None = None) -> None:
        self._keys, self._make = list(keys), make
        self.told: dict[str, Any] = {} if told is None else told

    def __getitem__(self, key: str) -> T:
        return self._make(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def of_days(keys: Sequence[str], make: Callable[[str], T]) -> "T | ByDay[T]":
    """Give the value of one day, or a lazy mapping for a range."""
    return make(keys[0]) if len(keys) == 1 else ByDay(keys, make)


def of_day(value: Any, key: str) -> Any:
    """Take one day out of what `of_days` gave."""
    return value[key] if isinstance(value, ByDay) else value


def _midnight(day: date) -> datetime:
    """Tell when a day starts; where clocks skip midnight this is the instant of the change."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIME_ZONE))
