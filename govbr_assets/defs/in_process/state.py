"""What is known while `mend` works: what differs, which runs have failed and why; and so what is left in the end."""

from collections.abc import Collection, Iterator
from datetime import date

import pyarrow as pa

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.day_counts import DAYS_SCHEMA
from govbr_assets.defs.decisions.repair import repairable
from govbr_assets.defs.in_process.remaining import before_first_day, beside_days, days_left
from govbr_assets.defs.in_process.report import Left
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.operations.sync.guard import without_remedy

_JUDGED = "hub_matches_postgres"
"""The check of each reconciliation; what it says of days, `days_left` says of the last one alone."""


class MendState:
    """Adds up runs of days, other runs, and reconciliations.

    Args:
        dry_run: runs publish nothing.

    Attributes:
        differing: days that differ by the last reconciliation, [n days x 8]; none before the first one.
        told_together: how many removals to approve is told for all days together, and not for each.
    """

    def __init__(self, *, dry_run: bool) -> None:
        self.differing, self._dry_run = DAYS_SCHEMA.empty_table(), dry_run
        self._reconciliation: RunResult | None = None
        self._reasons = dict[date, str]()
        self._tried, self._done = set[date](), set[date]()
        self._late, self.told_together = set[date](), False
        self._problems, self._failed_checks = dict[str, str](), dict[tuple[str, str], bool]()

    @property
    def hopeless(self) -> bool:
        """Whether all days that differ were rejected by their last runs, so that others would reject them again."""
        days = repairable(self.differing)
        return bool(days) and days <= self._reasons.keys()

    @property
    def guarded(self) -> bool:
        """Whether the guard has retained rows of days that are left."""
        return any(without_remedy(reason) != reason for reason in self._reasons.values())

    @property
    def to_repair(self) -> pa.Table:
        """Those of `unpublished` that no run has rejected since the last compaction, [n days x 8]."""
        return pa.Table.from_pylist(
            [row for row in self.unpublished.to_pylist() if row["day"] not in self._late], DAYS_SCHEMA
        )

    @property
    def unpublished(self) -> pa.Table:
        """The days of `differing` that were not published since, [n days x 8]; in a dry run, would not have been."""
        return pa.Table.from_pylist(
            [row for row in self.differing.to_pylist() if row["day"] not in self._done], DAYS_SCHEMA
        )

    def add_reconciliation(self, result: RunResult, differing: pa.Table) -> None:
        """Take a reconciliation and its table, in place of the one before."""
        self._reconciliation, self.differing = result, differing
        self._done = self._done if self._dry_run else set()

    def add_late_run(self, result: RunResult, span: DateRange, wanted: Collection[date]) -> None:
        """Take a run of late rows: what it has rejected, but by the guard, is rejected until a compaction."""
        self.add_run_of_days(result, span, wanted)
        if not result.tried_again:
            reasons = {day: self._reasons.get(day, "") for day in span.days}
            self._late |= {day for day, reason in reasons.items() if reason and reason == without_remedy(reason)}

    def add_run_of_days(self, result: RunResult, span: DateRange, wanted: Collection[date]) -> None:
        """Take a run of days, and the days for which it was wanted, among others that it does not cover."""
        wanted = {*wanted}
        for day in span.days:
            reason = result.rejected.get(f"{day}", "" if result.rejected or result.success else result.problem)
            if not reason:
                self._reasons.pop(day, None)
            elif day in wanted or (self._dry_run and result.rejected):
                self._reasons[day] = reason
            if not reason or self._dry_run:  # which would come to the same once more
                self._done.add(day)
            if day in wanted:
                self._tried.add(day)
        self._add_checks(result)

    def block(self, reason: str, days: Collection[date]) -> None:
        """Take a reason for which no run of these days was begun."""
        self._reasons |= dict.fromkeys(days, reason)

    def postpone(self, span: DateRange) -> None:
        """Forget why days were rejected: a compaction comes first, and then they are published."""
        for day in span.days:
            self._reasons.pop(day, None)

    def add_run(self, job: str, result: RunResult) -> None:
        """Take a run of no day."""
        self._problems.pop(job, None)
        self._late.clear()
        if not result.success:
            self._problems[job] = result.problem
        self._add_checks(result)

    def left(self) -> Iterator[Left]:
        """List what is not as it should be, but for what was published since the last reconciliation."""
        for job, problem in self._problems.items():
            yield Left(job, without_remedy(problem) if self.told_together else problem)
        unpublished = before_first_day(self.differing) if self._dry_run else self.unpublished
        reasons = self._reasons
        if self.told_together:
            reasons = {day: without_remedy(reason) for day, reason in reasons.items()}
        yield from days_left(unpublished, reasons, self._tried)
        if self._reconciliation:
            yield from beside_days(self._reconciliation, dry_run=self._dry_run)
        for name, day in sorted(key for key, failed in self._failed_checks.items() if failed):
            yield Left(day or "the dataset", f"the check {name} has failed: look at its run")

    def _add_checks(self, result: RunResult) -> None:
        """Take what checks have come to, in place of what they came to before."""
        for key, failed in result.checks.items():
            if key[0] != _JUDGED:
                self._failed_checks[key] = failed
