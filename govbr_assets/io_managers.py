"""Tables to storage and back: `ArrowTableIOManager` between assets, `HubShardIOManager` for the day's shard on the Hub.

A run over one day hands one value, a run over a range a lazy mapping; both are taken a day at a time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from dagster import (
    AssetMaterialization,
    ConfigurableIOManager,
    DagsterEvent,
    InputContext,
    OutputContext,
    ResourceDependency,
)

from govbr_assets.batches import Batch, in_batches
from govbr_assets.core.days import Day, of_day, of_days
from govbr_assets.errors import ConfigurationError, PermanentError
from govbr_assets.failures import days_failure, final_failures
from govbr_assets.hub import day_rows
from govbr_assets.resources import HubResource
from govbr_assets.storage import TableStorage
from govbr_assets.told import Progress, shard_metadata

_PROGRESS_DAYS = 500


class ArrowTableIOManager(ConfigurableIOManager):
    """Keeps tables between assets as Parquet.

    Attributes:
        storage_url: a folder or an fsspec URL.
        keep_days: age in days at which a table is dropped.
    """

    storage_url: str
    keep_days: str = "30"

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Write each day's table; a day that cannot be had leaves its reason and is not recorded."""
        asset, refused = context.asset_key.path[-1], {}
        with final_failures():
            storage = self._storage()
            for number, key in enumerate(context.asset_partition_keys):
                if number and number % _PROGRESS_DAYS == 0:
                    context.log.info(f"{number} of {len(context.asset_partition_keys)} days, {len(refused)} refused.")
                try:
                    table = of_day(obj, key)
                except PermanentError as error:
                    refused[key] = str(error)
                    storage.refuse(asset, key, str(error))
                    context.log.error(f"{key} is left out: {error}")
                    continue
                _add_metadata(
                    context, key, {"dagster/row_count": table.num_rows, "path": storage.write(asset, key, table)}
                )
            storage.prune(asset)
        pa.default_memory_pool().release_unused()  # to the system, before the next step takes its own
        if len(refused) == len(context.asset_partition_keys):
            raise days_failure(refused, len(refused))
        _record_only(context, [key for key in context.asset_partition_keys if key not in refused])

    def load_input(self, context: InputContext) -> Any:
        """Read one day's table, or promise those of a range."""
        storage, asset = self._storage(), context.asset_key.path[-1]
        with final_failures():
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

    def handle_output(self, context: OutputContext, obj: Any) -> Any:  # a generator of events, which Dagster takes too
        """Publish the days, many in one commit; each is recorded when its commit has landed."""
        keys, refused = list(context.asset_partition_keys), {}
        with final_failures():
            hub = self.hub.client()
            progress = Progress(len(keys))
            for batch in in_batches(hub, obj, keys, tell=context.log.info):
                self._tell(context, batch, progress)
                refused.update(batch.refused)
                told = {
                    key: shard_metadata(batch.plans[key], shard, batch.publication)
                    for key, shard in batch.shards.items()
                }
                if keys[-1] in told and not refused:  # Dagster itself records the last ones when all is well
                    for key, metadata in told.items():
                        _add_metadata(context, key, metadata)
                    return _record_only(context, list(told))
                for key, metadata in told.items():
                    event = AssetMaterialization(context.asset_key, partition=key, metadata=metadata)
                    yield DagsterEvent.asset_materialization(context.step_context, event)
        raise days_failure(refused, len(keys))

    def load_input(self, context: InputContext) -> Any:
        """Read a day's rows at the newest revision: [n rows x 24], or promise those of a range."""
        with final_failures():
            hub = self.hub.client()
            head = hub.head()
            return of_days(context.asset_partition_keys, lambda key: day_rows(hub, head, Day.of(key)))

    def _tell(self, context: OutputContext, batch: Batch, progress: Progress) -> None:
        """Tell what became of a batch, and how far the run is."""
        progress.add(batch)
        if notes := batch.publication.notes:
            context.log.warning(f"Readers tolerate how {len(notes)} files differ, the next fold mends it: {notes[:20]}")
        for key, reason in batch.refused.items():
            context.log.error(f"{key} is left out: {reason}")
        context.log.info(str(progress))


def _add_metadata(context: OutputContext, key: str, metadata: Mapping[str, Any]) -> None:
    """Add to the materialization of one day, also in a run over a range."""
    context.step_context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=key)


def _record_only(context: OutputContext, keys: Sequence[str]) -> None:
    """Keep Dagster from recording days of the run that are not there.

    Dagster has no public way: it records every partition of the step once its output is handled, so the set that it
    is about to record is replaced. A test holds it to that.
    """
    context._asset_partitions_subset = context.asset_partitions_def.subset_with_partition_keys(keys)
