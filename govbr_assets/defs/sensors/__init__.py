"""Sensors: when to run because something happened. Each asks `decisions`, and requests what they say.

A tick gives its runs and its cursor together: whatever breaks off before, the next tick begins with the old cursor and
asks for the same runs under the same keys.
"""

from collections.abc import Callable, Sequence
from inspect import getdoc
from typing import Any

from dagster import DefaultSensorStatus, SensorDefinition, sensor

from govbr_assets.defs.sensors.alerts import alert_sensor
from govbr_assets.defs.sensors.late_rows import late_news_sensor
from govbr_assets.defs.sensors.reduced import reduced_dataset_sensor
from govbr_assets.defs.sensors.repair import repair_sensor
from govbr_assets.defs.sensors.ticks import in_time

__all__ = ["sensors"]

_REQUESTING, _ALERTING = 45, 20  # seconds that a tick lasts at most


def sensors(status: DefaultSensorStatus, jobs: Sequence[Any]) -> list[SensorDefinition]:
    """Declare the sensors.

    Args:
        status: whether they run where nobody has switched them on or off in the UI.
        jobs: what they may request; without `reduced_sync` there is no sensor for it.
    """

    def declared(tick: Callable[..., Any], seconds: int, lasting: int, **told: Any) -> SensorDefinition:
        """Declare a sensor that ticks every so many seconds, with what its function says of it first."""
        description = (getdoc(tick) or "").partition("\n\n")[0].replace("\n", " ")
        told |= {"minimum_interval_seconds": seconds, "default_status": status, "description": description}
        return sensor(**told)(in_time(lasting)(tick))

    following = any(each.name == "reduced_sync" for each in jobs)
    return [
        *([declared(reduced_dataset_sensor, 30, _REQUESTING, jobs=jobs)] if following else []),
        declared(late_news_sensor, 300, _REQUESTING, jobs=jobs),
        declared(repair_sensor, 60, _REQUESTING, jobs=jobs),
        declared(alert_sensor, 30, _ALERTING),
    ]
