"""The assets: fetch, call the rules, return. What a run over a range means is the IO managers' business."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
from dagster import (
    AssetExecutionContext,
    AssetObservation,
    AssetsDefinition,
    BackfillPolicy,
    Backoff,
    Config,
    DagsterType,
    FreshnessPolicy,
    Jitter,
    MaterializeResult,
    Output,
    RetryPolicy,
    TableColumn,
    TableSchema,
    asset,
)
from pydantic import Field

from govbr_assets.core import dedup
from govbr_assets.core.contract import NEWS_SCHEMA, POSTGRES_SCHEMA
from govbr_assets.core.days import ByDay, Day, of_day, of_days
from govbr_assets.existing import ExistingIds, Source
from govbr_assets.failures import fails_for_good, final_failures
from govbr_assets.fold import fold
from govbr_assets.partitions import daily
from govbr_assets.rehearsal import rehearsed
from govbr_assets.resources import HubResource, PostgresResource, ViewerResource
from govbr_assets.shards import Removals, Rules, ShardPlan, Unfolded
from govbr_assets.told import KnownRevisions, existing_metadata
from govbr_assets.told_fold import FoldTold


def _days_of(kind: type, name: str) -> DagsterType:
    """Make the type of a value: one day's, or a lazy mapping from day to it."""
    return DagsterType(
        lambda _, value: isinstance(value, kind | ByDay), name, description=f"A day's {name}, or many days'."
    )


# Permanent errors are not retried (`failures`); a viewer that is indexing needs minutes.
_RETRY = RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
_OWNERS = ["team:data-platform"]

# The UI shows them, and `alert_sensor` tells who does not look. A schedule that failed once is not late yet.
_DAILY = FreshnessPolicy.time_window(fail_window=timedelta(days=2), warn_window=timedelta(hours=30))
_WEEKLY = FreshnessPolicy.time_window(fail_window=timedelta(days=15), warn_window=timedelta(days=8))

TABLE, PLAN = _days_of(pa.Table, "table"), _days_of(ShardPlan, "plan")


def _columns(schema: pa.Schema) -> TableSchema:
    """Describe columns for the UI."""
    return TableSchema([TableColumn(field.name, str(field.type)) for field in schema])


