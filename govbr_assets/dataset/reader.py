"""Rows out of files on the Hub: what was kept of a content first, then ranged reads of what is needed.

Files are Parquet but for those of somebody else that no compaction has moved over: of CSV and JSON all is read.

Where in a file a column lies is `ranges`' business, what is kept between two runs `kept`'s.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.conform_file import conform_file
from govbr_assets.core.contract import within
from govbr_assets.core.days import Day
from govbr_assets.core.formats import PARQUET
from govbr_assets.core.text_tables import READABLE as READABLE_TEXT
from govbr_assets.core.text_tables import text_tables
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.client import DataFile, RepoClient, Snapshot
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.huggingface.metadata_cache import KEYS_SCHEMA
from govbr_assets.huggingface.range_reader import ColumnReader, metadata_of, read_footer
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import Rows
from govbr_assets.io.staging import STAGED_BYTES, parquet_rows
from govbr_assets.publications import NEWS

READABLE = (PARQUET.name, *READABLE_TEXT)
"""Formats of files that rows can be read from."""

_WHOLE = 1 << 20  # bytes: of a file up to this size all columns are one request


def day_rows(hub: RepoClient, snapshot: Snapshot, day: Day, columns: list[str] | None = None) -> pa.Table:
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
    names = columns or NEWS.schema.names
    found = [file_rows(hub, file, names, day) for file in snapshot.files_for(day)]
    return pa.concat_tables([_schema(names).empty_table(), *found])


def file_rows(hub: RepoClient, file: DataFile, columns: list[str] | None = None, day: Day | None = None) -> pa.Table:
    """Read rows of one file: those of a day, or all of them.

    Returns:
        [n rows x columns] with the contract's types, in the order of the file.
    """
    names = columns or NEWS.schema.names
    return pa.concat_tables([_schema(names).empty_table(), *row_groups(hub, file, names, day)])


def whole_file(hub: RepoClient, file: DataFile, bring: Callable[[], Path]) -> Rows:
    """Read all rows of one file: [n rows x 24], which stay on the disk if they are many.

    Args:
        hub: the repo.
        file: the file.
        bring: makes a local copy of it, which stays as long as somebody has the rows.
    """
    content: Blob
    if file.size <= _WHOLE:
        with reading(hub, file), hub.open(file) as remote:
            content = remote.read(file.size)
    elif sum(size for _, size in group_sizes(footer(hub, file))) > STAGED_BYTES:
        content = bring()
    else:
        return file_rows(hub, file)
    with reading(hub, file):
        parquet = pq.ParquetFile(opened(content), pre_buffer=False)
        _check_columns(file, parquet.schema_arrow, set(NEWS.schema.names))
        return parquet_rows(parquet, NEWS.schema, lambda: reading(hub, file))


def footer(hub: RepoClient, file: DataFile) -> pq.FileMetaData:
    """Read what the footer of a file says, which is kept."""
    end = hub.kept.footer(file.content)
    if end is None:
        with reading(hub, file), hub.open(file) as remote:
            end = read_footer(remote, file.size)
        hub.kept.keep_footer(file.content, end)
    with reading(hub, file):
        return metadata_of(end)


def text_rows(hub: RepoClient, file: DataFile, content: IO[bytes] | None = None) -> Iterator[pa.Table]:
    """Stream the rows of a CSV or JSON file, from the Hub or from its bytes: [n rows x 24] each of the contract.

    Raises:
        ContractError: something would be lost or guessed; the message names file, column, row and value.
    """
    assert file.text, file.path
    with translated_errors(hub.repo_id, f"reading {file.path}"), content or hub.open(file) as opened:
        for rows in text_tables(opened, *file.text, file.path, NEWS.schema):
            yield conform_file(rows, file.path, NEWS.schema)


def count_rows(hub: RepoClient, file: DataFile) -> int:
    """Count the rows of a file."""
    if file.text:
        with translated_errors(hub.repo_id, f"reading {file.path}"), hub.open(file) as opened:
            return sum(rows.num_rows for rows in text_tables(opened, *file.text, file.path, NEWS.schema))
    return footer(hub, file).num_rows


def begins_empty(hub: RepoClient, file: DataFile) -> bool:
    """Say whether a Parquet file begins with a row group without rows, which `datasets` cannot load.

    Source: measured with datasets 5.2; a file without row groups is fine, and so are both for all other readers.
    """
    file_schema(hub, file)
    return file.content in hub.empty_starts


def has_no_rows(hub: RepoClient, file: DataFile) -> bool:
    """Say whether a Parquet file begins so, and has no rows behind that either."""
    return begins_empty(hub, file) and not footer(hub, file).num_rows


def file_schema(hub: RepoClient, file: DataFile) -> pa.Schema:
    """Read the Arrow schema that a file on the Hub has, from its footer; one of text has none."""
    if file.text:
        return pa.schema([])
    if file.content not in hub.schemas:
        metadata = footer(hub, file)
        if metadata.num_row_groups and not metadata.row_group(0).num_rows:
            hub.empty_starts.add(file.content)
        remember_schema(hub, file, metadata.schema.to_arrow_schema(), metadata.num_rows)
    return hub.schemas[file.content]


def remember_schema(hub: RepoClient, file: DataFile, schema: pa.Schema, rows: int) -> None:
    """Note the schema and the rows of a file that is at hand, so that nobody fetches its footer in this run."""
    hub.row_counts[file.content] = rows
    same = schema.equals(NEWS.schema, check_metadata=True)
    hub.schemas[file.content] = NEWS.schema if same else schema  # thousands of them would be megabytes


def row_groups_of_day(metadata: pq.FileMetaData, day: Day) -> list[int]:
    """List the row groups that can hold rows of a day, by what the footer says of their times."""
    return [index for index in range(metadata.num_row_groups) if not _misses(metadata, index, day)]


def row_group(hub: RepoClient, file: DataFile, index: int) -> pa.Table:
    """Read one row group of a file that has the contract's columns: [n rows x 24]."""
    metadata = footer(hub, file)
    with reading(hub, file), hub.open(file) as remote:
        rows = ColumnReader(remote, file.size, metadata).read(index, NEWS.schema.names)
        return _as_contract(rows.select(NEWS.schema.names))


