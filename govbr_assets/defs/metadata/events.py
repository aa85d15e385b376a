"""Events of earlier runs, and the values of their metadata with their types."""

from collections.abc import Sequence

from dagster import (
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetRecordsFilter,
    BoolMetadataValue,
    DagsterInstance,
    IntMetadataValue,
    MetadataValue,
    TextMetadataValue,
)

Event = AssetMaterialization | AssetObservation

Metadata = dict[str, str | int | float | MetadataValue]
"""What is recorded with an event, by name."""

NO_REPO = "no repo yet"
"""In place of a revision."""

_TOGETHER = 90  # days whose events are read in one query


class Values:
    """The values of an event; one that is not there, or of another type, was recorded by hand or by another version.

    Args:
        event: None has no values.
    """

    def __init__(self, event: Event | None) -> None:
        self._metadata = event.metadata if event else {}

    def text(self, name: str) -> str:
        """Read a text; empty if it is not there."""
        value = self._metadata.get(name)
        return (value.value or "") if isinstance(value, TextMetadataValue) else ""

    def number(self, name: str) -> int | None:
        """Read a number."""
        value = self._metadata.get(name)
        return value.value if isinstance(value, IntMetadataValue) else None

    def flag(self, name: str) -> bool:
        """Read a flag; false if it is not there."""
        value = self._metadata.get(name)
        return isinstance(value, BoolMetadataValue) and bool(value.value)


def last_materializations(instance: DagsterInstance, key: AssetKey, limit: int) -> list[AssetMaterialization]:
    """Read the last materializations of an asset, the newest first."""
    records = instance.fetch_materializations(key, limit=limit).records
    return [each.asset_materialization for each in records if each.asset_materialization]


class DayEvents:
    """The last materializations of days.

    Args:
        instance: Dagster's.
        asset: the name of the asset.
        keys: the partition keys of the run, in the order in which they will be asked for.
    """

    def __init__(self, instance: DagsterInstance, asset: str, keys: Sequence[str]) -> None:
        self._instance, self._asset, self._keys = instance, asset, list(keys)
        self._events: dict[str, AssetMaterialization | None] = {}

    def of(self, key: str) -> AssetMaterialization | None:
        """Give that of a day; None if it was never materialized."""
        if key not in self._events:
            self._read_from(key)
        return self._events[key]

    def _read_from(self, key: str) -> None:
        """Read those of this day and of some after it, in one query."""
        wanted = self._keys[self._keys.index(key) :][:_TOGETHER]
        self._events = dict.fromkeys(wanted)
        records = self._instance.fetch_materializations(
            AssetRecordsFilter(AssetKey(self._asset), asset_partitions=wanted), limit=_TOGETHER * 10
        ).records
        for record in reversed(records):  # the newest last
            if record.partition_key:
                self._events[record.partition_key] = record.asset_materialization
