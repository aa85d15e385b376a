"""The partitions: one a day since the first day, in the one time zone."""

import os
from datetime import date

from dagster import DailyPartitionsDefinition

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.errors import ConfigurationError


def first_day(setting: str) -> date:
    """Read `GOVBR_FIRST_DAY`.

    Raises:
        ConfigurationError: it is no day.
    """
    try:
        return date.fromisoformat(setting)
    except ValueError:
        raise ConfigurationError(f"GOVBR_FIRST_DAY is {setting!r}: write a day such as 2003-01-01.") from None


# Decorators need the partitions while they run, so this one setting is read here and not in `definitions`.
FIRST_DAY = first_day(os.environ.get("GOVBR_FIRST_DAY", "2003-01-01"))

daily = DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=TIME_ZONE)
