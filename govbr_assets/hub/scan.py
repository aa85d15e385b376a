"""Rows out of Parquet files on the Hub, with ranged reads: footers first, then the row groups and columns needed."""

import io
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.contract import NEWS_SCHEMA, within
from govbr_assets.core.days import Day
from govbr_assets.errors import ContractError
from govbr_assets.hub.failures import hub_failures
from govbr_assets.hub.repo import Hub, HubFile, Snapshot

_WHOLE = 1 << 20  # bytes: a file up to this size is one request, fetched whole


def day_rows(hub: Hub, snapshot: Snapshot, day: Day, columns: list[str] | None = None) -> pa.Table:
    """Read the rows of a day, in whatever files they lie.

    Args:
        hub: the repo.
        snapshot: the revision to read.
        day: the day; `published_at` decides.
        columns: names from the contract; None reads all.

    Returns:
        [n rows x columns] with the contract's types, in the order of files.

    Raises:
        ContractError: a file cannot be read as the contract's types.
        HubUnavailableError: the Hub is out of reach.
    """
    names = columns or NEWS_SCHEMA.names
    found = [file_rows(hub, snapshot, file, names, day) for file in snapshot.files_for(day)]
    return pa.concat_tables([_schema(names).empty_table(), *found])


def file_rows(
    hub: Hub, snapshot: Snapshot, file: HubFile, columns: list[str] | None = None, day: Day | None = None
) -> pa.Table:
    """Read rows of one file: those of a day, or all of them.

    Returns:
        [n rows x columns] with the contract's types, in the order of the file.
    """
    names = columns or NEWS_SCHEMA.names
    with hub_failures(hub.repo_id, f"reading {file.path}"), _open(hub, snapshot, file) as source:
        try:
            parquet = pq.ParquetFile(source, pre_buffer=file.size > _WHOLE)
            groups = [_group_rows(parquet, index, names, day) for index in range(parquet.num_row_groups)]
            rows = pa.concat_tables([_schema(names).empty_table(), *(_as_contract(group) for group in groups)])
        except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, KeyError) as error:
            raise ContractError(f"{file.path} on the Hub cannot be read as the published schema: {error}") from error
    return rows


def _open(hub: Hub, snapshot: Snapshot, file: HubFile) -> IO[bytes]:
    """Open a file for reading ranges; a small one is fetched whole."""
    remote = hub.open(snapshot, file)
    return io.BytesIO(remote.read(file.size)) if file.size <= _WHOLE else remote


def _group_rows(parquet: pq.ParquetFile, index: int, columns: list[str], day: Day | None) -> pa.Table:
    """Read one row group, or the rows of a day in it: the times first, the other columns if the day is there."""
    if day is None:
        return parquet.read_row_group(index, columns, use_threads=False)
    if _misses(parquet, index, day):
        return parquet.schema_arrow.empty_table().select(columns)
    times = parquet.read_row_group(index, ["published_at"], use_threads=False)["published_at"]
    if not pa.types.is_timestamp(times.type):
        raise ContractError(f"A file on the Hub has published_at as {times.type}: fold it first.")
    # A naive time in a published file is UTC wall time, as `cast` reads it.
    inside = within(times.cast(NEWS_SCHEMA.field("published_at").type), day)
    if not pc.any(inside).as_py():
        return parquet.schema_arrow.empty_table().select(columns)
    return parquet.read_row_group(index, columns, use_threads=False).filter(inside)


def _misses(parquet: pq.ParquetFile, index: int, day: Day) -> bool:
    """Say whether the statistics of a row group rule the day out."""
    group = parquet.metadata.row_group(index)
    columns = (group.column(position) for position in range(group.num_columns))
    statistics = next((column.statistics for column in columns if column.path_in_schema == "published_at"), None)
    if statistics is None or not statistics.has_min_max or getattr(statistics.min, "tzinfo", None) is None:
        return False
    return statistics.max < day.start or statistics.min >= day.end


def _as_contract(rows: pa.Table) -> pa.Table:
    """Give rows of a tolerated schema the contract's types."""
    return rows.cast(_schema(rows.schema.names))


def _schema(names: list[str]) -> pa.Schema:
    """Take some columns of the contract."""
    return pa.schema([NEWS_SCHEMA.field(name) for name in names])


def file_schema(hub: Hub, snapshot: Snapshot, file: HubFile) -> pa.Schema:
    """Read the Arrow schema that a file on the Hub has, from its footer."""
    with hub_failures(hub.repo_id, f"reading {file.path}"), _open(hub, snapshot, file) as source:
        return pq.read_schema(source)
