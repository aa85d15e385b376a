"""`repair_sensor`: days on which the Hub differs from PostgreSQL, until it does not."""

from typing import Any

import pyarrow as pa
from dagster import AssetObservation, SensorEvaluationContext, SensorResult, SkipReason

from govbr_assets.alerts.message import Alert
from govbr_assets.core.repair import RepairState
from govbr_assets.defs.decisions.repair import next_repairs
from govbr_assets.defs.metadata.reconciliation import RECONCILIATION
from govbr_assets.defs.resources import AlertResource, HubResource
from govbr_assets.defs.sensors.run_requests import MAX_CONCURRENT_RUNS, active_runs, alert_blocked

_NAME = "repair_sensor"


def repair_sensor(
    context: SensorEvaluationContext, alerts: AlertResource, hub: HubResource
) -> SensorResult | SkipReason:
    """Publishes the days again on which the last reconciliation found a difference, and then has it made anew.

    Where there was none, it has the first one made, a deep one: switched on, it needs nobody to begin.
    Uncompacted files are compacted first. A day, and the compaction, is given up after three runs, with one alert; a
    day is tried again when a reconciliation has found it equal in between, and when more removals are approved. For
    another repo all begins anew. Days wait for a migration as long as they would be rejected without.
    """
    if busy := active_runs(context.instance, _NAME):
        return SkipReason(f"{busy} runs of the repair are under way.")
    state, load = RepairState.of(context.cursor), lambda: _table(context)
    decision = next_repairs(state, context.instance, hub, load, MAX_CONCURRENT_RUNS, _NAME)
    if decision.given_up and (outbox := alerts.client()):
        asset, words = RECONCILIATION.path[-1], " ".join(decision.given_up)
        outbox.enqueue(Alert(f"repair-{decision.state.number}", "The repair needs somebody.", asset, error=words))
    alert_blocked(decision.blocked, hub, alerts)
    nothing = decision.blocked or "There is nothing to repair since the last reconciliation."
    return SensorResult(
        run_requests=decision.requests,
        skip_reason=None if decision.requests else nothing,
        asset_events=[AssetObservation(RECONCILIATION, description=text) for text in decision.given_up],
        cursor=decision.state.cursor(),
    )


def _table(context: SensorEvaluationContext) -> pa.Table:
    """Load the reconciliation's table from where its IO manager keeps it."""
    repository: Any = context.repository_def
    return repository.load_asset_value(RECONCILIATION, instance=context.instance)
