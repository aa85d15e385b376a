"""`alert_sensor`: one message for every failed run, for a sensor that fails, and when the newest news is not published.

Also ends the runs whose process is gone, which nobody else does.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from dagster import (
    DagsterEventType,
    DagsterInstance,
    RunStatusChangeRecordsFilter,
    SensorEvaluationContext,
    SensorResult,
)

from govbr_assets.alerts.message import Alert
from govbr_assets.alerts.outbox import AlertOutbox
from govbr_assets.defs.newest_day import NewestDay, newest_day
from govbr_assets.defs.resources import AlertResource, HubResource, PostgresResource
from govbr_assets.defs.sensors.alert_cursor import AlertCursor
from govbr_assets.defs.sensors.failed_runs import is_of_this_project, run_alert
from govbr_assets.defs.sensors.failed_ticks import tick_alerts
from govbr_assets.defs.sensors.instigators import running_instigators
from govbr_assets.defs.sensors.overdue import missing_day, newest_day_events, overdue_assets
from govbr_assets.defs.sensors.silent_runs import end, silent_runs
from govbr_assets.errors import AlertRefusedError, GovbrAssetsError
from govbr_assets.io.deadline import Deadline

_NAME = "alert_sensor"
_A_TICK = 20  # failed runs that are looked at in a tick
_ASKING: Deadline[NewestDay] = Deadline(3)  # seconds for PostgreSQL; alerts go out without it


def alert_sensor(
    context: SensorEvaluationContext, alerts: AlertResource, postgres: PostgresResource, hub: HubResource
) -> SensorResult:
    """Sends one JSON message to GOVBR_ALERT_URL for each failed run, and when nothing is published for too long.

    Not a `run_failure_sensor`: that one goes on to the next run when a message could not be sent, and repeats one
    after a crash. Failures from before the sensor's first tick are passed over. Before all that it ends the runs whose
    process is gone, so that it reports them; and it keeps the check `newest_day_is_published` up to date.
    """
    instance, outbox, now = context.instance, alerts.client(), datetime.now(UTC)
    watched = running_instigators(context)
    gone = silent_runs(instance, watched.pop(_NAME, None), now)
    end(instance, [each for each in gone if is_of_this_project(context, each.dagster_run)], now)
    cursor = AlertCursor.of(context.cursor, instance, now)
    newest = _newest(instance, postgres, hub, now)
    events = newest_day_events(newest, cursor)
    if outbox is None:
        cursor.restart(instance, now)
        reason = "GOVBR_ALERT_URL is not set: no alert is sent."
        return SensorResult(skip_reason=reason, cursor=cursor.dump(), asset_events=events)
    for alert in (
        *_failures(context, cursor, alerts.link),
        *tick_alerts(instance, watched, cursor.failing, cursor.began_at),
        *overdue_assets(instance, now, reduced=hub.has_reduced),
        *missing_day(newest, cursor),
    ):
        outbox.enqueue(alert)
    reason = _deliver(outbox, fails=cursor.dump() == context.cursor)
    return SensorResult(skip_reason=reason, cursor=cursor.dump(), asset_events=events)


def _failures(context: SensorEvaluationContext, cursor: AlertCursor, link: Callable[[str], str]) -> Iterator[Alert]:
    """Report the runs that failed since the last look, some of them at a time."""
    after = RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=cursor.failure)
    for record in context.instance.fetch_run_status_changes(after, limit=_A_TICK, ascending=True).records:
        run = context.instance.get_run_by_id(record.run_id)
        if run and is_of_this_project(context, run):
            yield run_alert(context.instance, run, link(run.run_id))
        cursor.failure = record.storage_id


def _newest(instance: DagsterInstance, postgres: PostgresResource, hub: HubResource, now: datetime) -> NewestDay | None:
    """Find the newest day that should be there; None if PostgreSQL does not answer, which others report."""
    try:
        return _ASKING.run(lambda: newest_day(instance, postgres.client(), hub.dataset().client.repo_id, now))
    except (GovbrAssetsError, TimeoutError):
        return None


def _deliver(outbox: AlertOutbox, *, fails: bool) -> str:
    """Send what waits, and say what came of it.

    A tick that fails would forget what it has seen, so it `fails` only when it has seen nothing new.
    """
    try:
        return f"{outbox.deliver()} alerts were sent."
    except AlertRefusedError as error:
        if fails:
            raise
        return str(error)
