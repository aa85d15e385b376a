"""The asset of a week."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster import AssetExecutionContext, AssetObservation, MaterializeResult

from govbr_assets.core.days import Day
from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.assets.defaults import WEEKLY, RemovalConfig, columns, owned_asset
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.compaction import CompactionProgress
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.projection import follow
from govbr_assets.defs.resources import HubResource, PostgresResource
from govbr_assets.operations.release import tag_releases
from govbr_assets.publications import NEWS

if TYPE_CHECKING:
    from govbr_assets.operations.compact.orphans import OrphanRemoval


@owned_asset(
    deps=[hf_parquet_shard],
    group_name="weekly",
    kinds={"huggingface", "parquet"},
    freshness_policy=WEEKLY,
    code_version=NEWS.fingerprint,
    metadata={"dagster/column_schema": columns(NEWS.schema)},
    output_required=False,
)
def consolidated_dataset(
    context: AssetExecutionContext, config: RemovalConfig, hub: HubResource, postgres: PostgresResource
) -> Iterator[AssetObservation | MaterializeResult]:
    """The dataset as one sorted file a year: shards of closed days and files of any other origin, compacted.

    Rows that PostgreSQL has nowhere and that no day's run reaches leave it, if their number is approved.
    """
    from govbr_assets.operations.compact.plan import compact  # a run of a day imports this module too

    with without_retries():
        dataset, dry_run, today = hub.dataset(), config.dry_run or hub.is_dry_run, Day.at(datetime.now(UTC))
        removal = _removal(config, postgres)
        progress = CompactionProgress(dataset, dataset.client.head(), dry_run=dry_run)
        for result in compact(dataset, today, removal, dry_run=dry_run, log=context.log.info):
            progress.add(result)
            context.log.info(str(progress))
            for sentence in result.unwritten:
                context.log.warning(sentence)
            # A compaction that fails later leaves this behind, and `no_row_was_lost` begins with the first of them.
            yield AssetObservation(context.asset_key, metadata=progress.to_metadata())
        if hub.tags_releases and not dry_run:
            tags = tag_releases(dataset, log=context.log.info)
            progress.tagged(tags)
            if tags.problem:
                context.log.warning(tags.problem)
        if not dry_run:
            yield MaterializeResult(metadata=progress.to_metadata(), data_version=progress.version)
            follow(hub, context.instance, context.log)
        elif not progress.commits:
            yield AssetObservation(context.asset_key, metadata=progress.to_metadata())


def _removal(config: RemovalConfig, postgres: PostgresResource) -> "OrphanRemoval | None":
    """Return by which approval rows go that no day's run reaches; without one PostgreSQL is not asked for anything."""
    if not config.approved_removals:
        return None
    from govbr_assets.operations.compact.orphans import OrphanRemoval

    return OrphanRemoval(config.approved_removals, Day(FIRST_DAY), postgres.client().existing_among)
