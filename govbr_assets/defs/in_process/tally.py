"""What is known while `mend` works: what differs, which runs have failed and why; and so what is left in the end."""

from collections.abc import Collection, Iterator
from datetime import date

import pyarrow as pa

from govbr_assets.core.day_counts import DAYS_SCHEMA
from govbr_assets.defs.decisions.repair import repairable
from govbr_assets.defs.in_process.heard import Heard
from govbr_assets.defs.in_process.remaining import beside_days, days_left
from govbr_assets.defs.in_process.report import Left

_JUDGED = "hub_matches_postgres"
"""The check of each reconciliation; what it says of days, `days_left` says of the last one alone."""


class Tally:
    """Adds up runs and looks.

    Args:
        dry_run: runs publish nothing.

    Attributes:
        found: days that differ by the last reconciliation, [n days x 8]; none before the first one.
    """

    def __init__(self, *, dry_run: bool) -> None:
        self.found, self._dry_run = DAYS_SCHEMA.empty_table(), dry_run
        self._looked: Heard | None = None
        self._reasons = dict[date, str]()
        self._tried, self._done = set[date](), set[date]()
        self._problems, self._failed_checks = dict[str, str](), dict[tuple[str, str], bool]()

    @property
    def hopeless(self) -> bool:
        """Whether all days that differ were refused by their last runs, so that others would refuse them again."""
        days = repairable(self.found)
        return bool(days) and days <= self._reasons.keys()

    @property
    def unpublished(self) -> pa.Table:
        """The days of `found` that were not published since, [n days x 8]; in a dry run, would not have been."""
        return pa.Table.from_pylist(
            [row for row in self.found.to_pylist() if row["day"] not in self._done], DAYS_SCHEMA
        )

    def look(self, heard: Heard, found: pa.Table) -> None:
        """Take a reconciliation and its table, in place of the one before."""
        self._looked, self.found = heard, found
        self._done = self._done if self._dry_run else set()

    def add_days(self, heard: Heard, days: Collection[date]) -> None:
        """Take a run of days, and those of its days for which it was wanted."""
        self._tried |= {*days}
        for day in days:
            reason = heard.rejected.get(f"{day}", "" if heard.rejected or heard.success else heard.problem)
            if reason:
                self._reasons[day] = reason
            else:
                self._reasons.pop(day, None)
                self._done.add(day)
        self._add_checks(heard)

    def block(self, reason: str, days: Collection[date]) -> None:
        """Take a reason for which no run of these days was begun."""
        self._reasons |= dict.fromkeys(days, reason)

    def add(self, job: str, heard: Heard) -> None:
        """Take a run of no day."""
        self._problems.pop(job, None)
        if not heard.success:
            self._problems[job] = heard.problem
        self._add_checks(heard)

    def left(self) -> Iterator[Left]:
        """List what is not as it should be, but for what was published since the last look."""
        for job, problem in self._problems.items():
            yield Left(job, problem)
        differing = DAYS_SCHEMA.empty_table() if self._dry_run else self.unpublished
        yield from days_left(differing, self._reasons, self._tried)
        if self._looked and not self._dry_run:
            yield from beside_days(self._looked)
        for name, day in sorted(key for key, failed in self._failed_checks.items() if failed):
            yield Left(day or "the dataset", f"the check {name} has failed: look at its run")

    def _add_checks(self, heard: Heard) -> None:
        """Take what checks have come to, in place of what they came to before."""
        for key, failed in heard.checks.items():
            if key[0] != _JUDGED:
                self._failed_checks[key] = failed
