"""What sensors share: runs as Dagster wants them requested, how many are under way, and what would reject them all."""

from datetime import UTC, datetime
from hashlib import blake2b

from dagster import DagsterInstance, DagsterRunStatus, RunRequest, RunsFilter

from govbr_assets.alerts.message import Alert
from govbr_assets.core.date_ranges import DateRange
from govbr_assets.dataset.schema_version import outdated
from govbr_assets.defs.metadata.reconciliation import RECONCILIATION
from govbr_assets.defs.resources import AlertResource, HubResource
from govbr_assets.defs.sensors.silent_runs import BEGUN, is_silent

MAX_CONCURRENT_RUNS = 2
"""Runs of a sensor that are queued or in progress at most: each of them takes up to 500 MB."""

_BY = "govbr_assets/requested_by"
_DEEP = {"ops": {RECONCILIATION.path[-1]: {"config": {"deep": True}}}}


def request(job: str, key: str, by: str, span: DateRange | None = None, *, deep: bool = False) -> RunRequest:
    """Request a run: of a day, of a range of days as one run, or of no day.

    Args:
        job: its name.
        key: the run key.
        by: name of the sensor.
        span: the days.
        deep: of a reconciliation, to compare contents, too.
    """
    tags = {_BY: by}
    if deep:
        return RunRequest(run_key=key, job_name=job, tags=tags, run_config=_DEEP)
    if span and span.first != span.last:
        # What a backfill under `BackfillPolicy.single_run` sets; `partition_key` is for one day.
        tags |= {"dagster/asset_partition_range_start": f"{span.first}"}
        tags |= {"dagster/asset_partition_range_end": f"{span.last}"}
        return RunRequest(run_key=key, job_name=job, tags=tags)
    return RunRequest(run_key=key, job_name=job, tags=tags, partition_key=f"{span}" if span else None)


def active_runs(instance: DagsterInstance, by: str) -> int:
    """Count the runs that a sensor has requested and that are not over, but for those whose process is gone."""
    queued = instance.get_runs_count(RunsFilter(tags={_BY: by}, statuses=[DagsterRunStatus.QUEUED]))
    begun = instance.get_run_records(RunsFilter(tags={_BY: by}, statuses=BEGUN))
    now = datetime.now(UTC)
    return queued + sum(not is_silent(instance, each, now) for each in begun)


def blocked(hub: HubResource, alerts: AlertResource) -> str:
    """Say why every run of a day would be rejected, as the run itself would; empty if it would not.

    No run says it then, so one alert does. Footers of data files are read for it, so it is asked only where there are
    runs to be requested.
    """
    dataset = hub.dataset()
    reason = outdated(dataset, dataset.client.head()) if dataset.spec.version > 1 else ""
    if reason and (outbox := alerts.client()):
        of = f"{dataset.client.repo_id}: {reason}"
        key = f"schema-{blake2b(of.encode(), digest_size=6).hexdigest()}"
        outbox.enqueue(Alert(key, "Days wait until columns are added.", "migrate_schema", error=reason))
    return reason
