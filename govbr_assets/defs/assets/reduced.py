"""The asset of the reduced dataset, which is in the graph if it has a repo."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetObservation, MaterializeResult

from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.assets.defaults import DAILY, PublishConfig, columns, owned_asset
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.projection import mirror
from govbr_assets.defs.resources import HubResource
from govbr_assets.publications import REDUCED


@owned_asset(
    deps=[hf_parquet_shard, consolidated_dataset],
    group_name="reduced",
    kinds={"huggingface", "parquet"},
    freshness_policy=DAILY,
    code_version=REDUCED.fingerprint,
    metadata={"dagster/column_schema": columns(REDUCED.spec.schema)},
    output_required=False,
)
def reduced_dataset(
    context: AssetExecutionContext, config: PublishConfig, hub: HubResource
) -> Iterator[AssetObservation | MaterializeResult]:
    """The news without their text, in a repo of its own: time, agency, title and address of each row of the dataset.

    It mirrors the full dataset file by file, and follows each commit to it by itself: after a run that publishes, and
    where automation is on after anybody's commit. Two repos cannot change in one commit: `source_revision` says which
    revision of the full dataset it mirrors.
    """
    with without_retries():
        dry_run = config.dry_run or hub.is_dry_run
        progress = mirror(hub, context.log.info, dry_run=dry_run)
        if dry_run:
            yield AssetObservation(context.asset_key, metadata=progress.to_metadata())
        else:
            yield MaterializeResult(metadata=progress.to_metadata(), data_version=progress.version)
