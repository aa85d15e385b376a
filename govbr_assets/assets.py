"""The assets: fetch, call the rules, return. What a run over a range means is the IO managers' business."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetRecordsFilter,
    AssetsDefinition,
    BackfillPolicy,
    Backoff,
    DagsterType,
    Jitter,
    RetryPolicy,
    TableColumn,
    TableSchema,
    asset,
)

from govbr_assets.core import dedup
from govbr_assets.core.contract import NEWS_SCHEMA, POSTGRES_SCHEMA
from govbr_assets.core.days import ByDay, Day
from govbr_assets.existing import Existing
from govbr_assets.failures import fails_for_good
from govbr_assets.io_managers import of_day, of_days
from govbr_assets.partitions import daily
from govbr_assets.resources import PostgresResource, ViewerResource
from govbr_assets.shards import ShardPlan


def _days_of(kind: type, name: str) -> DagsterType:
    """Make the type of a value: one day's, or a lazy mapping from day to it."""
    return DagsterType(
        lambda _, value: isinstance(value, kind | ByDay), name, description=f"A day's {name}, or many days'."
    )


TABLE, PLAN = _days_of(pa.Table, "table"), _days_of(ShardPlan, "plan")


def _daily(
    io_manager_key: str, dagster_type: DagsterType, kinds: set[str], schema: pa.Schema
) -> Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare an asset of the daily graph: what it has in common with the others, and its table for the UI."""
    columns = [TableColumn(field.name, str(field.type)) for field in schema]
    return asset(
        partitions_def=daily,
        backfill_policy=BackfillPolicy.single_run(),
        io_manager_key=io_manager_key,
        dagster_type=dagster_type,
        group_name="daily",
        kinds=kinds,
        owners=["team:data-platform"],
        # Permanent errors are not retried (`failures`); a viewer that is indexing needs minutes.
        retry_policy=RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS),
        metadata={"dagster/column_schema": TableSchema(columns)},
    )


@_daily("table_io_manager", TABLE, {"postgres", "arrow"}, POSTGRES_SCHEMA)
@fails_for_good
def postgres_news_partition(context: AssetExecutionContext, postgres: PostgresResource) -> Any:
    """The day's news in PostgreSQL: all rows published on that day in America/Sao_Paulo, as the Hub's columns."""
    take = postgres.client().reading([Day.of(key) for key in context.partition_keys])
    return of_days(context.partition_keys, lambda key: take(Day.of(key)))


@_daily("table_io_manager", TABLE, {"huggingface", "arrow"}, dedup.EXISTING_SCHEMA)
@fails_for_good
def hf_existing_ids(context: AssetExecutionContext, postgres_news_partition: Any, viewer: ViewerResource) -> Any:
    """Which of the day's rows the Hub already holds, by either of their ids, and whether in the day's own shard."""
    existing = viewer.existing_ids()
    head = existing.hub.head()

    def find(key: str) -> pa.Table:
        rows = of_day(postgres_news_partition, key)
        found = existing.find(rows, Day.of(key), head)
        told = {"viewer_requests": found.requests, "viewer_seconds": found.seconds}
        told |= {"revision": head.revision or "", "asked_for": dedup.identity_digest(rows)}
        context.add_asset_metadata(told, partition_key=key)
        return found.table

    return of_days(context.partition_keys, find)


@_daily("shard_io_manager", PLAN, {"huggingface", "parquet"}, NEWS_SCHEMA)
@fails_for_good
def hf_parquet_shard(
    context: AssetExecutionContext, postgres_news_partition: Any, hf_existing_ids: Any, viewer: ViewerResource
) -> Any:
    """The day's one shard on the Hub: its rows that no other file holds, published in one commit with the card."""
    existing = viewer.existing_ids()

    def plan(key: str) -> ShardPlan:
        rows = of_day(postgres_news_partition, key)
        revision = _pinned_revision(context, key, rows)
        known = Existing(of_day(hf_existing_ids, key), existing.hub.at(revision))
        return ShardPlan(Day.of(key), rows, known, existing)

    return of_days(context.partition_keys, plan)


def _pinned_revision(context: AssetExecutionContext, key: str, rows: pa.Table) -> str | None:
    """Look up the revision that the stored ids of a day were read at.

    None if there was no repo, and if the ids were asked for other rows than these: everything is read anew then.
    """
    wanted = AssetRecordsFilter(AssetKey("hf_existing_ids"), asset_partitions=[key])
    for record in context.instance.fetch_materializations(wanted, limit=1).records:
        told = record.asset_materialization.metadata if record.asset_materialization else {}
        if "asked_for" in told and told["asked_for"].value == dedup.identity_digest(rows):
            return str(told["revision"].value)
    return None
