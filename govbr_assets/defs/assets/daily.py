"""The assets of a day. What a run over a range means is the IO managers' business."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import UnionType
from typing import Any

import pyarrow as pa
from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    Config,
    DagsterType,
    Output,
    asset,
)
from pydantic import Field

from govbr_assets.core import identity
from govbr_assets.core.days import ByDay, Day, of_day, of_days
from govbr_assets.defs.assets.defaults import OWNERS, RETRY, PublishConfig, columns
from govbr_assets.defs.dry_run import dry_run_sync
from govbr_assets.defs.failures import fails_for_good, final_failures
from govbr_assets.defs.metadata.daily import KnownRevisions, existing_metadata
from govbr_assets.defs.partitions import daily
from govbr_assets.defs.resources import HubResource, PostgresResource, ViewerResource
from govbr_assets.io.staged import Rows
from govbr_assets.operations.compact.plan import fold
from govbr_assets.operations.existing_ids import ExistingIdsLookup, Source
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.options import DeletePolicy, SyncOptions, UncompactedPolicy
from govbr_assets.publications import NEWS


def _days_of(kind: type | UnionType, name: str) -> DagsterType:
    """Make the type of a value: one day's, or a lazy mapping from day to it."""
    return DagsterType(
        lambda _, value: isinstance(value, kind | ByDay), name, description=f"A day's {name}, or many days'."
    )


TABLE, PLAN = _days_of(Rows, "table"), _days_of(DaySync, "plan")


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
        owners=OWNERS,
        retry_policy=RETRY,
        metadata={"dagster/column_schema": columns(schema)},
        output_required=output_required,
    )


@_daily("table_io_manager", TABLE, {"postgres", "arrow"}, NEWS.source_schema)
@fails_for_good
def postgres_news_partition(context: AssetExecutionContext, postgres: PostgresResource) -> Any:
    """The day's news in PostgreSQL: all rows published on that day in America/Sao_Paulo, as the Hub's columns."""
    take = postgres.client().read_days([Day.of(key) for key in context.partition_keys])
    return of_days(context.partition_keys, lambda key: take(Day.of(key)))


class ExistingIdsConfig(Config):
    """What can be chosen in the launchpad."""

    source: Source = Field(
        default=Source.auto,
        description="auto: the viewer if its answer is certain, else the files themselves; viewer: or fail; exact.",
    )


@_daily("table_io_manager", TABLE, {"huggingface", "arrow"}, identity.EXISTING_SCHEMA)
@fails_for_good
def hf_existing_ids(
    context: AssetExecutionContext, config: ExistingIdsConfig, postgres_news_partition: Any, viewer: ViewerResource
) -> Any:
    """Which of the day's rows the Hub already holds, by either of their ids, and whether in the day's own shard."""
    hub, rows_of = viewer.hub.client(), partial(of_day, postgres_news_partition)
    keys, told = context.partition_keys, {}
    asked = viewer.client(again=config.source is Source.viewer)
    existing = ExistingIdsLookup(hub, asked, config.source, keys, rows_of, hub.head())

    def find(key: str) -> pa.Table:
        """Find the ids of a day, and note what is to be told of it."""
        found = existing.find(key)
        told[key] = existing_metadata(found, rows_of(key), hub.repo_id)
        if found.reason:
            context.log.info(f"{key}: the files themselves were asked. {found.reason}")
        return found.table

    return ByDay(keys, find, told)


class ShardConfig(PublishConfig):
    """What can be chosen in the launchpad for days."""

    removals: DeletePolicy = Field(
        default=DeletePolicy.apply,
        description="apply: rows that PostgreSQL has nowhere leave the Hub; keep: they stay.",
    )
    allow_removals: bool = Field(default=False, description="Remove such rows however many they are.")
    unfolded: UncompactedPolicy = Field(
        default=UncompactedPolicy.stop,
        description="Days with rows in files that only a fold may change. stop: they are refused; fold: the dataset is"
        " folded first; leave: these rows stay as they are.",
    )


@_daily("shard_io_manager", PLAN, {"huggingface", "parquet"}, NEWS.schema, output_required=False)
def hf_parquet_shard(
    context: AssetExecutionContext,
    config: ShardConfig,
    postgres_news_partition: Any,
    hf_existing_ids: Any,
    postgres: PostgresResource,
    hub: HubResource,
) -> Any:
    """The day on the Hub as it is in PostgreSQL: new rows in its shard, others changed where they are."""
    with final_failures():
        client, keys = hub.client(), context.partition_keys
        news, choices = postgres.client(), (config.removals, config.allow_removals, config.unfolded)
        rules, too_large = (
            SyncOptions(news.lookup, news.too_large_among, *choices),
            news.too_large(list(map(Day.of, keys))),
        )
        known = KnownRevisions(context.instance, keys, client)

        def plan(key: str) -> DaySync:
            """Make the plan of a day."""
            rows_of = partial(of_day, postgres_news_partition, key)
            rows = rows_of()
            day, existing = Day.of(key), known.of(key, rows, hf_existing_ids)
            return DaySync(day, rows_of, identity.aliases(rows), existing, rules, too_large(day))

        dry_run = config.dry_run or hub.is_dry_run
        if config.unfolded is UncompactedPolicy.fold and not dry_run:
            for _ in fold(client, Day.at(datetime.now(UTC)), tell=context.log.info):
                context.log.info("A commit of the fold has landed.")
        if dry_run:
            yield from dry_run_sync(context, client, of_days(keys, plan))
        else:
            yield Output(of_days(keys, plan))
