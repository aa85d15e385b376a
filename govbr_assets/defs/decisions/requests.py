"""Runs as Dagster wants them requested, with a tag that says by whom; and what would reject all runs of days."""

from dagster import RunRequest

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.dataset.schema_version import outdated
from govbr_assets.defs.metadata.reconciliation import RECONCILIATION
from govbr_assets.defs.resources import HubResource

REQUESTED_BY = "govbr_assets/requested_by"
"""Tag of a run: the sensor, or the command, that has requested it."""

DEEP = {"ops": {RECONCILIATION.path[-1]: {"config": {"deep": True}}}}
"""Run config of a reconciliation that compares contents, too."""

_COMPACTION = "consolidated_dataset"

_RANGE = tuple(f"dagster/asset_partition_range_{end}" for end in ("start", "end"))
"""What a backfill under `BackfillPolicy.single_run` sets; `partition_key` is for one day."""


def request(
    job: str, key: str, by: str, span: DateRange | None = None, *, deep: bool = False, approved: int = 0
) -> RunRequest:
    """Request a run: of a day, of a range of days as one run, or of no day.

    Args:
        job: its name.
        key: the run key.
        by: name of the sensor or the command.
        span: the days.
        deep: of a reconciliation, to compare contents, too.
        approved: of a compaction, how many removals are.
    """
    tags = {REQUESTED_BY: by}
    if deep:
        return RunRequest(run_key=key, job_name=job, tags=tags, run_config=DEEP)
    if approved:
        config = {"ops": {_COMPACTION: {"config": {"approved_removals": approved}}}}
        return RunRequest(run_key=key, job_name=job, tags=tags, run_config=config)
    if span and span.first != span.last:
        tags |= dict(zip(_RANGE, (f"{span.first}", f"{span.last}"), strict=True))
        return RunRequest(run_key=key, job_name=job, tags=tags)
    return RunRequest(run_key=key, job_name=job, tags=tags, partition_key=f"{span}" if span else None)


def days_of(request: RunRequest) -> str:
    """Name the day or the range of a run, as `DateRange` does; empty if it is of no day."""
    first, last = (request.tags.get(name, "") for name in _RANGE)
    return request.partition_key or (f"{first}..{last}" if first else "")


def blocked(hub: HubResource) -> str:
    """Say why every run of a day would be rejected, as the run itself would; empty if it would not.

    Footers of data files are read for it, so it is asked only where there are runs to be requested.
    """
    dataset = hub.dataset()
    return outdated(dataset, dataset.client.head()) if dataset.spec.version > 1 else ""
