"""Late rows: date ranges, and which closed days with new or changed rows are still to be requested as runs.

When PostgreSQL is queried belongs to the sensor (`defs.sensors.late_rows`), and the query to `postgres.late_rows`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar

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


def encode_days(values: Mapping[date, V]) -> list[tuple[str, V]]:
    """Encode a mapping of days as ranges of days with equal values: thousands of days fit into a cursor."""
    by_value: dict[V, list[date]] = {}
    for day, value in values.items():
        by_value.setdefault(value, []).append(day)
    return [(str(span), value) for value, days in by_value.items() for span in cover(days, gap=0, most=len(days))]


def decode_days(lines: Iterable[tuple[str, V]]) -> dict[date, V]:
    """Decode a mapping that `encode_days` has encoded."""
    return {day: value for text, value in lines for day in DateRange.of(text).days}


@dataclass(frozen=True)
class Watermark:
    """The position up to which changes of PostgreSQL have been read.

    Attributes:
        at: time of the read by PostgreSQL's clock, aware; None if there was no read.
        xid: the oldest transaction open at that time; its rows and those of later ones may be unseen.
    """

    at: datetime | None = None
    xid: int = 0


@dataclass(frozen=True)
class Changes:
    """The result of reading the changes of PostgreSQL once.

    Attributes:
        mark: the new watermark.
        days: closed days with new or changed rows.
        rows: number of these rows.
        newest: time of the newest change, aware; None without any.
        note: which changes the source cannot show; empty if it shows all.
    """

    mark: Watermark
    days: tuple[date, ...] = ()
    rows: int = 0
    newest: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class LateRows:
    """State of the late rows, kept from tick to tick in the sensor's cursor.

    Attributes:
        mark: the current watermark.
        waiting: days still to be requested, each with the version of the last read that returned it.
        note: which changes the source cannot show, by the last read.
    """

    mark: Watermark = Watermark()
    waiting: Mapping[date, str] = field(default_factory=dict)
    note: str = ""

    def with_changes(self, changes: Changes) -> "LateRows":
        """Return the state after a read.

        Versions are equal only for the same rows read from the same watermark. So a tick repeated after a crash
        requests the existing runs, and rows of a late commit with an old timestamp always get a new run.
        """
        version = f"{changes.newest:%Y-%m-%dT%H:%M:%S.%fZ}/{changes.rows}/{self.mark.xid}" if changes.newest else ""
        return LateRows(changes.mark, {**self.waiting, **dict.fromkeys(changes.days, version)}, changes.note)

    def next_ranges(self, runs: int) -> tuple[list[tuple[DateRange, str]], "LateRows"]:
        """Take the oldest days from the state.

        Args:
            runs: maximum number of ranges.

        Returns:
            The ranges with their run keys, and the state without them.
        """
        taken = cover(self.waiting)[: max(0, runs)]
        keys = [_run_key(span, {day: self.waiting[day] for day in span.days if day in self.waiting}) for span in taken]
        left = {day: version for day, version in self.waiting.items() if not any(day in span for span in taken)}
        return list(zip(taken, keys, strict=True)), replace(self, waiting=left)

    def cursor(self) -> str:
        """Return the state as a cursor."""
        at = self.mark.at.isoformat() if self.mark.at else None
        return json.dumps({"at": at, "xid": self.mark.xid, "waiting": encode_days(self.waiting), "note": self.note})

    @classmethod
    def of(cls, cursor: str | None) -> "LateRows":
        """Parse a cursor; None gives the initial state."""
        values: dict[str, Any] = json.loads(cursor) if cursor else {"at": None, "xid": 0, "waiting": []}
        at = datetime.fromisoformat(values["at"]) if values["at"] else None
        return cls(Watermark(at, values["xid"]), decode_days(values["waiting"]), values.get("note", ""))


def _run_key(span: DateRange, versions: Mapping[date, str]) -> str:
    """Return the run key for a range: its days, their newest change, and a digest of their versions."""
    digest = blake2b(json.dumps(encode_days(dict(sorted(versions.items())))).encode(), digest_size=6).hexdigest()
    return f"late:{span}:{max(versions.values()).partition('/')[0]}:{digest}"
