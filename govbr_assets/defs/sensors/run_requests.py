"""What sensors share: how many runs they have under way and may have, and the alert where they request none."""

from datetime import UTC, datetime
from hashlib import blake2b

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from govbr_assets.alerts.message import Alert
from govbr_assets.defs.decisions.requests import REQUESTED_BY
from govbr_assets.defs.resources import AlertResource, HubResource
from govbr_assets.defs.sensors.silent_runs import BEGUN, is_silent

MAX_CONCURRENT_RUNS = 2
"""Runs of a sensor that are queued or in progress at most: each of them takes up to 500 MB."""


def active_runs(instance: DagsterInstance, by: str) -> int:
    """Count the runs that a sensor has requested and that are not over, but for those whose process is gone."""
    queued = instance.get_runs_count(RunsFilter(tags={REQUESTED_BY: by}, statuses=[DagsterRunStatus.QUEUED]))
    begun = instance.get_run_records(RunsFilter(tags={REQUESTED_BY: by}, statuses=BEGUN))
    now = datetime.now(UTC)
    return queued + sum(not is_silent(instance, each, now) for each in begun)


def alert_blocked(reason: str, hub: HubResource, alerts: AlertResource) -> None:
    """Tell by one alert why every run of a day would be rejected; no run says it, for none is requested.

    Args:
        reason: empty if they would not.
        hub: the repo.
        alerts: where alerts go.
    """
    if reason and (outbox := alerts.client()):
        of = f"{hub.dataset().client.repo_id}: {reason}"
        key = f"schema-{blake2b(of.encode(), digest_size=6).hexdigest()}"
        outbox.enqueue(Alert(key, "Days wait until columns are added.", "migrate_schema", error=reason))
