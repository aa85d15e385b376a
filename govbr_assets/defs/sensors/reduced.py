"""`reduced_dataset_sensor`: the full dataset has changed, by whomever, and the reduced one has to follow."""

from datetime import UTC, datetime

from dagster import SensorEvaluationContext, SensorResult, SkipReason

from govbr_assets.defs.metadata.projection import ProjectionRecord
from govbr_assets.defs.projection import REDUCED_DATASET
from govbr_assets.defs.resources import HubResource
from govbr_assets.defs.sensors.run_requests import active_runs, request

_NAME = "reduced_dataset_sensor"


def reduced_dataset_sensor(context: SensorEvaluationContext, hub: HubResource) -> SensorResult | SkipReason:
    """Mirrors the full dataset whenever it, or the reduced one, has another revision than the last run has left.

    A run that fails is tried again after its own retries in the next hour.
    """
    if hub.is_dry_run:
        return SkipReason("GOVBR_DRY_RUN is set: nothing is published.")
    if busy := active_runs(context.instance, _NAME):
        return SkipReason(f"{busy} runs of reduced_sync are under way.")
    full, reduced = hub.dataset().client, hub.reduced_dataset().client
    event = context.instance.get_latest_materialization_event(REDUCED_DATASET)
    last = ProjectionRecord.from_event(event.asset_materialization if event else None)
    heads = full.head().revision or "", reduced.head().revision or ""
    if (full.repo_id, reduced.repo_id, *heads) == (
        *(last.source_repo, last.repo),
        *(last.source_revision, last.revision_after),
    ):
        return SkipReason(f"{reduced.repo_id} mirrors {heads[0][:8] or 'nothing'}, the newest revision.")
    key = f"{reduced.repo_id}@{heads[1][:8]}:{heads[0][:8]}:{datetime.now(UTC):%Y%m%d%H}"
    return SensorResult(run_requests=[request("reduced_sync", key, _NAME)])
