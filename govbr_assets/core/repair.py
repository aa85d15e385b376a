"""The repair: which runs to request after a reconciliation, and when to give up.

A round starts with a reconciliation (requested here if there has never been one). The round requests a compaction if
there are uncompacted files, else runs for the differing days, a few per tick. When they have ended, successfully or
not, it requests the next reconciliation, which finds what is left; so a round need not know which of its runs failed.
That reconciliation is as deep as the one at the start of the round, because a shallow one cannot find, nor clear, a day
whose contents alone differ.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from govbr_assets.core.date_ranges import DateRange, cover, decode_days, encode_days, exact_ranges

TRIES = 3
"""Runs for a day, a compaction or a reconciliation before it is given up."""


@dataclass(frozen=True)
class ReconciliationSummary:
    """The result of a reconciliation, as far as the repair needs it.

    Attributes:
        number: storage id of its materialization.
        revision: of the Hub.
        uncompacted: number of data files that must be compacted before days can be repaired.
        deep: whether it compared contents too.
        days: differing days that a run can repair: closed, and not before the first partition.
        orphans: number of rows that a compaction removes by the approval that there is.
    """

    number: int
    revision: str
    uncompacted: int
    deep: bool = False
    days: frozenset[date] = frozenset()
    orphans: int = 0


@dataclass(frozen=True)
class WantedRun:
    """A run to be requested.

    Attributes:
        of: what to run.
        key: run key; Dagster never runs one twice, whatever the outcome.
        span: its days.
        deep: whether a reconciliation compares contents too.
        approved: how many removals are approved for a compaction.
    """

    of: Literal["days", "compaction", "reconciliation"]
    key: str
    span: DateRange | None = None
    deep: bool = False
    approved: int = 0


@dataclass(frozen=True)
class RepairState:
    """State of the repair, kept from tick to tick in the sensor's cursor.

    Attributes:
        number: of the last reconciliation processed; 0 if there was none.
        revision: of the Hub at that reconciliation.
        fold_due: whether the compaction is still to be requested.
        waiting: days still to be requested.
        begun: whether runs were requested, so that another reconciliation is due after them.
        deep: whether that one must be deep.
        asked: how often that one was requested.
        folds: number of compactions requested since there were last no uncompacted files.
        tries: number of runs requested for each day that still differed last time.
        given_up: days that still differed after all tries.
        deep_days: days found by the last deep reconciliation, which only another deep one can clear.
        repo: the repo that this state describes.
        approved: how many removals were approved when it was last looked at.
        removing: whether the compaction that is to be requested may remove rows.
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
    approved: int = 0
    removing: bool = False

    def of_repo(self, repo: str) -> "RepairState":
        """Return this state, or an empty one if it describes another repo."""
        return self if self.repo == repo else RepairState(repo=repo)

    def with_approval(self, approved: int) -> "RepairState":
        """Return the state with a number of approved removals: a greater one gives days that were given up new tries.

        The days that are still to be repaired are found by the reconciliation that is due then: runs have other keys
        after it.
        """
        if approved <= self.approved or not self.number:
            return replace(self, approved=approved)
        return replace(self, approved=approved, waiting=frozenset(), tries={}, given_up=frozenset(), begun=True)

    def with_reconciliation(self, found: ReconciliationSummary) -> tuple["RepairState", list[str]]:
        """Start a round with a reconciliation, in place of the current round.

        If a shallow reconciliation interrupts a deep round, the waiting days and the deep reconciliation remain due.

        Returns:
            The new state, and a message for everything that is given up now.
        """
        owed = self.deep and not found.deep and bool(self.fold_due or self.waiting or self.begun)
        deep, removing = found.deep or owed, found.orphans > 0
        new = replace(self, number=found.number, revision=found.revision, deep=deep, asked=0, removing=removing)
        if found.uncompacted:
            return new._with_uncompacted_files(found)
        left, messages = new._with_days(found, owed)
        return left._with_orphans(self.folds, found, messages) if removing else (left, messages)

    def _with_uncompacted_files(self, found: ReconciliationSummary) -> tuple["RepairState", list[str]]:
        """Start a round with a compaction."""
        spent = self.folds >= TRIES
        messages = [_COMPACTION_GIVEN_UP.format(found.uncompacted, TRIES)] if self.folds == TRIES else []
        folds = TRIES + 1 if spent else self.folds  # one above TRIES: the message was given
        return replace(self, fold_due=not spent, folds=folds, waiting=frozenset(), begun=False), messages

    def _with_orphans(
        self, folds: int, found: ReconciliationSummary, messages: list[str]
    ) -> tuple["RepairState", list[str]]:
        """Have a compaction remove rows beside what the round does with days; `folds` counts those before."""
        if folds < TRIES:
            return replace(self, fold_due=True, folds=folds), messages
        given_up = [_ORPHANS_GIVEN_UP.format(found.orphans, TRIES)] if folds == TRIES else []
        return replace(self, folds=TRIES + 1), messages + given_up

    def _with_days(self, found: ReconciliationSummary, owed: bool) -> tuple["RepairState", list[str]]:
        """Start a round with days; the deep reconciliation of the interrupted round may still be due (`owed`)."""
        deep_days = found.days if found.deep else self.deep_days
        tries = {day: number for day, number in self.tries.items() if day in found.days | deep_days}
        spent = frozenset(day for day in found.days if tries.get(day, 0) >= TRIES) | (self.given_up & deep_days)
        new = list(map(str, exact_ranges(spent - self.given_up)))
        messages = [_DAYS_GIVEN_UP.format(TRIES, ", ".join(new))] if new else []
        waiting = (found.days | (self.waiting & deep_days)) - spent
        begun = self.begun and owed
        left = replace(self, fold_due=False, folds=0, waiting=waiting, begun=begun)
        return replace(left, tries=tries, given_up=spent, deep_days=deep_days), messages

    def next_runs(self, runs: int) -> tuple[list[WantedRun], "RepairState"]:
        """Return the runs to request next; to be called when no requested run is active.

        Args:
            runs: maximum number of runs for days.

        Returns:
            The runs, and the state after requesting them.
        """
        if self.fold_due:
            key, approved = f"repair:fold:{self.number}:{self.revision}:{self.folds + 1}", self.approved
            request = WantedRun("compaction", key, approved=approved if self.removing else 0)
            return [request], replace(self, fold_due=False, folds=self.folds + 1, begun=True)
        if self.waiting:
            taken = cover(self.waiting)[:runs]
            days = frozenset(day for day in self.waiting if any(day in span for span in taken))
            tries = {**self.tries, **{day: self.tries.get(day, 0) + 1 for day in days}}
            requests = [_for_days(span, self.number, max(tries.get(day, 0) for day in span.days)) for span in taken]
            return requests, replace(self, waiting=self.waiting - days, tries=tries, begun=True)
        if (self.begun or not self.number) and self.asked < TRIES:
            deep = self.deep or not self.number  # the first one is deep
            first = f"{self.repo}:" if self.repo and not self.number else ""  # each repo has a first one
            key = f"repair:reconciliation:{first}{self.number}:{self.asked + 1}"
            left = replace(self, begun=True, deep=deep, asked=self.asked + 1)
            return [WantedRun("reconciliation", key, deep=deep)], left
        return [], self

    def cursor(self) -> str:
        """Return the state as a cursor."""
        days = {name: dict.fromkeys(vars(self)[name], 1) for name in _SETS} | {"tries": self.tries}
        return json.dumps({**vars(self), **{name: encode_days(values) for name, values in days.items()}})

    @classmethod
    def of(cls, cursor: str | None) -> "RepairState":
        """Parse a cursor; None gives the initial state."""
        values: dict[str, Any] = json.loads(cursor) if cursor else {}
        values |= {name: frozenset(decode_days(values.get(name, []))) for name in _SETS}
        values["tries"] = decode_days(values.get("tries", []))
        return cls(**values)


_SETS = ("waiting", "given_up", "deep_days")
_COMPACTION_GIVEN_UP = (
    "The repair waits: {} data files on the Hub are still not compacted after {} compactions. Look at the runs of"
    " weekly_consolidation, and run it again when the cause is fixed."
)
_ORPHANS_GIVEN_UP = (
    "The repair has given up on {} rows without a day that PostgreSQL has nowhere: they are on the Hub after {}"
    " compactions, though their removal is approved. Look at the runs of weekly_consolidation."
)
_DAYS_GIVEN_UP = (
    "The repair has given up after {} runs; the Hub still differs from PostgreSQL on: {}. Look at their runs of"
    " daily_sync, and materialize the days when the cause is fixed."
)


def _for_days(span: DateRange, number: int, attempt: int) -> WantedRun:
    return WantedRun("days", f"repair:{span}:{number}:{attempt}", span)
