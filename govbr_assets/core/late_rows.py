"""Days that changed into runs: spans of days, and what is still to be requested of what PostgreSQL told.

When PostgreSQL is asked is the sensor's business (`defs.sensors.late_rows`), how it is asked that of `changed`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar

RANGE_DAYS = 366
"""Days of a run at most: 300,000 changed rows over 8,000 days are 22 runs."""

GAP_DAYS = 7
"""Days without a change that are worth going over rather than starting another run: a day takes 0.2 s, a run 6 s."""

V = TypeVar("V")


@dataclass(frozen=True, order=True)
class DateRange:
    """Days from a first to a last one, both of them in it."""

    first: date
    last: date

    @classmethod
    def of(cls, text: str) -> "DateRange":
        """Read a span, such as `2026-01-15` or `2026-01-15..2026-01-20`."""
        first, _, last = text.partition("..")
        return cls(date.fromisoformat(first), date.fromisoformat(last or first))

    @property
    def days(self) -> list[date]:
        """All its days, in order."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"


def cover(days: Iterable[date], *, gap: int = GAP_DAYS, most: int = RANGE_DAYS) -> list[DateRange]:
    """Cover days with few spans, in order, none of them overlapping.

    Args:
        days: in any order.
        gap: other days in a row that a span may go over.
        most: days of a span at most.
    """
    found: list[DateRange] = []
    for day in sorted(set(days)):
        last = found[-1] if found else None
        if last and (day - last.last).days <= gap + 1 and (day - last.first).days < most:
            found[-1] = DateRange(last.first, day)
        else:
            found.append(DateRange(day, day))
    return found


def encode_days(values: Mapping[date, V]) -> list[tuple[str, V]]:
    """Write what days have as spans of days that have the same, for a cursor: thousands of days, a few lines."""
    by_value: dict[V, list[date]] = {}
    for day, value in values.items():
        by_value.setdefault(value, []).append(day)
    return [(str(span), value) for value, days in by_value.items() for span in cover(days, gap=0, most=len(days))]


def decode_days(lines: Iterable[tuple[str, V]]) -> dict[date, V]:
    """Read what `packed` has written."""
    return {day: value for text, value in lines for day in DateRange.of(text).days}


@dataclass(frozen=True)
class Watermark:
    """Up to where PostgreSQL was read.

    Attributes:
        at: when it was read, by its own clock, aware; None if it never was.
        xid: the oldest transaction that was not over then; what it or a later one has written may be unseen.
    """

    at: datetime | None = None
    xid: int = 0


@dataclass(frozen=True)
class Changes:
    """What one reading of PostgreSQL told.

    Attributes:
        mark: up to where it went.
        days: closed days with rows that are new or changed.
        rows: how many rows that are.
        newest: the newest of these changes, aware; None without any.
        note: what the source does not show of its changes; empty if it shows all.
    """

    mark: Watermark
    days: tuple[date, ...] = ()
    rows: int = 0
    newest: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class LateRows:
    """What is known of late news from tick to tick.

    Attributes:
        mark: up to where PostgreSQL was read.
        waiting: by day still to be requested, the version of the reading that named it last.
        note: what the source does not show of its changes, as it was told last.
    """

    mark: Watermark = Watermark()
    waiting: Mapping[date, str] = field(default_factory=dict)
    note: str = ""

    def having_read(self, changes: Changes) -> "LateRows":
        """Add what a reading told.

        The version is the same only for the same rows read from the same mark: a tick that a crash repeats asks for
        the runs that are there already, and a late commit with an old time never hides behind one of them.
        """
        version = f"{changes.newest:%Y-%m-%dT%H:%M:%S.%fZ}/{changes.rows}/{self.mark.xid}" if changes.newest else ""
        return LateRows(changes.mark, {**self.waiting, **dict.fromkeys(changes.days, version)}, changes.note)

    def requesting(self, runs: int) -> tuple[list[tuple[DateRange, str]], "LateRows"]:
        """Take the oldest days out, as spans for some runs at most, each with its run key."""
        taken = cover(self.waiting)[: max(0, runs)]
        keys = [_run_key(span, {day: self.waiting[day] for day in span.days if day in self.waiting}) for span in taken]
        left = {day: version for day, version in self.waiting.items() if not any(day in span for span in taken)}
        return list(zip(taken, keys, strict=True)), replace(self, waiting=left)

    def cursor(self) -> str:
        """Write it down."""
        at = self.mark.at.isoformat() if self.mark.at else None
        return json.dumps({"at": at, "xid": self.mark.xid, "waiting": encode_days(self.waiting), "note": self.note})

    @classmethod
    def of(cls, cursor: str | None) -> "LateRows":
        """Read what `cursor` has written; None is the beginning."""
        told: dict[str, Any] = json.loads(cursor) if cursor else {"at": None, "xid": 0, "waiting": []}
        at = datetime.fromisoformat(told["at"]) if told["at"] else None
        return cls(Watermark(at, told["xid"]), decode_days(told["waiting"]), told.get("note", ""))


def _run_key(span: DateRange, versions: Mapping[date, str]) -> str:
    """Name a run by its days, their newest change, and a digest of the version of each."""
    digest = blake2b(json.dumps(encode_days(dict(sorted(versions.items())))).encode(), digest_size=6).hexdigest()
    return f"late:{span}:{max(versions.values()).partition('/')[0]}:{digest}"
