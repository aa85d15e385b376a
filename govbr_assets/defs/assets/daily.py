"""The assets of a day. What a run over a range means is the IO managers' business."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
from dagster import (
    AssetExecutionContext,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Config,
    DagsterType,
    DataVersion,
    Output,
)
from pydantic import Field

from govbr_assets.core import identity
from govbr_assets.core.days import ByDay, Day, DayValue
from govbr_assets.defs.assets.defaults import PLAN, TABLE, RemovalConfig, Tables, columns, owned_asset
from govbr_assets.defs.assets.sources import news, themes
from govbr_assets.defs.dry_run import dry_run_sync
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.existing_ids import ExistingIdsRecord, existing_ids_metadata, known_rows
from govbr_assets.defs.partitions import daily
from govbr_assets.defs.preview import accepted_previews
from govbr_assets.defs.resources import HubResource, PostgresResource, ViewerResource
from govbr_assets.errors import ConfigurationError
from govbr_assets.io.staged import Rows
from govbr_assets.operations.existing_ids import ExistingIdsLookup, Source
from govbr_assets.operations.sync.day_plan import DaySync, plan_days
from govbr_assets.operations.sync.options import DeletePolicy, SyncOptions, UncompactedPolicy
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS


def _daily(
    io_manager_key: str,
    dagster_type: DagsterType,
    kinds: set[str],
    schema: pa.Schema,
    *,
    code_version: str | None = None,
    deps: Sequence[AssetSpec] = (),
    output_required: bool = True,
) -> Callable[[Callable[..., object]], AssetsDefinition]:
    """Declare an asset of the daily graph: what it has in common with the others and its columns for the UI."""
    with accepted_previews():
        return owned_asset(
            partitions_def=daily,
            backfill_policy=BackfillPolicy.single_run(),
            io_manager_key=io_manager_key,
            dagster_type=dagster_type,
            group_name="daily",
            kinds=kinds,
            metadata={"dagster/column_schema": columns(schema)},
            code_version=code_version,
            deps=deps,
            output_required=output_required,
        )


@_daily(
    "table_io_manager",
    TABLE,
    {"postgres", "arrow"},
    NEWS.source_schema,
    code_version=NEWS.fingerprint,
    deps=[news, themes],
)
@without_retries()
def postgres_news_partition(context: AssetExecutionContext, postgres: PostgresResource) -> Tables:
    """The day's news in PostgreSQL: all rows published on that day in America/Sao_Paulo, as the Hub's columns."""
    context.set_data_version(context.asset_key, DataVersion(context.run.run_id))  # nobody versions what it is made of
    read = postgres.client().read_days([Day.of(key) for key in context.partition_keys])
    return ByDay(context.partition_keys, lambda key: read(Day.of(key))).plain()


class ExistingIdsConfig(Config):
    """What can be chosen in the launchpad."""

    source: Source = Field(
        default=Source.auto,
        description="auto: the viewer if its answer is certain, else the files themselves; viewer: or fail; exact.",
    )


@_daily("table_io_manager", TABLE, {"huggingface", "arrow"}, identity.EXISTING_SCHEMA)
@without_retries()
def hf_existing_ids(
    context: AssetExecutionContext, config: ExistingIdsConfig, postgres_news_partition: Tables, viewer: ViewerResource
) -> ByDay[Rows]:
    """Which of the day's rows the Hub already holds, by either of their ids, and whether in the day's own shard."""
    dataset, rows = viewer.hub.dataset(), ByDay.of(postgres_news_partition, context.partition_keys)
    asked = viewer.client(again=config.source is Source.viewer)
    lookup = ExistingIdsLookup(dataset, asked, config.source, rows, dataset.client.head())
    metadata: dict[str, Mapping[str, str | int | float]] = {}

    def find(key: str) -> Rows:
        """Find the ids of a day, and collect its metadata."""
        found = lookup.find(key)
        record = ExistingIdsRecord.of(found, rows[key], dataset.client.repo_id)
        metadata[key] = existing_ids_metadata(found, record)
        if found.reason:
            context.log.info(f"{key}: the files themselves were asked. {found.reason}")
        return record.write(found.table)

    return ByDay(rows, find, metadata)


class ShardConfig(RemovalConfig):
    """What can be chosen in the launchpad for days."""

    removals: DeletePolicy = Field(
        default=DeletePolicy.apply,
        description="apply: rows that PostgreSQL has nowhere leave the Hub; keep: they stay.",
    )
    allow_removals: bool = Field(default=False, description="Remove such rows however many they are.")
    unfolded: UncompactedPolicy = Field(
        default=UncompactedPolicy.stop,
        description="Days with rows in files that only a compaction may change. stop: they are rejected until"
        " weekly_consolidation has run; leave: these rows stay as they are; fold: no option any more.",
    )

    def options(self, news: NewsTable, hub: HubResource) -> SyncOptions:
        """Make the options of the operation, and where it asks for rows of other days.

        Raises:
            ConfigurationError: an option that was taken away is set.
        """
        if self.unfolded is UncompactedPolicy.fold:
            raise ConfigurationError(
                "`unfolded: fold` is no option of hf_parquet_shard any more: run the job weekly_consolidation (asset"
                " consolidated_dataset), then these days again without it."
            )
        return SyncOptions(
            news.lookup,
            news.too_large_among,
            self.removals,
            self.allow_removals,
            self.approved_removals or hub.approved_removals,
            self.unfolded,
        )


@_daily(
    "shard_io_manager",
    PLAN,
    {"huggingface", "parquet"},
    NEWS.schema,
    code_version=NEWS.fingerprint,
    output_required=False,
)
def hf_parquet_shard(
    context: AssetExecutionContext,
    config: ShardConfig,
    postgres_news_partition: Tables,
    hf_existing_ids: Tables,
    postgres: PostgresResource,
    hub: HubResource,
) -> Iterator[Output[DayValue[DaySync]] | AssetObservation]:
    """The day on the Hub as it is in PostgreSQL: new rows in its shard, others changed where they are."""
    with without_retries():
        dataset, table, keys = hub.dataset(), postgres.client(), context.partition_keys
        rows, existing = ByDay.of(postgres_news_partition, keys), ByDay.of(hf_existing_ids, keys)
        too_large = table.too_large(list(map(Day.of, keys)))
        plans = plan_days(
            rows, lambda key, found: known_rows(existing[key], found, dataset), config.options(table, hub), too_large
        )
        dry_run = config.dry_run or hub.is_dry_run
        if dry_run:
            yield from dry_run_sync(context, dataset, plans)
        else:
            yield Output(plans.plain())
