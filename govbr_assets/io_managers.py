"""Tables to storage and back: `ArrowTableIOManager` between assets, `HubShardIOManager` for the day's shard on the Hub.

A run over one day hands one value, a run over a range a lazy mapping; both are taken a day at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from dagster import (
    AssetMaterialization,
    ConfigurableIOManager,
    DagsterEvent,
    InputContext,
    MetadataValue,
    OutputContext,
    ResourceDependency,
)

from govbr_assets.core.days import ByDay, Day
from govbr_assets.core.layout import shard_path
from govbr_assets.errors import ConfigurationError, PermanentError
from govbr_assets.failures import days_failure, final_failures
from govbr_assets.hub import Publication, Snapshot, day_rows, publish
from govbr_assets.resources import HubResource
from govbr_assets.shards import Shard, ShardPlan, ShardsPlan
from govbr_assets.storage import TableStorage

COMMIT_DAYS = 90
"""Days of one commit in a run over a range: with the card still under the 100 files that a commit should have."""

_PREVIEW = ("published_at", "agency", "title", "unique_id")


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
            for key in context.asset_partition_keys:
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
        """Publish up to `COMMIT_DAYS` days a commit; each is recorded when its commit has landed."""
        keys, refused, guess = list(context.asset_partition_keys), {}, None
        for first in range(0, len(keys), COMMIT_DAYS):
            batch = keys[first : first + COMMIT_DAYS]
            with final_failures():
                landed, refused_now, guess = self._publish(context, obj, batch, guess)
            refused.update(refused_now)
            if len(keys) > 1:
                context.log.info(
                    f"{first + len(batch)} of {len(keys)} days done, {len(refused)} refused; at {batch[-1]}."
                )
            if batch[-1] == keys[-1] and not refused:
                return _record_only(context, landed)  # Dagster records the last ones itself when the step succeeds
            for key in landed:
                metadata = context.step_context.get_asset_metadata(context.asset_key, key)
                event = AssetMaterialization(context.asset_key, partition=key, metadata=metadata)
                yield DagsterEvent.asset_materialization(context.step_context, event)
        raise days_failure(refused, len(keys))

    def load_input(self, context: InputContext) -> Any:
        """Read a day's rows at the newest revision: [n rows x 24], or promise those of a range."""
        with final_failures():
            hub = self.hub.client()
            head = hub.head()
            return of_days(context.asset_partition_keys, lambda key: day_rows(hub, head, Day.of(key)))

    def _publish(
        self, context: OutputContext, obj: Any, keys: list[str], guess: Snapshot | None
    ) -> tuple[list[str], dict[str, str], Snapshot | None]:
        """Publish some days in one commit.

        Returns:
            The days that are on the Hub, why others are not, and the revision to plan the next days at.
        """
        plans, refused = {}, {}
        for key in keys:
            try:
                plans[key] = of_day(obj, key)
            except PermanentError as error:
                refused[key] = str(error)
        if not plans:
            return [], refused, guess
        plan, hub = ShardsPlan(plans), self.hub.client()
        publication = publish(hub, plan, guess or next(iter(plans.values())).known.snapshot)
        for key, shard in plan.shards.items():
            _add_metadata(context, key, _shard_metadata(key, plans[key], shard, publication))
        return list(plan.shards), refused | plan.refused, hub.at(publication.after)


def of_days(keys: Sequence[str], make: Callable[[str], Any]) -> Any:
    """Give the value of one day, or a lazy mapping for a range."""
    return make(keys[0]) if len(keys) == 1 else ByDay(keys, make)


def of_day(value: Any, key: str) -> Any:
    """Take one day out of what `of_days` gave."""
    return value[key] if isinstance(value, ByDay) else value


def _shard_metadata(key: str, plan: ShardPlan, shard: Shard, publication: Publication) -> dict[str, Any]:
    """Tell what became of a day."""
    return {
        "postgres_rows": plan.rows.num_rows,
        "existing_rows": plan.rows.num_rows - shard.new,
        "new_rows": shard.new,
        "dagster/row_count": shard.rows.num_rows,
        "bytes": len(shard.file or b""),
        "path": shard_path(Day.of(key)),
        "published": shard.file is not None,
        "revision_before": publication.before or "no repo yet",
        "revision_after": publication.after or "no repo yet",
        "preview": MetadataValue.md(_preview(shard.rows)),
    }


def _preview(rows: pa.Table) -> str:
    """Show the first rows as a Markdown table."""
    cells = [
        " | ".join(str(value).replace("|", "\\|").replace("\n", " ")[:100] for value in row.values())
        for row in rows.select(_PREVIEW).slice(0, 5).to_pylist()
    ]
    return "\n".join([" | ".join(_PREVIEW), " | ".join("---" for _ in _PREVIEW), *cells])


def _add_metadata(context: OutputContext, key: str, metadata: Mapping[str, Any]) -> None:
    """Add to the materialization of one day, also in a run over a range."""
    context.step_context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=key)


def _record_only(context: OutputContext, keys: Sequence[str]) -> None:
    """Keep Dagster from recording days of the run that are not there.

    Dagster has no public way: it records every partition of the step once its output is handled, so the set that it
    is about to record is replaced. A test holds it to that.
    """
    context._asset_partitions_subset = context.asset_partitions_def.subset_with_partition_keys(keys)
