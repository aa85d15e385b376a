"""Tables to storage and back: `ArrowTableIOManager` between assets, `HubShardIOManager` for the day's shard on the Hub.

A run over one day hands one value, a run over a range a lazy mapping; both are taken a day at a time.
"""

from contextlib import suppress

import pyarrow as pa
from dagster import ConfigurableIOManager, InputContext, OutputContext, ResourceDependency

from govbr_assets.core.counting import count
from govbr_assets.core.days import ByDay, Day, DayValue
from govbr_assets.defs.failures import days_failure, without_retries
from govbr_assets.defs.metadata.daily import day_metadata
from govbr_assets.defs.metadata.progress import SyncProgress
from govbr_assets.defs.newest_revision import note_newest
from govbr_assets.defs.partition_events import PartitionEvents
from govbr_assets.defs.projection import follow
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import ConfigurationError, GovbrAssetsError, NotMaterializedError, PermanentError
from govbr_assets.io.settings import cleaned, whole_number
from govbr_assets.io.staged import Rows
from govbr_assets.io.storage.tables import TableStorage
from govbr_assets.operations.sync.batches import SyncBatch, sync_days
from govbr_assets.operations.sync.day_plan import DaySync

_PROGRESS_DAYS = 500


class ArrowTableIOManager(ConfigurableIOManager):
    """Keeps tables between assets as Parquet: one for each day, or one of an asset without days.

    Attributes:
        storage_url: a folder or an fsspec URL.
        keep_days: age in days at which a table is dropped.
        repo_id: of the dataset that the tables are for; those of several may be at one URL.
    """

    storage_url: str
    keep_days: str = "30"
    repo_id: str = ""

    def handle_output(self, context: OutputContext, obj: DayValue[Rows]) -> None:
        """Write each day's table, or the one of an asset without days."""
        with without_retries():
            if isinstance(obj, ByDay) or context.has_asset_partitions:
                return self._write_days(context, ByDay.of(obj, context.asset_partition_keys))
            return self._write_whole(context, obj)

    def _write_days(self, context: OutputContext, days: ByDay[Rows]) -> None:
        """Write each day's table; a day that cannot be had leaves its reason and is not recorded."""
        asset, rejected, storage = context.asset_key.path[-1], dict[str, str](), self.storage()
        with PartitionEvents(context) as events:
            for number, key in enumerate(days):
                if number and number % _PROGRESS_DAYS == 0:
                    context.log.info(f"{number:,} of {count(len(days), 'day')}, {len(rejected):,} rejected.")
                try:
                    table = days[key]
                except PermanentError as error:
                    # What days have in common is logged once, and by the asset that it befell.
                    if str(error) not in rejected.values() and not isinstance(error, NotMaterializedError):
                        context.log.error(f"{key} is left out: {error}")
                    rejected[key] = str(error)
                    storage.reject(asset, key, str(error))
                    continue
                path = storage.write(asset, key, table)
                counted = {"dagster/partition_row_count": table.num_rows, "path": path}
                events.materialize(key, {**days.metadata.pop(key, {}), **counted})
            storage.prune(asset)
            pa.default_memory_pool().release_unused()  # to the system, before the next step takes its own
            if len(rejected) == len(days):
                raise days_failure(rejected, len(rejected))
            events.finish()

    def _write_whole(self, context: OutputContext, table: Rows) -> None:
        """Write the table of an asset without days."""
        path = self.storage().write(context.asset_key.path[-1], None, table)
        context.add_output_metadata({"dagster/row_count": table.num_rows, "path": path})

    def load_input(self, context: InputContext) -> DayValue[Rows]:
        """Read one day's table, or promise those of a range; or the one of an asset without days."""
        with without_retries():
            storage, asset = self.storage(), context.asset_key.path[-1]
            if not context.has_asset_partitions:
                return storage.read(asset, None)
            return ByDay(context.asset_partition_keys, lambda key: storage.read(asset, key)).plain()

    def storage(self) -> TableStorage:
        """Open the storage; contacts nobody yet.

        Raises:
            ConfigurationError: a setting is malformed.
        """
        days = whole_number(cleaned(self.keep_days))
        if not days:
            raise ConfigurationError(f"GOVBR_STORAGE_DAYS is {self.keep_days!r}: write a number of days, 1 or more.")
        return TableStorage("/".join(filter(None, [cleaned(self.storage_url).rstrip("/"), self.repo_id])), days)


class HubShardIOManager(ConfigurableIOManager):
    """Publishes the plans of days as their shards, and reads a day back from wherever its rows are on the Hub.

    Attributes:
        hub: the repo.
    """

    hub: ResourceDependency[HubResource]

    def handle_output(self, context: OutputContext, obj: DayValue[DaySync]) -> None:
        """Publish the days, many in one commit; each is recorded when its commit has landed; then mirror them."""
        plans = ByDay.of(obj, context.asset_partition_keys)
        with without_retries():
            rejected = self._publish(context, plans)
            with suppress(GovbrAssetsError):  # then a check asks
                note_newest(context.run_id, context.asset_key, self.hub.dataset().client.last_head())
            follow(self.hub, context.step_context.instance, context.log)
        if rejected:
            raise days_failure(rejected, len(plans))

    def _publish(self, context: OutputContext, plans: ByDay[DaySync]) -> dict[str, str]:
        """Publish the days; return why some are rejected, by day."""
        rejected = dict[str, str]()
        dataset, last = self.hub.dataset(), list(plans)[-1]
        progress = SyncProgress(len(plans))
        with PartitionEvents(context) as events:
            for batch in sync_days(dataset, plans, log=context.log.info):
                self._log(context, batch, progress, set(rejected.values()))
                rejected.update(batch.rejected)
                for key, shard in batch.days.items():
                    metadata = day_metadata(batch.plans[key], shard, batch.result, dataset)
                    if shard.blocked:
                        rejected[key] = shard.blocked
                        events.observe(key, metadata)
                    else:
                        events.materialize(key, metadata)
                if last in batch.days and not rejected:
                    events.finish()
                    return rejected
                events.flush()
        return rejected

    def load_input(self, context: InputContext) -> DayValue[pa.Table]:
        """Read a day's rows at the newest revision: [n rows x 24], or promise those of a range."""
        with without_retries():
            dataset = self.hub.dataset()
            head = dataset.client.head()
            return ByDay(context.asset_partition_keys, lambda key: dataset.reader.day_rows(head, Day.of(key))).plain()

    def _log(self, context: OutputContext, batch: SyncBatch, progress: SyncProgress, logged: set[str]) -> None:
        """Log what became of a batch, with each reason once, and how far the run is."""
        progress.add(batch)
        if notes := batch.result.notes:
            context.log.warning(
                f"Readers tolerate how {len(notes)} files differ, the next compaction mends it: {notes[:20]}"
            )
        for reason, key in {reason: key for key, reason in reversed(batch.rejected.items())}.items():
            if reason not in logged:
                context.log.error(f"{key} is left out: {reason}")
        context.log.info(str(progress))