def row_groups(hub: RepoClient, file: DataFile, columns: list[str], day: Day | None = None) -> Iterator[pa.Table]:
    """Stream a file by row groups: those rows of each that belong to the day, or all.

    Returns:
        [n rows x columns] each, with the contract's types, in the order of the file.
    """
    if set(columns) <= set(KEYS_SCHEMA.names) and (kept := hub.kept.keys(file.content)):
        for rows in kept:
            yield (rows.filter(within(rows["published_at"], day)) if day else rows).select(columns)
        return
    if file.text:
        for rows in text_rows(hub, file):
            yield (rows.filter(within(rows["published_at"], day)) if day else rows).select(columns)
        return
    at_once = file.size <= _WHOLE and len(columns) > len(KEYS_SCHEMA)
    metadata = None if at_once else footer(hub, file)
    with reading(hub, file), hub.open(file) as remote:
        if metadata is None:
            remote = io.BytesIO(remote.read(file.size))
            metadata = metadata_of(read_footer(remote, file.size))
        if not metadata.num_rows:
            return
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


def _check_columns(file: DataFile, schema: pa.Schema, wanted: set[str]) -> None:
    """Raise unless the columns can be read as the contract's: text is no time, and what is missing is not empty."""
    for name in wanted:
        target = NEWS.schema.field(name).type
        found = schema.field(name).type if name in schema.names else "missing"
        if found == "missing" or (pa.types.is_timestamp(target) and not _is_time(found)):
            raise ContractError(
                f"{file.path} on the Hub has column {name} as {found}, not as {target}: fold or replace it first."
            )


def _is_time(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_null(kind)


@contextmanager
def reading(hub: RepoClient, file: DataFile) -> Iterator[None]:
    """Speak of what goes wrong with a file: the Hub fails, or the file is not what it should be."""
    told = f"{file.path} on the Hub cannot be read as the published schema"
    try:
        with translated_errors(hub.repo_id, f"reading {file.path}"):
            try:
                yield
            except (pa.ArrowException, KeyError) as error:
                raise ContractError(f"{told}: {error}") from error
    except OSError as error:  # the Hub's own failures are none by now
        raise ContractError(f"{told}: {error}") from error


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
    return pa.schema([NEWS.schema.field(name) for name in names])
