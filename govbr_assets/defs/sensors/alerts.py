"""`alert_sensor`: one message for every failed run, for a sensor that fails, and when the newest news is not published.

Also ends the runs whose process is gone, which nobody else does.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from dagster import (
    AssetCheckEvaluation,
    AssetsDefinition,
    DagsterEventType,
    DagsterInstance,
    RunStatusChangeRecordsFilter,
    SensorEvaluationContext,
    SensorResult,
)

from govbr_assets.alerts.message import Alert, day_missing, overdue_alert
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.assets.reconciliation import hub_reconciliation
from govbr_assets.defs.newest_day import NewestDay, newest_day
from govbr_assets.defs.resources import AlertResource, HubResource, PostgresResource
from govbr_assets.defs.sensors.failed_runs import is_of_this_project, run_alert
from govbr_assets.defs.sensors.failed_ticks import tick_alerts
from govbr_assets.defs.sensors.instigators import running_instigators
from govbr_assets.defs.sensors.silent_runs import end, silent_runs
from govbr_assets.errors import AlertRefusedError, GovbrAssetsError
from govbr_assets.io.deadline import Deadline

_NAME = "alert_sensor"
_A_TICK = 20  # failed runs that are looked at in a tick
_ASKING: Deadline[NewestDay] = Deadline(3)  # seconds for PostgreSQL; alerts go out without it


@dataclass
class _Seen:
    """What the cursor holds.

    Attributes:
        failure: number of the last failed run that was looked at.
        since: when the watch began.
        failing: sensors and schedules that were told to fail, and since which of their ticks.
        fresh: whether the newest day was there at the last look.
        missing: the first day that was not, since one was.
    """

    failure: int
    since: str
    failing: dict[str, int] = field(default_factory=dict)
    fresh: bool | None = None
    missing: str = ""

    @classmethod
    def of(cls, cursor: str | None, instance: DagsterInstance) -> "_Seen":
        """Read the cursor; without one the watch begins now."""
        if cursor:
            return cls(**json.loads(cursor))
        return cls(_last_failure(instance), datetime.now(UTC).isoformat())


def alert_sensor(
    context: SensorEvaluationContext, alerts: AlertResource, postgres: PostgresResource, hub: HubResource
) -> SensorResult:
    """Sends one JSON message to GOVBR_ALERT_URL for each failed run, and when nothing is published for too long.

    Not a `run_failure_sensor`: that one goes on to the next run when a message could not be sent, and repeats one
    after a crash. Failures from before the sensor's first tick are passed over. Before all that it ends the runs whose
    process is gone, so that it tells of them; and it keeps the check `newest_day_is_published` up to date.
    """
    instance, outbox = context.instance, alerts.client()
    watched = running_instigators(context)
    now = datetime.now(UTC)
    gone = silent_runs(instance, watched.pop(_NAME, None), now)
    end(instance, [each for each in gone if is_of_this_project(context, each.dagster_run)], now)
    seen = _Seen.of(context.cursor, instance)
    newest = _newest(instance, postgres, hub)
    changed = newest is not None and newest.published != seen.fresh
    events = [_verdict(newest)] if newest and changed else []
    seen.fresh = newest.published if newest else seen.fresh
    if outbox is None:
        seen.failure, seen.since = _last_failure(instance), now.isoformat()
        why, cursor = "GOVBR_ALERT_URL is not set: no alert is sent.", json.dumps(asdict(seen))
        return SensorResult(skip_reason=why, cursor=cursor, asset_events=events)
    for alert in (
        *_failures(context, seen, alerts.link),
        *tick_alerts(instance, watched, seen.failing, datetime.fromisoformat(seen.since).timestamp()),
        *_lapses(instance),
        *_missing(newest, seen),
    ):
        outbox.enqueue(alert)
    cursor = json.dumps(asdict(seen))
    try:
        told = f"{outbox.deliver()} alerts were sent."
    except AlertRefusedError as error:
        if cursor == context.cursor:
            raise
        told = str(error)  # a tick that fails would forget what it has seen; the next one fails, if need be
    return SensorResult(skip_reason=told, cursor=cursor, asset_events=events)


def _last_failure(instance: DagsterInstance) -> int:
    """Number the last failure of a run; 0 if there was none."""
    last = instance.fetch_run_status_changes(DagsterEventType.RUN_FAILURE, limit=1).records
    return last[0].storage_id if last else 0


def _failures(context: SensorEvaluationContext, seen: _Seen, link: Callable[[str], str]) -> Iterator[Alert]:
    """Tell of the runs that failed since the last look, some of them at a time."""
    after = RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=seen.failure)
    for record in context.instance.fetch_run_status_changes(after, limit=_A_TICK, ascending=True).records:
        run = context.instance.get_run_by_id(record.run_id)
        if run and is_of_this_project(context, run):
            yield run_alert(context.instance, run, link(run.run_id))
        seen.failure = record.storage_id


def _lapses(instance: DagsterInstance) -> Iterator[Alert]:
    """Find the assets that were not materialized for longer than their freshness policy allows, as the UI does."""
    now = datetime.now(UTC)
    assets: list[AssetsDefinition] = [consolidated_dataset, hub_reconciliation]
    for spec in (spec for each in assets for spec in each.specs):
        event = instance.get_latest_materialization_event(spec.key)
        if event and spec.freshness_policy:
            last = datetime.fromtimestamp(event.timestamp, UTC)
            window = spec.freshness_policy.fail_window.to_timedelta()  # pyright: ignore[reportAttributeAccessIssue]
            if alert := overdue_alert(spec.key.path[-1], last, now, window):
                yield alert


def _newest(instance: DagsterInstance, postgres: PostgresResource, hub: HubResource) -> NewestDay | None:
    """Find the newest day that should be there; None if PostgreSQL does not answer, which others tell."""
    now = datetime.now(UTC)
    try:
        return _ASKING.run(lambda: newest_day(instance, postgres.client(), hub.client().repo_id, now))
    except (GovbrAssetsError, TimeoutError):
        return None


def _missing(newest: NewestDay | None, seen: _Seen) -> Iterator[Alert]:
    """Tell that the newest day is not there, once until one is."""
    if newest and newest.published:
        seen.missing = ""
    elif newest and newest.day:
        seen.missing = seen.missing or newest.day.isoformat()
        yield day_missing(hf_parquet_shard.key.path[-1], seen.missing)


def _verdict(newest: NewestDay) -> AssetCheckEvaluation:
    """Tell it to the UI, too."""
    return AssetCheckEvaluation(
        asset_key=hf_parquet_shard.key,
        check_name="newest_day_is_published",
        passed=newest.published,
        metadata={"day": f"{newest.day or 'none'}"},
        description=str(newest),
    )
