"""Rows out of Parquet files on the Hub: what was kept of a content first, then ranged reads of what is needed.

Where in a file a column lies is `ranges`' business, what is kept between two runs `kept`'s.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.contract import NEWS_SCHEMA, within
from govbr_assets.core.days import Day
from govbr_assets.errors import ContractError
from govbr_assets.hub.failures import hub_failures
from govbr_assets.hub.kept import KEYS_SCHEMA
from govbr_assets.hub.ranges import ColumnReader, metadata_of, read_footer
from govbr_assets.hub.repo import Hub, HubFile, Snapshot

_WHOLE = 1 << 20  # bytes: of a file up to this size all columns are one request


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
    return pa.concat_tables([_schema(names).empty_table(), *row_groups(hub, snapshot, file, names, day)])


def footer(hub: Hub, snapshot: Snapshot, file: HubFile) -> pq.FileMetaData:
    """Read what the footer of a file says, which is kept."""
    end = hub.kept.footer(file.content)
    if end is None:
        with reading(hub, file), hub.open(snapshot, file) as remote:
            end = read_footer(remote, file.size)
        hub.kept.keep_footer(file.content, end)
    with reading(hub, file):
        return metadata_of(end)


def file_schema(hub: Hub, snapshot: Snapshot, file: HubFile) -> pa.Schema:
    """Read the Arrow schema that a file on the Hub has, from its footer."""
    if file.content not in hub.schemas:
        learn_schema(hub, file, footer(hub, snapshot, file).schema.to_arrow_schema())
    return hub.schemas[file.content]


def learn_schema(hub: Hub, file: HubFile, schema: pa.Schema) -> None:
    """Note the schema of a file that is at hand, so that nobody fetches its footer in this run."""
    same = schema.equals(NEWS_SCHEMA, check_metadata=True)
    hub.schemas[file.content] = NEWS_SCHEMA if same else schema  # thousands of them would be megabytes


def groups_with(metadata: pq.FileMetaData, day: Day) -> list[int]:
    """List the row groups that can hold rows of a day, by what the footer says of their times."""
    return [index for index in range(metadata.num_row_groups) if not _misses(metadata, index, day)]


def row_group(hub: Hub, snapshot: Snapshot, file: HubFile, index: int) -> pa.Table:
    """Read one row group of a file that has the contract's columns: [n rows x 24]."""
    metadata = footer(hub, snapshot, file)
    with reading(hub, file), hub.open(snapshot, file) as remote:
        rows = ColumnReader(remote, file.size, metadata).read(index, NEWS_SCHEMA.names)
        return _as_contract(rows.select(NEWS_SCHEMA.names))


def row_groups(
    hub: Hub, snapshot: Snapshot, file: HubFile, columns: list[str], day: Day | None = None
) -> Iterator[pa.Table]:
    """Stream a file by row groups: those rows of each that belong to the day, or all.

    Returns:
        [n rows x columns] each, with the contract's types, in the order of the file.
    """
    if set(columns) <= set(KEYS_SCHEMA.names) and (kept := hub.kept.keys(file.content)):
        for rows in kept:
            yield (rows.filter(within(rows["published_at"], day)) if day else rows).select(columns)
        return
    at_once = file.size <= _WHOLE and len(columns) > len(KEYS_SCHEMA)
    metadata = None if at_once else footer(hub, snapshot, file)
    with reading(hub, file), hub.open(snapshot, file) as remote:
        if metadata is None:
            remote = io.BytesIO(remote.read(file.size))
            metadata = metadata_of(read_footer(remote, file.size))
        _check_columns(file, metadata.schema.to_arrow_schema(), {*columns, *(["published_at"] if day else [])})
        reader = ColumnReader(remote, file.size, metadata)
        for index in range(metadata.num_row_groups):
            if not day or not _misses(metadata, index, day):
                yield _group(reader, index, columns, day)


def _group(reader: ColumnReader, index: int, columns: list[str], day: Day | None) -> pa.Table:
    """Read one row group, or the rows of a day in it: the times first, the other columns if the day is there."""
    if day is None:
        return _as_contract(reader.read(index, columns)).select(columns)
    inside = within(_as_contract(reader.read(index, ["published_at"]))["published_at"], day)
    if not pc.any(inside).as_py():
        return _schema(columns).empty_table()
    return _as_contract(reader.read(index, columns)).select(columns).filter(inside)


def _check_columns(file: HubFile, schema: pa.Schema, wanted: set[str]) -> None:
    """Raise unless the columns can be read as the contract's: text is no time, and what is missing is not empty."""
    for name in wanted:
        target = NEWS_SCHEMA.field(name).type
        found = schema.field(name).type if name in schema.names else "missing"
        if found == "missing" or (pa.types.is_timestamp(target) and not _is_time(found)):
            raise ContractError(
                f"{file.path} on the Hub has column {name} as {found}, not as {target}: fold or replace it first."
            )


def _is_time(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_null(kind)


@contextmanager
def reading(hub: Hub, file: HubFile) -> Iterator[None]:
    """Speak of what goes wrong with a file: the Hub fails, or the file is not what it should be."""
    try:
        with hub_failures(hub.repo_id, f"reading {file.path}"):
            yield
    except (pa.ArrowException, OSError, KeyError) as error:  # the Hub's own failures are none of these by now
        raise ContractError(f"{file.path} on the Hub cannot be read as the published schema: {error}") from error


def _misses(metadata: pq.FileMetaData, index: int, day: Day) -> bool:
    """Say whether the statistics of a row group rule the day out."""
    group = metadata.row_group(index)
    columns = (group.column(position) for position in range(group.num_columns))
    statistics = next((column.statistics for column in columns if column.path_in_schema == "published_at"), None)
    if statistics is None or not statistics.has_min_max or getattr(statistics.min, "tzinfo", None) is None:
        return False
    return statistics.max < day.start or statistics.min >= day.end


def _as_contract(rows: pa.Table) -> pa.Table:
    """Give rows of a tolerated schema the contract's types; a naive time in a published file is UTC wall time."""
    return rows.cast(_schema(rows.schema.names))


def _schema(names: list[str]) -> pa.Schema:
    """Take some columns of the contract."""
    return pa.schema([NEWS_SCHEMA.field(name) for name in names])
