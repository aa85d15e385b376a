"""Events of earlier runs, and the values of their metadata with their types."""

from collections.abc import Iterator, Sequence

from dagster import (
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetRecordsFilter,
    BoolMetadataValue,
    DagsterInstance,
    EventLogRecord,
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

_LATELY, _PAGE = 1000, 100  # materializations that are looked through, and read in one query


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


def materializations(instance: DagsterInstance, wanted: AssetRecordsFilter) -> Iterator[EventLogRecord]:
    """Read the last materializations of an asset, the newest first, and no more of them than are asked for.

    Whoever looks for one of a repo passes over those of others: records of several repos may be in one storage.

    Args:
        instance: Dagster's.
        wanted: which ones.

    Yields:
        At most some thousand.
    """
    cursor, left, page = None, _LATELY, 1  # the first one is the right one, most often
    while left > 0:
        found = instance.fetch_materializations(wanted, limit=page, cursor=cursor)
        yield from found.records
        if not found.has_more:
            return
        cursor, left, page = found.cursor, left - page, _PAGE


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
