"""Runs whose process is gone: after a power cut they stay as they were for ever, for Dagster's launcher does not look.

A run gives a sign of life every two minutes (`executor`). One that has given none for a quarter of an hour is not
waited for and ended as failed, so that `alert_sensor` reports it. That may be wrong where a machine was only out of
reach; then two runs do the same, and the commit of one of them is planned again.

A queued run has no process. It waits for its turn, however long, while anything moves: it is gone only if nothing is
under way, nothing has ended for a quarter of an hour, and the daemon that should have begun it has been there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter

from govbr_assets.defs.sensors.instigators import InstigatorState, ticks_since

SILENCE = timedelta(minutes=15)
"""Without a sign of life, after which a run is not waited for."""

BEGUN = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
_NOT_BEGUN = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED]
_OVER = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_TICKS = 10  # of a sensor of every half minute: the daemon has been there for some minutes

_GONE = (
    "The run was {} and has given no sign of life for {:.0f} minutes: its process is gone. It is not waited for any"
    " more; what it has not published the next run does."
)


def is_silent(instance: DagsterInstance, record: RunRecord, now: datetime) -> bool:
    """Return whether a run has given no sign of life for too long."""
    return now - _last_sign(instance, record) >= SILENCE


def silent_runs(instance: DagsterInstance, watch: InstigatorState | None, now: datetime) -> list[RunRecord]:
    """List the runs that are not over and whose process is gone.

    Args:
        instance: Dagster's.
        watch: a sensor of every half minute; None if it does not run in a daemon.
        now: aware.
    """
    begun = instance.get_run_records(RunsFilter(statuses=BEGUN))
    silent = [each for each in begun if is_silent(instance, each, now)]
    waiting = instance.get_run_records(RunsFilter(statuses=_NOT_BEGUN))
    if waiting and not begun and _stands(instance, watch, now):
        silent += [each for each in waiting if is_silent(instance, each, now)]
    return silent


def end(instance: DagsterInstance, runs: Sequence[RunRecord], now: datetime) -> None:
    """End runs as failed, unless one of them is over by now."""
    for record in runs:
        run: DagsterRun | None = instance.get_run_by_id(record.dagster_run.run_id)
        if run and not run.is_finished:
            minutes = (now - _last_sign(instance, record)) / timedelta(minutes=1)
            instance.report_run_failed(run, _GONE.format(run.status.value, minutes))


def _last_sign(instance: DagsterInstance, record: RunRecord) -> datetime:
    """Find out when a run has last said anything; before it has, when it was created."""
    events = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False).records
    if events:
        return datetime.fromtimestamp(events[0].event_log_entry.timestamp, UTC)
    return record.create_timestamp


def _stands(instance: DagsterInstance, watch: InstigatorState | None, now: datetime) -> bool:
    """Return whether no run has ended for a while, though a daemon was there that would have begun another."""
    since = now - SILENCE
    if watch is None or instance.get_run_records(RunsFilter(statuses=_OVER, updated_after=since), limit=1):
        return False
    return ticks_since(instance, watch, since) >= _TICKS
