"""`mend`: what a day of automation does, once, until the Hub equals PostgreSQL or nothing more can be done.

What to run is decided as the sensors decide it, in `decisions`; here is in which order, and when to stop.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.repair import RepairState
from govbr_assets.dataset.schema_version import outdated
from govbr_assets.defs.decisions.due import compaction_is_due, reconciliation_is_to_be_deep
from govbr_assets.defs.decisions.late_rows import look_for_late_rows, next_late_days, waits_for_compaction
from govbr_assets.defs.decisions.reduced import next_mirror
from govbr_assets.defs.decisions.repair import next_repairs, repairable
from govbr_assets.defs.decisions.requests import request
from govbr_assets.defs.in_process.assessment import assess_dataset, rejections, runs_after_compaction
from govbr_assets.defs.in_process.context import MendContext
from govbr_assets.defs.in_process.late_state import LateRowsState
from govbr_assets.defs.in_process.new_repos import NewRepos
from govbr_assets.defs.in_process.options import MendOptions
from govbr_assets.defs.in_process.refusals import check_reduced, refusals
from govbr_assets.defs.in_process.remaining import removals_left
from govbr_assets.defs.in_process.report import REDUCED_DATASET, Left, MendReport
from govbr_assets.defs.in_process.runs import BY, MendRuns
from govbr_assets.defs.in_process.state import MendState
from govbr_assets.defs.metadata.events import NO_REPO
from govbr_assets.defs.metadata.reconciliation import ReconciliationRecord, last_reconciliation
from govbr_assets.errors import GovbrAssetsError
from govbr_assets.operations.assess import others

_RECONCILIATION = "reconciliation"


def mend(context: MendContext, options: MendOptions) -> MendReport:
    """Make the Hub equal to PostgreSQL.

    Args:
        context: what it works with.
        options: what may be done.

    Returns:
        What it has come to, also if it was interrupted or could not go on.

    Raises:
        ConfigurationError: a setting is missing or malformed.
    """
    client, dry_run = context.hub.dataset().client, options.dry_run or context.hub.is_dry_run
    report, state = MendReport(client.repo_id, dry_run), MendState(dry_run=dry_run)
    try:
        report.before = report.after = client.head().revision or ""
        runs = MendRuns(context, replace(options, dry_run=dry_run), report, state)
        with context.hub.dataset().planned.counted():
            _Mending(runs).do()
    except KeyboardInterrupt:
        report.interrupted = True
    except GovbrAssetsError as error:
        report.problem = str(error)
    report.left += state.left()
    with suppress(GovbrAssetsError):
        report.after = client.head().revision or ""
    return report


class _Mending:
    """The steps of it, in their order.

    Args:
        runs: executes them.
    """

    def __init__(self, runs: MendRuns) -> None:
        self._runs, self._context, self._report, self._state = runs, runs.context, runs.report, runs.state
        self._refused: list[Left] = []  # repos that the token may not write to
        self._postponed = False  # a dry run has days that only a compaction makes ready

    def do(self) -> None:
        """Go through the steps."""
        now, instance, repo_id = datetime.now(UTC), self._context.instance, self._report.repo
        self._refused = refusals(self._context.hub, self._context.watch)
        new = NewRepos(self._context.hub)
        self._runs.present = new.present
        self._runs.refusal = next((each.why for each in self._refused if each.what == repo_id), "")
        kept = LateRowsState(instance, repo_id)
        first = kept.is_new
        self._publish_late_rows(kept)
        if compaction_is_due(self._context.hub.dataset(), now) and self._runs.allowed:
            self._runs.publish(request("weekly_consolidation", BY, BY))
        deep = first or reconciliation_is_to_be_deep(instance, self._context.hub.dataset(), now)
        if self._runs.reconcile(deep=deep):
            days = repairable(self._state.differing)
            self._report.differed = [row for row in self._state.differing.to_pylist() if row["day"] in days]
            self._assess()
            self._repair()
            self._tell_of_days_after_compaction()
            self._mirror()
            self._count_removals()
            self._look_at_columns()
        if self._runs.commits and self._report.dry_run:
            self._report.left[:0] = self._refused
        self._report.notes += new.would_be_created() if self._runs.commits else new.were_created()

    def _assess(self) -> None:
        """Tell in a dry run what becomes of files that are to be compacted, or of others where no dataset is yet."""
        head = self._context.hub.dataset().client.last_head()
        beside = bool(head and not head.data_files and others(head))
        if self._report.dry_run and (beside or self._last().uncompacted_files):
            self._report.assessment = found = assess_dataset(self._context)
            self._report.left += rejections(found, self._context, self._runs.options)

    def _publish_late_rows(self, kept: LateRowsState) -> None:
        """Publish the closed days that have changed since the last time; the first time a deep reconciliation does."""
        whole = True
        if waits_for_compaction(self._context.instance, self._report.repo):
            return
        late = look_for_late_rows(kept.read(), self._context.postgres.client())
        self._report.notes += [late.note] if late.note else []
        if kept.is_new:
            late = replace(late, waiting={})
        while late.waiting and self._runs.allowed:
            waiting, decision = late.waiting.keys(), next_late_days(late, self._context.hub, 1, BY)
            if decision.blocked:
                self._state.block(decision.blocked, waiting)
                break
            late = decision.state
            whole &= self._runs.publish(decision.requests[0], waiting, late=True).success
        if whole and not self._report.dry_run:  # else the next time finds the same rows again
            kept.write(late)

    def _repair(self) -> None:
        """Compact what has to be, and publish the days that differ, until none does or nothing helps."""
        repair, state = RepairState(repo=self._report.repo), self._state
        while True:
            decision = next_repairs(
                *(repair, self._context.instance, self._context.hub, lambda: state.to_repair, 1, BY),
                approved=self._runs.options.allow_removals,
            )
            repair = decision.state
            self._report.notes += decision.given_up
            if decision.blocked:
                state.block(decision.blocked, repairable(state.unpublished))
            wanted = next(iter(decision.requests), None)
            if wanted and wanted.job_name != _RECONCILIATION and self._runs.allowed:
                self._runs.publish(wanted, repairable(state.differing))
                continue
            if not (wanted and self._has_moved() and self._runs.reconcile(deep=repair.deep)):
                return
            if state.hopeless or wanted.job_name != _RECONCILIATION:
                return

    def _tell_of_days_after_compaction(self) -> None:
        """List in a dry run the runs of days that come when files are compacted: until then they cannot be planned."""
        found = self._report.assessment
        if found and not found.problem and self._last().uncompacted_files:
            for run in runs_after_compaction(self._state.differing):
                if self._runs.allowed:
                    self._postponed = True
                    self._state.postpone(DateRange.of(run.days))
                    self._runs.published += 1
                    self._report.runs.append(run)

    def _mirror(self) -> None:
        """Let the reduced dataset follow if it has not; in a dry run nothing is there yet that it would follow."""
        if not self._context.hub.has_reduced:
            return
        try:
            if self._report.dry_run and (self._runs.commits or self._postponed):
                if all(each.what == self._report.repo for each in self._refused):
                    replaced = check_reduced(self._context.hub, repairable(self._state.differing))
                    self._report.notes += [replaced] if replaced else []
                return
            decision = next_mirror(self._context.instance, self._context.hub, BY)
        except GovbrAssetsError as error:
            self._report.left.append(Left(REDUCED_DATASET, str(error)))
            return
        if decision.why_not and self._runs.published:  # it has followed within these runs
            self._report.notes.append(decision.why_not)
        for each in decision.requests:
            if self._runs.allowed:
                self._runs.publish(each)
            else:
                self._report.left.append(Left(REDUCED_DATASET, "it does not mirror the newest revision"))

    def _count_removals(self) -> None:
        """Say which rows that PostgreSQL has nowhere are left, as their number is not approved."""
        last, hub = self._last(), self._context.hub
        if not self._report.assessment:
            approved = self._runs.options.allow_removals or hub.approved_removals
            how = {"guarded": self._state.guarded, "dry_run": self._report.dry_run}
            found = list(removals_left(last, self._state.differing, hub, approved, **how))
            self._report.left += found
            self._state.told_together = bool(found)

    def _look_at_columns(self) -> None:
        """Say that columns are declared which the dataset does not have yet: until then no day is published."""
        dataset = self._context.hub.dataset()
        if lacking := outdated(dataset, dataset.client.head()):
            self._report.left.append(Left("the dataset", lacking))

    def _has_moved(self) -> bool:
        """Return whether the Hub has another revision than the last reconciliation has looked at."""
        head = self._context.hub.dataset().client.head().revision or NO_REPO
        return not self._report.dry_run and head != self._last().revision

    def _last(self) -> ReconciliationRecord:
        """Read what the last reconciliation of the full dataset has recorded."""
        return last_reconciliation(self._context.instance, self._report.repo)
