"""Failed runs as alerts: one for each, with the asset or job that failed, its days and its own words."""

from typing import Any

from dagster import DagsterEventType, DagsterInstance, DagsterRun, SensorEvaluationContext

from govbr_assets.alerts.message import Alert
from govbr_assets.defs.sensors.error_text import words_of


def is_of_this_project(context: SensorEvaluationContext, run: DagsterRun) -> bool:
    """Return whether a run is no other code location's; one from the command line is of none."""
    ours, origin = context.code_location_origin, run.remote_job_origin
    return not ours or not origin or origin.location_name == ours.location_name


def run_alert(instance: DagsterInstance, run: DagsterRun, link: str) -> Alert:
    """Report a failed run: its first step that failed, or the run itself if it came to none."""
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
