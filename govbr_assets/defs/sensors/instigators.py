"""Sensors and schedules of this project in the instance's records: all that sensors use of Dagster's private API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dagster import DagsterInstance, SensorEvaluationContext
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick, TickStatus

_GOOD = [TickStatus.SUCCESS, TickStatus.SKIPPED]


class Failing(NamedTuple):
    """A sensor or schedule whose last ticks have all failed.

    Attributes:
        since: number of its last tick that did not; 0 if there was none. The same all the time that it fails.
        error: of the last tick, as Dagster keeps it.
        at: when that was, in seconds since 1970.
    """

    since: int
    error: Any
    at: float


def running_instigators(context: SensorEvaluationContext) -> dict[str, InstigatorState]:
    """List what is switched on of this code location, by name."""
    ours = context.code_location_origin
    return {
        each.name: each
        for each in context.instance.all_instigator_state()
        if each.is_running and (not ours or each.repository_selector.location_name == ours.location_name)
    }


def failing(instance: DagsterInstance, state: InstigatorState) -> Failing | None:
    """Return whether something fails every time: a sensor three times in a row, a schedule once."""
    times = 3 if state.instigator_type.value == "SENSOR" else 1
    last = _ticks(instance, state, [*_GOOD, TickStatus.FAILURE], times)
    if len(last) < times or any(each.status is not TickStatus.FAILURE for each in last):
        return None
    good = _ticks(instance, state, _GOOD, 1)
    return Failing(good[0].tick_id if good else 0, last[0].error, last[0].timestamp)


def ticks_since(instance: DagsterInstance, state: InstigatorState, since: datetime) -> int:
    """Count the ticks of a sensor after an instant, also those that failed."""
    after = since.timestamp()
    return len(instance.get_tick_summaries(state.instigator_origin_id, state.selector_id, after=after))


def _ticks(
    instance: DagsterInstance, state: InstigatorState, statuses: Sequence[TickStatus], limit: int
) -> Sequence[InstigatorTick]:
    """List the last ticks that ended in one of some ways, the newest first."""
    return instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=limit, statuses=statuses)
