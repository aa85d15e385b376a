"""Late rows: which closed days with new or changed rows are still to be requested as runs.

When PostgreSQL is queried belongs to `defs.decisions.late_rows` and who asks it, and the query to `postgres.late_rows`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from govbr_assets.core.date_ranges import DateRange, cover, decode_days, encode_days


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
