"""The partitions: one a day since the first day, in the one time zone; and errors that say which days there are."""

import os
from collections.abc import Sequence
from datetime import date
from typing import Any

from dagster import DailyPartitionsDefinition, PartitionKeyRange

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.days import TIME_ZONE
from govbr_assets.errors import BeginningError
from govbr_assets.io.settings import cleaned

_FIRST_DAY = "2003-01-01"


def first_day(setting: str) -> date:
    """Read `GOVBR_FIRST_DAY`; empty takes the default.

    Raises:
        BeginningError: it is no day.
    """
    try:
        return date.fromisoformat(cleaned(setting) or _FIRST_DAY)
    except ValueError:
        raise BeginningError(f"GOVBR_FIRST_DAY is {setting!r}: write a day such as 2003-01-01.") from None


class Days(DailyPartitionsDefinition):
    """One partition a day, which says in a sentence what is wrong with a day or a range."""

    def validate_partition_key(self, partition_key: str, *args: Any, **kwargs: Any) -> None:
        """Check one day, as the command line does with the day or the range that it is given.

        Raises:
            BeginningError: there is no such day.
        """
        if self.get_first_partition_key() is None:
            raise BeginningError(
                f"GOVBR_FIRST_DAY is {self.start:%Y-%m-%d}, and no day has ended since: write an earlier one."
            )
        if not self.has_partition_key(partition_key):
            raise BeginningError(
                f"{partition_key!r} is no day from {self.get_first_partition_key()} (GOVBR_FIRST_DAY) to"
                f" {self.get_last_partition_key()}, the last one that has ended: write a day as"
                f" {self.get_last_partition_key()}, and a range as"
                f" {self.get_first_partition_key()}...{self.get_last_partition_key()}."
            )

    def get_partition_keys_in_range(self, partition_key_range: PartitionKeyRange) -> Sequence[str]:
        """List the days of a range.

        Raises:
            BeginningError: it begins after its end, or one of its days does not exist.
        """
        first, last = partition_key_range.start, partition_key_range.end
        for key in (first, last):
            self.validate_partition_key(key)
        if first > last:
            raise BeginningError(f"The range {first}...{last} begins after its end: write {last}...{first}.")
        return super().get_partition_keys_in_range(partition_key_range)


# Decorators need the partitions while they run, so this one setting is read here and not in `definitions`.
FIRST_DAY = first_day(os.environ.get("GOVBR_FIRST_DAY", ""))

daily = Days(start_date=FIRST_DAY.isoformat(), timezone=TIME_ZONE)


def days_between(first: str, last: str) -> DateRange:
    """Return the days from one partition key to another, each of which is a partition.

    Raises:
        BeginningError: one of them does not exist, or the range begins after its end.
    """
    daily.get_partition_keys_in_range(PartitionKeyRange(first, last))
    return DateRange(date.fromisoformat(first), date.fromisoformat(last))
