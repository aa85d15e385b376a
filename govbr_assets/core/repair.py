"""What the difference between PostgreSQL and the Hub asks for: folds, runs of days, and when to give up.

A round begins with a reconciliation; the first of all is requested here. It requests the fold if files are unfolded,
else the differing days, some runs a tick; when they are over, whatever became of them, it requests the next
reconciliation, which says what is left. So no round needs to know which of its runs failed. That reconciliation is as
deep as the one that the round began with: a shallow one does not see a day whose contents alone differ, and cannot say
that such a day is equal now.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from govbr_assets.core.late_rows import DateRange, cover, decode_days, encode_days

TRIES = 3
"""Runs for a day, a fold or a reconciliation before it is given up."""


@dataclass(frozen=True)
class ReconciliationSummary:
    """What a reconciliation told.

    Attributes:
        number: of its materialization in Dagster's records.
        revision: of the Hub.
        unfolded: data files that must be folded before days can be repaired.
        deep: it has compared contents, too.
        days: differing days that a run can repair: closed, and not before the first partition.
    """

    number: int
    revision: str
    unfolded: int
    deep: bool = False
    days: frozenset[date] = frozenset()


@dataclass(frozen=True)
class WantedRun:
    """A run that is wanted.

    Attributes:
        of: what runs.
        key: its run key; a run key never runs twice, whatever became of it.
        span: of which days.
        deep: a reconciliation is to compare contents, too.
    """

    of: Literal["days", "fold", "reconciliation"]
    key: str
    span: DateRange | None = None
    deep: bool = False


@dataclass(frozen=True)
class RepairState:
    """What is known of the repair from tick to tick.

    Attributes:
        number: of the last reconciliation that was looked at; 0 if there was none.
        revision: of the Hub, as it told.
        fold_due: the fold is still to be requested.
        waiting: days still to be requested.
        begun: runs were requested, so another reconciliation is due after them.
        deep: it has to be a deep one.
        asked: how often it was requested.
        folds: how many folds were requested since there were no unfolded files.
        tries: by day that still differed last time, how many runs were requested for it.
        given_up: days that still differed after all tries.
        deep_days: days that the last deep reconciliation found: only another deep one can say that they are equal.
        repo: of which all this is known.
    """

    number: int = 0
    revision: str = ""
    fold_due: bool = False
    waiting: frozenset[date] = frozenset()
    begun: bool = False
    deep: bool = False
    asked: int = 0
    folds: int = 0
    tries: Mapping[date, int] = field(default_factory=dict)
    given_up: frozenset[date] = frozenset()
    deep_days: frozenset[date] = frozenset()
    repo: str = ""

    def of_repo(self, repo: str) -> "RepairState":
        """Begin anew if this is another repo than the one that something is known of."""
        return self if self.repo == repo else RepairState(repo=repo)

    def having(self, found: ReconciliationSummary) -> tuple["RepairState", list[str]]:
        """Begin a round with a reconciliation, in place of the one that was under way.

        Of a deep round that a shallow one comes into, it leaves the days that wait and the deep reconciliation.

        Returns:
            What is to be done, and a sentence for each thing that is given up now and was not before.
        """
        owed = self.deep and not found.deep and bool(self.fold_due or self.waiting or self.begun)
        new = replace(self, number=found.number, revision=found.revision, deep=found.deep or owed, asked=0)
        return new._having_unfolded(found) if found.unfolded else new._having_days(found, owed)

    def _having_unfolded(self, found: ReconciliationSummary) -> tuple["RepairState", list[str]]:
        """Begin with files that are to be folded."""
        spent = self.folds >= TRIES
        told = [_FOLD_GIVEN_UP.format(found.unfolded, TRIES)] if self.folds == TRIES else []
        folds = TRIES + 1 if spent else self.folds  # one more than the tries: it is told
        return replace(self, fold_due=not spent, folds=folds, waiting=frozenset(), begun=False), told

    def _having_days(self, found: ReconciliationSummary, owed: bool) -> tuple["RepairState", list[str]]:
        """Begin with days, when all is folded; a deep reconciliation may be owed to the round before."""
        deep_days = found.days if found.deep else self.deep_days
        tries = {day: number for day, number in self.tries.items() if day in found.days | deep_days}
        spent = frozenset(day for day in found.days if tries.get(day, 0) >= TRIES) | (self.given_up & deep_days)
        news = [str(span) for span in cover(spent - self.given_up, gap=0)]
        told = [_DAYS_GIVEN_UP.format(TRIES, ", ".join(news))] if news else []
        waiting = (found.days | (self.waiting & deep_days)) - spent
        begun = self.begun and owed
        left = replace(self, fold_due=False, folds=0, waiting=waiting, begun=begun)
        return replace(left, tries=tries, given_up=spent, deep_days=deep_days), told

    def next(self, runs: int) -> tuple[list[WantedRun], "RepairState"]:
        """Take the next step, when nothing that was requested before is under way.

        Args:
            runs: how many days' runs it may request at most.
        """
        if self.fold_due:
            request = WantedRun("fold", f"repair:fold:{self.number}:{self.revision}:{self.folds + 1}")
            return [request], replace(self, fold_due=False, folds=self.folds + 1, begun=True)
        if self.waiting:
            taken = cover(self.waiting)[:runs]
            days = frozenset(day for day in self.waiting if any(day in span for span in taken))
            tries = {**self.tries, **{day: self.tries.get(day, 0) + 1 for day in days}}
            requests = [_for_days(span, self.number, max(tries.get(day, 0) for day in span.days)) for span in taken]
            return requests, replace(self, waiting=self.waiting - days, tries=tries, begun=True)
        if (self.begun or not self.number) and self.asked < TRIES:
            deep = self.deep or not self.number  # the first of all is a deep one
            first = f"{self.repo}:" if self.repo and not self.number else ""  # each repo has one
            key = f"repair:reconciliation:{first}{self.number}:{self.asked + 1}"
            left = replace(self, begun=True, deep=deep, asked=self.asked + 1)
            return [WantedRun("reconciliation", key, deep=deep)], left
        return [], self

    def cursor(self) -> str:
        """Write it down."""
        days = {name: dict.fromkeys(vars(self)[name], 1) for name in _SETS} | {"tries": self.tries}
        return json.dumps({**vars(self), **{name: encode_days(values) for name, values in days.items()}})

    @classmethod
    def of(cls, cursor: str | None) -> "RepairState":
        """Read what `cursor` has written; None is the beginning."""
        told: dict[str, Any] = json.loads(cursor) if cursor else {}
        told |= {name: frozenset(decode_days(told.get(name, []))) for name in _SETS}
        told["tries"] = decode_days(told.get("tries", []))
        return cls(**told)


_SETS = ("waiting", "given_up", "deep_days")
_FOLD_GIVEN_UP = (
    "The repair waits: {} data files on the Hub are still unfolded after {} folds. Look at the runs of"
    " weekly_consolidation, and run it when its reason is mended."
)
_DAYS_GIVEN_UP = (
    "The repair has given up after {} runs; the Hub still differs from PostgreSQL on: {}. Look at their runs of"
    " daily_sync, and materialize the days when the reason is mended."
)


def _for_days(span: DateRange, number: int, attempt: int) -> WantedRun:
    return WantedRun("days", f"repair:{span}:{number}:{attempt}", span)
