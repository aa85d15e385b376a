"""What all assets have in common: who owns them, when they are tried again or late, their columns for the UI."""

from datetime import timedelta

import pyarrow as pa
from dagster import Backoff, Config, FreshnessPolicy, Jitter, RetryPolicy, TableColumn, TableSchema
from pydantic import Field

from govbr_assets.publications import NEWS

# Permanent errors are not retried (`failures`); a viewer that is indexing needs minutes.
RETRY = RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
OWNERS = ["team:data-platform"]

# The UI shows them, and `alert_sensor` tells who does not look. A schedule that failed once is not late yet.
# Assets with days have none: the last materialization of any day says nothing of the newest one (see `newest_day`).
DAILY = FreshnessPolicy.time_window(fail_window=timedelta(days=2), warn_window=timedelta(hours=30))
WEEKLY = FreshnessPolicy.time_window(fail_window=timedelta(days=15), warn_window=timedelta(days=8))


def columns(schema: pa.Schema) -> TableSchema:
    """List columns for the UI, those of the publication with what they say."""
    described = NEWS.descriptions
    return TableSchema([TableColumn(field.name, str(field.type), described.get(field.name)) for field in schema])


class PublishConfig(Config):
    """What can be chosen in the launchpad of an asset that publishes."""

    dry_run: bool = Field(default=False, description="Do everything but commit, and show what would be published.")