def _daily(
    io_manager_key: str, dagster_type: DagsterType, kinds: set[str], schema: pa.Schema, *, output_required: bool = True
) -> Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare an asset of the daily graph: what it has in common with the others, and its table for the UI."""
    return asset(
        partitions_def=daily,
        backfill_policy=BackfillPolicy.single_run(),
        io_manager_key=io_manager_key,
        dagster_type=dagster_type,
        group_name="daily",
        kinds=kinds,
        owners=_OWNERS,
        retry_policy=_RETRY,
        freshness_policy=_DAILY,
        metadata={"dagster/column_schema": _columns(schema)},
        output_required=output_required,
    )


@_daily("table_io_manager", TABLE, {"postgres", "arrow"}, POSTGRES_SCHEMA)
@fails_for_good
def postgres_news_partition(context: AssetExecutionContext, postgres: PostgresResource) -> Any:
    """The day's news in PostgreSQL: all rows published on that day in America/Sao_Paulo, as the Hub's columns."""
    take = postgres.client().reading([Day.of(key) for key in context.partition_keys])
    return of_days(context.partition_keys, lambda key: take(Day.of(key)))


class Asking(Config):
    """What can be chosen in the launchpad."""

    source: Source = Field(
        default=Source.auto,
        description="auto: the viewer if its answer is certain, else the files themselves; viewer: or fail; exact.",
    )


@_daily("table_io_manager", TABLE, {"huggingface", "arrow"}, dedup.EXISTING_SCHEMA)
@fails_for_good
def hf_existing_ids(
    context: AssetExecutionContext, config: Asking, postgres_news_partition: Any, viewer: ViewerResource
) -> Any:
    """Which of the day's rows the Hub already holds, by either of their ids, and whether in the day's own shard."""
    hub, rows_of = viewer.hub.client(), partial(of_day, postgres_news_partition)
    keys, told = context.partition_keys, {}
    existing = ExistingIds(hub, viewer.client(), config.source, keys, rows_of, hub.head())

    def find(key: str) -> pa.Table:
        """Find the ids of a day, and note what is to be told of it."""
        found = existing.find(key)
        told[key] = existing_metadata(found, rows_of(key))
        if found.reason:
            context.log.info(f"{key}: the files themselves were asked. {found.reason}")
        return found.table

    return ByDay(keys, find, told)


class Publishing(Config):
    """What can be chosen in the launchpad."""

    dry_run: bool = Field(default=False, description="Do everything but commit, and show what would be published.")


class MakingTrue(Publishing):
    """What can be chosen in the launchpad for days."""

    removals: Removals = Field(
        default=Removals.apply, description="apply: rows that PostgreSQL has nowhere leave the Hub; keep: they stay."
    )
    allow_removals: bool = Field(default=False, description="Remove such rows however many they are.")
    unfolded: Unfolded = Field(
        default=Unfolded.stop,
        description="Days with rows in files that only a fold may change. stop: they are refused; fold: the dataset is"
        " folded first; leave: these rows stay as they are.",
    )


@_daily("shard_io_manager", PLAN, {"huggingface", "parquet"}, NEWS_SCHEMA, output_required=False)
def hf_parquet_shard(
    context: AssetExecutionContext,
    config: MakingTrue,
    postgres_news_partition: Any,
    hf_existing_ids: Any,
    postgres: PostgresResource,
    hub: HubResource,
) -> Any:
    """The day on the Hub as it is in PostgreSQL: new rows in its shard, others changed where they are."""
    with final_failures():
        client, keys = hub.client(), context.partition_keys
        rules = Rules(postgres.client().find, config.removals, config.allow_removals, config.unfolded)
        known = KnownRevisions(context.instance, keys, client.at)

        def plan(key: str) -> ShardPlan:
            """Make the plan of a day."""
            rows_of = partial(of_day, postgres_news_partition, key)
            rows = rows_of()
            return ShardPlan(Day.of(key), rows_of, dedup.aliases(rows), known.of(key, rows, hf_existing_ids), rules)

        dry_run = config.dry_run or hub.is_dry_run
        if config.unfolded is Unfolded.fold and not dry_run:
            for _ in fold(client, Day.at(datetime.now(UTC)), tell=context.log.info):
                context.log.info("A commit of the fold has landed.")
        if dry_run:
            yield from rehearsed(context, client, of_days(keys, plan))
        else:
            yield Output(of_days(keys, plan))


@asset(
    deps=[hf_parquet_shard],
    group_name="weekly",
    kinds={"huggingface", "parquet"},
    owners=_OWNERS,
    retry_policy=_RETRY,
    freshness_policy=_WEEKLY,
    metadata={"dagster/column_schema": _columns(NEWS_SCHEMA)},
    output_required=False,
)
def consolidated_dataset(context: AssetExecutionContext, config: Publishing, hub: HubResource) -> Any:
    """The dataset as one sorted file a year: shards of closed days and files of any other origin, folded with proof."""
    with final_failures():
        client, dry_run = hub.client(), config.dry_run or hub.is_dry_run
        told = FoldTold(client.head())
        for folded in fold(client, Day.at(datetime.now(UTC)), dry_run=dry_run, tell=context.log.info):
            told.add(folded)
            context.log.info(str(told))
            # A fold that fails later has left this behind, and `no_row_was_lost` begins with the first of them.
            yield AssetObservation(context.asset_key, metadata={"dry_run": dry_run} | told.metadata())
        if not dry_run:
            yield MaterializeResult(metadata=told.metadata())
        elif not told.commits:
            yield AssetObservation(context.asset_key, metadata={"dry_run": True} | told.metadata())
