"""What the difference between PostgreSQL and the Hub asks for: folds, runs of days, and when to give up.

A round begins with a reconciliation. It requests the fold if files are unfolded, else the differing days, some runs a
tick; when they are over, whatever became of them, it requests the next reconciliation, which says what is left. So no
round needs to know which of its runs failed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from govbr_assets.core.changes import Span, packed, spans, unpacked

TRIES = 3
"""Runs for a day, a fold or a reconciliation before it is given up."""


@dataclass(frozen=True)
class Found:
    """What a reconciliation told.

    Attributes:
        number: of its materialization in Dagster's records.
        revision: of the Hub.
        unfolded: data files that must be folded before days can be repaired.
        days: differing days that a run can repair: closed, and not before the first partition.
    """

    number: int
    revision: str
    unfolded: int
    days: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Request:
    """A run that is wanted.

    Attributes:
        of: what runs.
        key: its run key; a run key never runs twice, whatever became of it.
        span: of which days.
    """

    of: Literal["days", "fold", "reconciliation"]
    key: str
    span: Span | None = None


@dataclass(frozen=True)
class Repair:
    """What is known of the repair from tick to tick.

    Attributes:
        number: of the reconciliation that this round began with.
        revision: of the Hub, as it told.
        fold_due: the fold is still to be requested.
        waiting: days still to be requested.
        begun: runs were requested, so another reconciliation is due after them.
        asked: how often it was requested.
        folds: how many folds were requested since there were no unfolded files.
        tries: by day that still differed last time, how many runs were requested for it.
        given_up: days that still differed after all tries.
    """

    number: int = 0
    revision: str = ""
    fold_due: bool = False
    waiting: frozenset[date] = frozenset()
    begun: bool = False
    asked: int = 0
    folds: int = 0
    tries: Mapping[date, int] = field(default_factory=dict)
    given_up: frozenset[date] = frozenset()

    def having(self, found: Found) -> tuple["Repair", list[str]]:
        """Begin a round with a reconciliation, in place of the one that was under way.

        Returns:
            What is to be done, and a sentence for each thing that is given up now and was not before.
        """
        if found.unfolded:
            spent = self.folds >= TRIES
            told = [_FOLD_GIVEN_UP.format(found.unfolded, TRIES)] if self.folds == TRIES else []
            folds = TRIES + 1 if spent else self.folds  # one more than the tries: it is told
            left = replace(self, number=found.number, revision=found.revision, fold_due=not spent, folds=folds)
            return replace(left, waiting=frozenset(), begun=False, asked=0), told
        tries = {day: number for day, number in self.tries.items() if day in found.days}
        spent = frozenset(day for day, number in tries.items() if number >= TRIES)
        news = [str(span) for span in spans(spent - self.given_up, gap=0)]
        told = [_DAYS_GIVEN_UP.format(TRIES, ", ".join(news))] if news else []
        waiting = found.days - spent
        return Repair(found.number, found.revision, waiting=waiting, tries=tries, given_up=spent), told

    def next(self, runs: int) -> tuple[list[Request], "Repair"]:
        """Take the next step, when nothing that was requested before is under way.

        Args:
            runs: how many days' runs it may request at most.
        """
        if self.fold_due:
            request = Request("fold", f"repair:fold:{self.number}:{self.revision}:{self.folds + 1}")
            return [request], replace(self, fold_due=False, folds=self.folds + 1, begun=True)
        if self.waiting:
            taken = spans(self.waiting)[:runs]
            days = frozenset(day for day in self.waiting if any(day in span for span in taken))
            tries = {**self.tries, **{day: self.tries.get(day, 0) + 1 for day in days}}
            requests = [_for_days(span, self.number, max(tries.get(day, 0) for day in span.days)) for span in taken]
            return requests, replace(self, waiting=self.waiting - days, tries=tries, begun=True)
        if self.begun and self.asked < TRIES:
            key = f"repair:reconciliation:{self.number}:{self.asked + 1}"
            return [Request("reconciliation", key)], replace(self, asked=self.asked + 1)
        return [], self

    def cursor(self) -> str:
        """Write it down."""
        days = {"waiting": dict.fromkeys(self.waiting, 1), "tries": self.tries}
        days["given_up"] = dict.fromkeys(self.given_up, 1)
        return json.dumps({**vars(self), **{name: packed(values) for name, values in days.items()}})

    @classmethod
    def of(cls, cursor: str | None) -> "Repair":
        """Read what `cursor` has written; None is the beginning."""
        told: dict[str, Any] = json.loads(cursor) if cursor else {}
        days = {name: unpacked(told.pop(name, [])) for name in ("waiting", "tries", "given_up")}
        waiting, given_up = frozenset(days["waiting"]), frozenset(days["given_up"])
        return cls(**told, waiting=waiting, tries=days["tries"], given_up=given_up)


_FOLD_GIVEN_UP = (
    "The repair waits: {} data files on the Hub are still unfolded after {} folds. Look at the runs of"
    " weekly_consolidation, and run it when its reason is mended."
)
_DAYS_GIVEN_UP = (
    "The repair has given up after {} runs; the Hub still differs from PostgreSQL on: {}. Look at their runs of"
    " daily_sync, and materialize the days when the reason is mended."
)


def _for_days(span: Span, number: int, attempt: int) -> Request:
    return Request("days", f"repair:{span}:{number}:{attempt}", span)
