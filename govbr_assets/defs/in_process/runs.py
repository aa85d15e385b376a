"""The runs of `mend`: each is executed with what was chosen, counted, reported and added up."""

import gc
from collections.abc import Collection, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import date

from dagster import RunRequest

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.defs.decisions.requests import days_of, request
from govbr_assets.defs.in_process.bootstrap import temporary_instance
from govbr_assets.defs.in_process.context import MendContext
from govbr_assets.defs.in_process.description import describe
from govbr_assets.defs.in_process.execute import execute
from govbr_assets.defs.in_process.options import MendOptions
from govbr_assets.defs.in_process.report import MendReport, RunReport
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.defs.in_process.state import MendState
from govbr_assets.defs.metadata.reconciliation import last_deep_reconciliation
from govbr_assets.errors import GovbrAssetsError, HubDeniedError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.io import memory

BY = "govbr-assets mend"
"""Who has requested the runs, as their tag says."""


@dataclass
class MendRuns:
    """Executes the runs.

    Attributes:
        context: what they are executed with.
        options: what was chosen.
        report: each run is added to it.
        state: likewise.
        published: how many runs have published, or would have.
        commits: how many commits they would make, in a dry run.
        present: the repos that were on the Hub when this began.
        refusal: why the token may not write to the full dataset; empty if it may.
    """

    context: MendContext
    options: MendOptions
    report: MendReport
    state: MendState
    published: int = 0
    commits: int = 0
    refusal: str = ""
    present: Sequence[RepoClient] = ()

    @property
    def allowed(self) -> bool:
        """Whether another run may publish."""
        return self.options.max_runs is None or self.published < self.options.max_runs

    def publish(self, wanted: RunRequest, days: Collection[date] = (), *, late: bool = False) -> RunResult:
        """Execute a run that publishes.

        Args:
            wanted: the run.
            days: for which it is wanted, among others.
            late: because of late rows.

        Raises:
            HubDeniedError: the token may not write to the full dataset, and this is no dry run.
            KeyboardInterrupt: a signal has come meanwhile.
        """
        if self.refusal and not self.options.dry_run:
            raise HubDeniedError(self.refusal)
        self._check_repos()
        self.published += 1
        result = self._execute(wanted, recorded=not self.options.dry_run)
        self.commits += result.commits if self.options.dry_run else 0
        if span := days_of(wanted):
            add = self.state.add_late_run if late else self.state.add_run_of_days
            add(result, DateRange.of(span), days)
        else:
            self.state.add_run(wanted.job_name or "", result)
        self._check_interrupted()
        return result

    def _check_repos(self) -> None:
        """Check that no repo is gone that was there before: a run would create it anew, without its history.

        Raises:
            HubDeniedError: one is.
        """
        for client in self.present:
            gone = False
            with suppress(GovbrAssetsError):  # whoever uses it tells
                gone = client.head_revision() is None
            if gone:
                raise HubDeniedError(
                    f"{client.repo_id} was on the Hub when this began, and is gone: somebody has deleted or renamed it,"
                    " or the token may not see it any more. Nothing is created in its place; look at it, and run mend"
                    " again."
                )

    def reconcile(self, *, deep: bool) -> bool:
        """Compare both sides anew; return whether it could be done.

        Args:
            deep: compare contents, too.

        Raises:
            KeyboardInterrupt: a signal has come meanwhile.
        """
        result = self._execute(request("reconciliation", BY, BY, deep=deep), recorded=True)
        self._check_interrupted()
        self.report.problem = result.problem if not result.success else ""
        if result.success:
            table, recorded = self.context.load(), result.metadata["hub_reconciliation"]
            self.state.add_reconciliation(result, table)
            last = last_deep_reconciliation(self.context.instance, self.report.repo)
            self.report.compared_at = last[0] if last and not deep else None
            if table.num_rows != recorded["differing_days"]:
                self.report.problem = (
                    "somebody else has replaced the table of the reconciliation meanwhile: let one run at a time"
                    " reconcile a dataset, and run mend again."
                )
        return not self.report.problem

    def _execute(self, wanted: RunRequest, *, recorded: bool) -> RunResult:
        """Execute a run and report it; one that publishes nothing would be recorded as a failure of published days."""
        job, days, watch = wanted.job_name or "", days_of(wanted), self.context.watch
        watch.begin(f"{job} {days}".strip())
        result = RunResult(watch.say)
        with nullcontext(self.context.instance) if recorded else temporary_instance() as instance:
            execute(self.context.job(job), wanted, instance, result, self.options.config)
        gc.collect()  # what a run leaves behind refers to itself, and can hold tables
        memory.trim_heap()
        done = describe(job, result)
        run_id = result.run_id if recorded else ""
        run = RunReport(job, days, run_id, result.success, done, result.problem)
        watch.end(run.outcome)
        self.report.runs.append(run)
        return result

    def _check_interrupted(self) -> None:
        """Dagster has ended the run by itself; here all ends with it."""
        if self.context.interrupted():
            raise KeyboardInterrupt
