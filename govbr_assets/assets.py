"""The assets: fetch, call the rules, return. What a run over a range means is the IO managers' business."""

from typing import Any

import pyarrow as pa
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetRecordsFilter,
    BackfillPolicy,
    Backoff,
    DagsterType,
    Jitter,
    RetryPolicy,
    TableColumn,
    TableSchema,
    asset,
)

from govbr_assets.core.contract import NEWS_SCHEMA, POSTGRES_SCHEMA
from govbr_assets.core.days import ByDay, Day
from govbr_assets.core.dedup import EXISTING_SCHEMA
from govbr_assets.existing import Existing
from govbr_assets.failures import fails_for_good
from govbr_assets.io_managers import of_day, of_days
from govbr_assets.partitions import daily
from govbr_assets.resources import PostgresResource, ViewerResource
from govbr_assets.shards import ShardPlan

OWNERS = ["team:data-platform"]

# Permanent errors are not retried (`failures`); a viewer that is indexing needs minutes.
RETRIES = RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)


def _days_of(kind: type, name: str) -> DagsterType:
    """Make the type of a value: one day's, or a lazy mapping from day to it."""
    return DagsterType(
        lambda _, value: isinstance(value, kind | ByDay), name, description=f"A day's {name}, or many days'."
    )


TABLE, PLAN = _days_of(pa.Table, "table"), _days_of(ShardPlan, "plan")


def _columns(schema: pa.Schema) -> dict[str, TableSchema]:
    """Describe a table for the UI."""
    columns = [TableColumn(field.name, str(field.type)) for field in schema]
    return {"dagster/column_schema": TableSchema(columns)}


@asset(
    partitions_def=daily,
    backfill_policy=BackfillPolicy.single_run(),
    io_manager_key="table_io_manager",
    dagster_type=TABLE,
    group_name="daily",
    kinds={"postgres", "arrow"},
    owners=OWNERS,
    retry_policy=RETRIES,
    metadata=_columns(POSTGRES_SCHEMA),
)
@fails_for_good
def postgres_news_partition(context: AssetExecutionContext, postgres: PostgresResource) -> Any:
    """The day's news in PostgreSQL: all rows published on that day in America/Sao_Paulo, as the Hub's columns."""
    take = postgres.client().reading([Day.of(key) for key in context.partition_keys])
    return of_days(context.partition_keys, lambda key: take(Day.of(key)))


@asset(
    partitions_def=daily,
    backfill_policy=BackfillPolicy.single_run(),
    io_manager_key="table_io_manager",
    dagster_type=TABLE,
    group_name="daily",
    kinds={"huggingface", "arrow"},
    owners=OWNERS,
    retry_policy=RETRIES,
    metadata=_columns(EXISTING_SCHEMA),
)
@fails_for_good
def hf_existing_ids(context: AssetExecutionContext, postgres_news_partition: Any, viewer: ViewerResource) -> Any:
    """Which of the day's rows the Hub already holds, by either of their ids, and whether in the day's own shard."""
    existing = viewer.existing_ids()
    head = existing.hub.head()

    def find(key: str) -> pa.Table:
        found = existing.find(of_day(postgres_news_partition, key), Day.of(key), head)
        told = {"revision": head.revision or "", "viewer_requests": found.requests, "viewer_seconds": found.seconds}
        context.add_asset_metadata(told, partition_key=key)
        return found.table

    return of_days(context.partition_keys, find)


@asset(
    partitions_def=daily,
    backfill_policy=BackfillPolicy.single_run(),
    io_manager_key="shard_io_manager",
    dagster_type=PLAN,
    group_name="daily",
    kinds={"huggingface", "parquet"},
    owners=OWNERS,
    retry_policy=RETRIES,
    metadata=_columns(NEWS_SCHEMA),
)
@fails_for_good
def hf_parquet_shard(
    context: AssetExecutionContext, postgres_news_partition: Any, hf_existing_ids: Any, viewer: ViewerResource
) -> Any:
    """The day's one shard on the Hub: its rows that no other file holds, published in one commit with the card."""
    existing = viewer.existing_ids()

    def plan(key: str) -> ShardPlan:
        known = Existing(of_day(hf_existing_ids, key), existing.hub.at(_pinned_revision(context, key)))
        return ShardPlan(Day.of(key), of_day(postgres_news_partition, key), known, existing)

    return of_days(context.partition_keys, plan)


def _pinned_revision(context: AssetExecutionContext, key: str) -> str:
    """Look up the revision that the stored ids of a day were read at; empty if there was no repo."""
    wanted = AssetRecordsFilter(AssetKey("hf_existing_ids"), asset_partitions=[key])
    for record in context.instance.fetch_materializations(wanted, limit=1).records:
        if record.asset_materialization and "revision" in record.asset_materialization.metadata:
            return str(record.asset_materialization.metadata["revision"].value)
    return ""
