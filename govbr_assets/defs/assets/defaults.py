"""What all assets have in common: owners, retries, freshness, and their columns for the UI."""

from datetime import timedelta
from functools import partial
from types import UnionType
from typing import TYPE_CHECKING

import pyarrow as pa
from dagster import (
    Backoff,
    Config,
    DagsterType,
    FreshnessPolicy,
    Jitter,
    RetryPolicy,
    TableColumn,
    TableSchema,
    asset,
)
from pydantic import Field

from govbr_assets.core.day_counts import DESCRIPTIONS
from govbr_assets.core.days import ByDay, DayValue
from govbr_assets.core.identity import EXISTING_DESCRIPTIONS
from govbr_assets.io.staged import Rows
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.publications import NEWS

# Permanent errors are not retried (`failures`); a viewer that is indexing needs minutes.
RETRY = RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)

# The UI shows them, and `alert_sensor` reports them. A schedule that failed once is not late yet.
# Assets with days have none: the last materialization of any day says nothing of the newest one (see `newest_day`).
DAILY = FreshnessPolicy.time_window(fail_window=timedelta(days=2), warn_window=timedelta(hours=30))
WEEKLY = FreshnessPolicy.time_window(fail_window=timedelta(days=15), warn_window=timedelta(days=8))


OWNERS = ["team:data-platform"]

owned_asset = partial(asset, owners=OWNERS, retry_policy=RETRY)
"""Declares an asset of ours."""


def _days_of(kind: type | UnionType, name: str) -> DagsterType:
    """Declare `DayValue[kind]` to Dagster, which cannot read it from an annotation."""
    return DagsterType(
        lambda _, value: isinstance(value, kind | ByDay), name, description=f"A day's {name}, or many days'."
    )


TABLE, PLAN = _days_of(Rows, "table"), _days_of(DaySync, "plan")

if TYPE_CHECKING:
    Tables = DayValue[Rows]
else:
    Tables = TABLE
"""The annotation of inputs: for a reader the value, for Dagster, which resolves no union, its own type of it."""


def columns(schema: pa.Schema) -> TableSchema:
    """List columns for the UI, with what they say."""
    described = NEWS.descriptions | EXISTING_DESCRIPTIONS | DESCRIPTIONS
    return TableSchema([TableColumn(field.name, str(field.type), described.get(field.name)) for field in schema])


class PublishConfig(Config):
    """What can be chosen in the launchpad of an asset that publishes."""

    dry_run: bool = Field(default=False, description="Do everything but commit, and show what would be published.")


class RemovalConfig(PublishConfig):
    """What can be chosen in the launchpad of an asset that removes rows which PostgreSQL has nowhere."""

    approved_removals: int = Field(
        default=0,
        ge=0,
        description="Remove such rows although they are too many, up to this number in total: what commits have"
        " removed by approval is used up. 0 takes the setting GOVBR_ALLOW_REMOVALS for days, for a compaction none.",
    )
