"""Sensors: when to run because something happened. Each reads, asks a rule of `core`, and requests what it says.

A tick gives its runs and its cursor together: whatever breaks off before, the next tick begins with the old cursor and
asks for the same runs under the same keys.
"""

from collections.abc import Sequence
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
    requesting = {"jobs": jobs, "default_status": status}
    following = [sensor(**requesting, minimum_interval_seconds=30)(in_time(_REQUESTING)(reduced_dataset_sensor))]
    return [
        *(following if any(each.name == "reduced_sync" for each in jobs) else []),
        sensor(**requesting, minimum_interval_seconds=300)(in_time(_REQUESTING)(late_news_sensor)),
        sensor(**requesting, minimum_interval_seconds=60)(in_time(_REQUESTING)(repair_sensor)),
        sensor(minimum_interval_seconds=30, default_status=status)(in_time(_ALERTING)(alert_sensor)),
    ]
