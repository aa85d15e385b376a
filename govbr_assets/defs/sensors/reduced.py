"""`reduced_dataset_sensor`: the full dataset has changed, by whomever, and the reduced one has to follow."""

from dagster import SensorEvaluationContext, SensorResult, SkipReason

from govbr_assets.defs.decisions.reduced import next_mirror
from govbr_assets.defs.resources import HubResource
from govbr_assets.defs.sensors.run_requests import active_runs

_NAME = "reduced_dataset_sensor"


def reduced_dataset_sensor(context: SensorEvaluationContext, hub: HubResource) -> SensorResult | SkipReason:
    """Mirrors the full dataset whenever it, or the reduced one, has another revision than the last run has left.

    A run that fails is tried again after its own retries in the next hour.
    """
    if hub.is_dry_run:
        return SkipReason("GOVBR_DRY_RUN is set: nothing is published.")
    if busy := active_runs(context.instance, _NAME):
        return SkipReason(f"{busy} runs of reduced_sync are under way.")
    decision = next_mirror(context.instance, hub, _NAME)
    return SensorResult(run_requests=decision.requests) if decision.requests else SkipReason(decision.why_not)
