"""Tables to storage and back: `ArrowTableIOManager` between assets, `HubShardIOManager` for the day's shard on the Hub.

A run over one day hands one value, a run over a range a lazy mapping; both are taken a day at a time.
"""

from typing import Any

import pyarrow as pa
from dagster import ConfigurableIOManager, InputContext, OutputContext, ResourceDependency

from govbr_assets.core.days import ByDay, Day, of_day, of_days
from govbr_assets.dataset.reader import day_rows
from govbr_assets.defs.failures import days_failure, final_failures
from govbr_assets.defs.metadata.daily import SyncProgress, shard_metadata
from govbr_assets.defs.partition_events import PartitionEvents
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import ConfigurationError, NotMaterializedError, PermanentError
from govbr_assets.io.storage.tables import TableStorage
from govbr_assets.operations.sync.batches import SyncBatch, sync_days

_PROGRESS_DAYS = 500


class ArrowTableIOManager(ConfigurableIOManager):
    """Keeps tables between assets as Parquet: one for each day, or one of an asset without days.

    Attributes:
        storage_url: a folder or an fsspec URL.
        keep_days: age in days at which a table is dropped.
    """

    storage_url: str
    keep_days: str = "30"

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Write each day's table; a day that cannot be had leaves its reason and is not recorded."""
        if not context.has_asset_partitions:
            return self._handle_whole(context, obj)
        asset, keys, refused = context.asset_key.path[-1], context.asset_partition_keys, {}
        records, told = PartitionEvents(context), obj.told if isinstance(obj, ByDay) else {}
        with final_failures():
            storage = self._storage()
            for number, key in enumerate(keys):
                if number and number % _PROGRESS_DAYS == 0:
                    context.log.info(f"{number} of {len(keys)} days, {len(refused)} refused.")
                try:
                    table = of_day(obj, key)
                except PermanentError as error:
                    # What days have in common is told once, and by the asset that it befell.
                    if str(error) not in refused.values() and not isinstance(error, NotMaterializedError):
                        context.log.error(f"{key} is left out: {error}")
                    refused[key] = str(error)
                    storage.refuse(asset, key, str(error))
                    continue
                path = storage.write(asset, key, table)
                records.add(key, told.pop(key, {}) | {"dagster/row_count": table.num_rows, "path": path})
            storage.prune(asset)
        pa.default_memory_pool().release_unused()  # to the system, before the next step takes its own
        if len(refused) == len(keys):
            raise days_failure(refused, len(refused))
        return records.close()

    def _handle_whole(self, context: OutputContext, table: pa.Table) -> None:
        """Write the table of an asset without days."""
        with final_failures():
            path = self._storage().write(context.asset_key.path[-1], None, table)
        context.add_output_metadata({"dagster/row_count": table.num_rows, "path": path})

    def load_input(self, context: InputContext) -> Any:
        """Read one day's table, or promise those of a range; or the one of an asset without days."""
        with final_failures():
            storage, asset = self._storage(), context.asset_key.path[-1]
            if not context.has_asset_partitions:
                return storage.read(asset, None)
            return of_days(context.asset_partition_keys, lambda key: storage.read(asset, key))

    def _storage(self) -> TableStorage:
        """Open the storage."""
        if not self.keep_days.isdigit() or int(self.keep_days) < 1:
            raise ConfigurationError(f"GOVBR_STORAGE_DAYS is {self.keep_days!r}: write a number of days, 1 or more.")
        return TableStorage(self.storage_url, int(self.keep_days))


class HubShardIOManager(ConfigurableIOManager):
    """Publishes the plans of days as their shards, and reads a day back from wherever its rows are on the Hub.

    Attributes:
        hub: the repo.
    """

    hub: ResourceDependency[HubResource]

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Publish the days, many in one commit; each is recorded when its commit has landed."""
        keys, refused = list(context.asset_partition_keys), {}
        with final_failures():
            hub, records = self.hub.client(), PartitionEvents(context)
            progress = SyncProgress(len(keys))
            for batch in sync_days(hub, obj, keys, tell=context.log.info):
                self._tell(context, batch, progress, set(refused.values()))
                refused.update(batch.refused)
                for key, shard in batch.shards.items():
                    told = shard_metadata(batch.plans[key], shard, batch.publication, hub.repo_id)
                    if shard.withheld:
                        refused[key] = shard.withheld
                        records.observe(key, told)
                    else:
                        records.add(key, told)
                if keys[-1] in batch.shards and not refused:
                    return records.close()
                records.flush()
        raise days_failure(refused, len(keys))

    def load_input(self, context: InputContext) -> Any:
        """Read a day's rows at the newest revision: [n rows x 24], or promise those of a range."""
        with final_failures():
            hub = self.hub.client()
            head = hub.head()
            return of_days(context.asset_partition_keys, lambda key: day_rows(hub, head, Day.of(key)))

    def _tell(self, context: OutputContext, batch: SyncBatch, progress: SyncProgress, told: set[str]) -> None:
        """Tell what became of a batch, with each reason once, and how far the run is."""
        progress.add(batch)
        if notes := batch.publication.notes:
            context.log.warning(f"Readers tolerate how {len(notes)} files differ, the next fold mends it: {notes[:20]}")
        for reason, key in {reason: key for key, reason in reversed(batch.refused.items())}.items():
            if reason not in told:
                context.log.error(f"{key} is left out: {reason}")
        context.log.info(str(progress))
