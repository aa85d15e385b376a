"""The dry run: all of a publication but the commit, observed and not materialized.

Checks of the shard do not run after it: there is nothing to judge.
"""

from collections.abc import Iterator, Mapping

from dagster import AssetExecutionContext, AssetObservation

from govbr_assets.dataset import Dataset
from govbr_assets.defs.failures import days_failure
from govbr_assets.defs.metadata.daily import day_metadata, day_table
from govbr_assets.defs.metadata.progress import SyncProgress
from govbr_assets.operations.sync.batches import sync_days
from govbr_assets.operations.sync.day_plan import DaySync


def dry_run_sync(
    context: AssetExecutionContext, dataset: Dataset, plans: Mapping[str, DaySync]
) -> Iterator[AssetObservation]:
    """Plan the days of a run, and give what would become of each as an observation.

    Raises:
        Failure: days that would be rejected, by name.
    """
    rejected, asset = dict[str, str](), context.asset_key
    progress = SyncProgress(len(plans))
    for batch in sync_days(dataset, plans, dry_run=True, log=context.log.info):
        progress.add(batch)
        rejected.update(batch.rejected)
        for key, shard in batch.days.items():
            metadata = progress.to_metadata() if len(plans) == 1 else {"dry_run": True}
            metadata |= day_metadata(batch.plans[key], shard, batch.result, dataset)
            rejected |= {key: shard.blocked} if shard.blocked else {}
            context.log.info(f"{key}:\n{day_table(shard)}")
            yield AssetObservation(asset, partition=key, metadata=metadata)
    context.log.info(f"Dry run, nothing was published: {progress}")
    if len(plans) > 1:
        yield AssetObservation(
            asset, description="Dry run: the plan of the whole run.", metadata=progress.to_metadata()
        )
    if rejected:
        raise days_failure(rejected, len(plans), dry_run=True)
