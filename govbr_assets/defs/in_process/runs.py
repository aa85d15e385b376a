"""The runs of `mend`: each is executed with what was chosen, counted, reported and added up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from dagster import RunRequest

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.defs.decisions.requests import days_of, request
from govbr_assets.defs.in_process.heard import Heard
from govbr_assets.defs.in_process.options import MendOptions
from govbr_assets.defs.in_process.report import MendReport, RunReport
from govbr_assets.defs.in_process.tally import Tally
from govbr_assets.defs.in_process.words import outcome
from govbr_assets.defs.in_process.workplace import Workplace

BY = "govbr-assets mend"
"""Who has requested the runs, as their tag says."""


@dataclass
class MendRuns:
    """Executes the runs.

    Attributes:
        at: where, and with what.
        options: what was chosen.
        report: each run is added to it.
        tally: likewise.
        published: how many runs have published, or would have.
    """

    at: Workplace
    options: MendOptions
    report: MendReport
    tally: Tally
    published: int = 0

    @property
    def allowed(self) -> bool:
        """Whether another run may publish."""
        return self.options.max_runs is None or self.published < self.options.max_runs

    def publish(self, wanted: RunRequest, days: Collection[date] = ()) -> Heard:
        """Execute a run that publishes.

        Args:
            wanted: the run.
            days: for which it is wanted, among others.

        Raises:
            KeyboardInterrupt: a signal has come meanwhile.
        """
        self.published += 1
        heard = self._execute(wanted)
        if span := days_of(wanted):
            covered = DateRange.of(span)
            self.tally.add_days(heard, [day for day in days if day in covered])
        else:
            self.tally.add(wanted.job_name or "", heard)
        self._check_interrupted()
        return heard

    def look(self, *, deep: bool) -> bool:
        """Compare both sides anew; return whether it could be done.

        Args:
            deep: compare contents, too.

        Raises:
            KeyboardInterrupt: a signal has come meanwhile.
        """
        heard = self._execute(request("reconciliation", BY, BY, deep=deep))
        self._check_interrupted()
        if heard.success:
            self.tally.look(heard, self.at.load())
        else:
            self.report.problem = heard.problem
        return heard.success

    def _execute(self, wanted: RunRequest) -> Heard:
        """Execute a run and report it."""
        job = wanted.job_name or ""
        heard = self.at.execute(wanted, self.options.config)
        report = RunReport(job, days_of(wanted), heard.run_id, heard.success, outcome(job, heard), heard.problem)
        self.report.runs.append(report)
        return heard

    def _check_interrupted(self) -> None:
        """Dagster has ended the run by itself; here all ends with it."""
        if self.at.interrupted():
            raise KeyboardInterrupt
