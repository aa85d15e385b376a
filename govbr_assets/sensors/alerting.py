"""`alert_sensor`: one message for every failed run, and for every time that nothing was published for too long."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dagster import (
    AssetsDefinition,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    RunStatusChangeRecordsFilter,
    SensorEvaluationContext,
    SensorResult,
)

from govbr_assets.assets import consolidated_dataset, hf_parquet_shard
from govbr_assets.core.alert import Alert, lapse
from govbr_assets.resources import AlertResource
from govbr_assets.sensors.words import words_of

_A_TICK = 20  # failed runs that are looked at in a tick


class _Seen(NamedTuple):
    """What the cursor holds: the last failure that was looked at, and when the watch began."""

    failure: int
    since: str


def alert_sensor(context: SensorEvaluationContext, alerts: AlertResource) -> SensorResult:
    """Sends one JSON message to GOVBR_ALERT_URL for each failed run, and when nothing is published for too long.

    Not a `run_failure_sensor`: that one goes on to the next run when a message could not be sent, and repeats one
    after a crash. Failures from before the sensor's first tick are passed over.
    """
    outbox = alerts.client()
    if outbox is None:
        return SensorResult(skip_reason="GOVBR_ALERT_URL is not set: no alert is sent.", cursor=_now(context.instance))
    seen = _Seen(**json.loads(context.cursor or _now(context.instance)))
    after = RunStatusChangeRecordsFilter(DagsterEventType.RUN_FAILURE, after_storage_id=seen.failure)
    failures = context.instance.fetch_run_status_changes(after, limit=_A_TICK, ascending=True).records
    for record in failures:
        run = context.instance.get_run_by_id(record.run_id)
        if run and _is_of_this_project(context, run):
            outbox.put(_failure(context.instance, run, alerts.link(run.run_id)))
    for alert in _lapses(context.instance, datetime.fromisoformat(seen.since)):
        outbox.put(alert)
    sent = outbox.deliver()
    seen = seen._replace(failure=failures[-1].storage_id if failures else seen.failure)
    return SensorResult(skip_reason=f"{sent} alerts were sent.", cursor=json.dumps(seen._asdict()))


def _now(instance: DagsterInstance) -> str:
    """Write the cursor of a watch that begins now."""
    last = instance.fetch_run_status_changes(DagsterEventType.RUN_FAILURE, limit=1).records
    return json.dumps(_Seen(last[0].storage_id if last else 0, datetime.now(UTC).isoformat())._asdict())


def _is_of_this_project(context: SensorEvaluationContext, run: DagsterRun) -> bool:
    """Say whether a run is no other code location's; one from the command line is of none."""
    ours, origin = context.code_location_origin, run.remote_job_origin
    return not ours or not origin or origin.location_name == ours.location_name


def _failure(instance: DagsterInstance, run: DagsterRun, link: str) -> Alert:
    """Tell of a failed run: its first step that failed, or the run itself if it came to none."""
    kinds = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
    events = [each.event_log_entry for each in instance.get_records_for_run(run.run_id, of_type=kinds).records]
    step = next((each for each in events if each.step_key), None)
    first, last = (run.tags.get(f"dagster/asset_partition_range_{end}", "") for end in ("start", "end"))
    partition = run.tags.get("dagster/partition") or (f"{first}..{last}" if first else "")
    asset = (step.step_key if step else None) or run.job_name
    return Alert(
        key=f"run-{run.run_id}",
        title=f"{asset} failed{f' for {partition}' if partition else ''}.",
        asset=asset,
        partition=partition,
        error=_reason(step.dagster_event.event_specific_data if step and step.dagster_event else None)
        or next((each.user_message or each.message for each in events), ""),
        run_id=run.run_id,
        link=link,
    )


def _reason(data: Any) -> str:
    """Take the words of the error that a step failed with, without its stack."""
    if data is None:
        return ""
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    return words_of(data.error)


def _lapses(instance: DagsterInstance, since: datetime) -> Iterator[Alert]:
    """Find the assets that were not materialized for longer than their freshness policy allows."""
    now = datetime.now(UTC)
    assets: list[AssetsDefinition] = [hf_parquet_shard, consolidated_dataset]
    for spec in (spec for each in assets for spec in each.specs):
        policy: Any = spec.freshness_policy
        event = instance.get_latest_materialization_event(spec.key)
        last = datetime.fromtimestamp(event.timestamp, UTC) if event else None
        if alert := lapse(spec.key.path[-1], last, since, now, policy.fail_window.to_timedelta()):
            yield alert
