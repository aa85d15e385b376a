"""`repair_sensor`: days on which the Hub differs from PostgreSQL, until it does not."""

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dagster import AssetObservation, SensorEvaluationContext, SensorResult, SkipReason

from govbr_assets.alerts.message import Alert
from govbr_assets.core.days import Day
from govbr_assets.core.repair import ReconciliationSummary, RepairState
from govbr_assets.defs.metadata.reconciliation import RECONCILIATION, ReconciliationRecord, last_reconciliation
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.resources import AlertResource, HubResource
from govbr_assets.defs.sensors.run_requests import MAX_CONCURRENT_RUNS, active_runs, blocked, request

_NAME = "repair_sensor"
_JOBS = {"days": "daily_sync", "compaction": "weekly_consolidation", "reconciliation": "reconciliation"}


def repair_sensor(
    context: SensorEvaluationContext, alerts: AlertResource, hub: HubResource
) -> SensorResult | SkipReason:
    """Publishes the days again on which the last reconciliation found a difference, and then has it made anew.

    Where there was none, it has the first one made, a deep one: switched on, it needs nobody to begin.
    Uncompacted files are compacted first. A day, and the compaction, is given up after three runs, with one alert; a
    day is tried again when a reconciliation has found it equal in between, and when more removals are approved. For
    another repo all begins anew. Days wait for a migration as long as they would be rejected without.
    """
    if busy := active_runs(context.instance, _NAME):
        return SkipReason(f"{busy} runs of the repair are under way.")
    repo_id, given_up = hub.dataset().client.repo_id, []
    repair = RepairState.of(context.cursor).of_repo(repo_id).with_approval(hub.approved_removals)
    last = last_reconciliation(context.instance)
    if last.repo == repo_id and last.number != repair.number:
        repair, given_up = repair.with_reconciliation(_found(context, last))
    if given_up and (outbox := alerts.client()):
        asset, words = RECONCILIATION.path[-1], " ".join(given_up)
        outbox.enqueue(Alert(f"repair-{repair.number}", "The repair needs somebody.", asset, error=words))
    wanted, later = repair.next_runs(MAX_CONCURRENT_RUNS)
    reason = blocked(hub, alerts) if any(each.of == "days" for each in wanted) else ""
    wanted, repair = ([], repair) if reason else (wanted, later)
    nothing = reason or "There is nothing to repair since the last reconciliation."
    return SensorResult(
        run_requests=[request(_JOBS[each.of], each.key, _NAME, each.span, deep=each.deep) for each in wanted],
        skip_reason=None if wanted else nothing,
        asset_events=[AssetObservation(RECONCILIATION, description=text) for text in given_up],
        cursor=repair.cursor(),
    )


def _found(context: SensorEvaluationContext, last: ReconciliationRecord) -> ReconciliationSummary:
    """Read the days of a reconciliation that a run can repair: none before a compaction."""
    files, today = last.uncompacted_files, Day.at(datetime.now(UTC)).date
    days = frozenset() if files else _repairable(_table(context), today)
    return ReconciliationSummary(last.number, last.revision, files, last.deep, days)


def _table(context: SensorEvaluationContext) -> pa.Table:
    """Load the reconciliation's table from where its IO manager keeps it."""
    repository: Any = context.repository_def
    return repository.load_asset_value(RECONCILIATION, instance=context.instance)


def _repairable(table: pa.Table, today: date) -> frozenset[date]:
    """Leave out what no run can repair: days that are not over, and days before the first partition."""
    days = table["day"]
    closed = pc.and_(pc.less(days, pa.scalar(today)), pc.greater_equal(days, pa.scalar(FIRST_DAY)))
    return frozenset(days.filter(closed).to_pylist())
