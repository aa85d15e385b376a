"""Which file of the Hub holds which id: the keys of files, streamed, and kept by content so that they travel once."""

from collections.abc import Iterable, Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.conform_file import conform_file
from govbr_assets.dataset.reader import file_schema, footer, reading, row_groups
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.client import DataFile, RepoClient, Snapshot
from govbr_assets.huggingface.metadata_cache import KEYS_SCHEMA
from govbr_assets.huggingface.range_reader import ColumnReader, metadata_of, read_footer
from govbr_assets.publications import NEWS

_LOOK_UP = 10_000  # ids of small files that are looked up together

HOLDING_SCHEMA = pa.schema([("unique_id", pa.string()), ("path", pa.string())])
"""Which file holds which id, once for every time that it stands there."""


def file_keys(hub: RepoClient, file: DataFile) -> Iterator[pa.Table]:
    """Stream the keys of one file, a row group at a time, and keep them once all have been taken.

    Returns:
        [n rows x 2] each, with `KEYS_SCHEMA`, in the order of the file.
    """
    groups = row_groups(hub, file, KEYS_SCHEMA.names)
    if hub.kept.has_keys(file.content):
        yield from groups
        return
    with hub.kept.keeping_keys(file.content) as keep_rows:
        for rows in groups:
            keep_rows(rows)
            yield rows


def legacy_keys(hub: RepoClient, file: DataFile) -> Iterator[pa.Table]:
    """Stream the keys of a file whose ids and times may have other types, such as text; they are not kept.

    Returns:
        [n rows x 2] each, with `KEYS_SCHEMA`, in the order of the file.

    Raises:
        ContractError: a key is not there, or cannot become the contract's without loss.
    """
    metadata = footer(hub, file)
    with reading(hub, file), hub.open(file) as remote:
        reader = ColumnReader(remote, file.size, metadata)
        for index in range(metadata.num_row_groups) if metadata.num_rows else ():
            yield conform_file(reader.read(index, KEYS_SCHEMA.names), file.path, KEYS_SCHEMA)


def ids_at(hub: RepoClient, snapshot: Snapshot) -> Iterator[pa.Table]:
    """Stream the ids of all rows of a revision: [n rows x 1 or more] each with `unique_id`, in no order."""
    kept = hub.kept.keys(hub.key_of(snapshot.revision)) if snapshot.revision else None
    return kept or chain.from_iterable(_ids(hub, file) for file in snapshot.data_files)


def file_digests(hub: RepoClient, file: DataFile, digested: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Stream the keys of one file, each with the digest of its row, and keep them once all have been taken.

    Args:
        hub: the repo.
        file: the file.
        digested: makes them of its rows, [n rows x 3] each of `DIGESTS_SCHEMA`; taken only if nothing is kept.
    """
    if kept := hub.kept.digests(file.content):
        yield from kept
        return
    with hub.kept.keeping_digests(file.content) as keep_rows:
        for rows in digested:
            keep_rows(rows)
            yield rows


def holding(hub: RepoClient, files: Iterable[DataFile], ids: pa.Array) -> pa.Table:
    """Find ids in files.

    Args:
        hub: the repo.
        files: where to look.
        ids: [n ids], what to look for.

    Returns:
        [n found x 2] of `HOLDING_SCHEMA`. Memory depends on the ids, not on the files.
    """
    found, waiting, rows = [HOLDING_SCHEMA.empty_table()], [], 0
    for file in files:
        for keys in file_keys(hub, file):
            path = pa.repeat(pa.scalar(file.path), keys.num_rows)
            waiting.append(pa.table([keys["unique_id"], path], schema=HOLDING_SCHEMA))
            rows += keys.num_rows
            if rows >= _LOOK_UP:
                found.append(_only(waiting, ids))
                waiting, rows = [], 0
    return pa.concat_tables([*found, *([_only(waiting, ids)] if waiting else [])])


def keep(hub: RepoClient, file: DataFile, content: Blob) -> None:
    """Keep footer and keys of a file that is at hand, so that nobody fetches them.

    Only the footer of one with another schema than the contract: its keys need not be what the contract has.
    """
    with opened(content) as local:
        end = read_footer(local, file.size)
        hub.kept.keep_footer(file.content, end)
        metadata = metadata_of(end)
        if NEWS.compare(metadata.schema.to_arrow_schema()):
            return
        parquet = pq.ParquetFile(local, metadata=metadata, pre_buffer=False)
        with hub.kept.keeping_keys(file.content) as keep_rows:
            for group in range(parquet.num_row_groups):
                keep_rows(parquet.read_row_group(group, KEYS_SCHEMA.names, use_threads=False))


def _ids(hub: RepoClient, file: DataFile) -> Iterator[pa.Table]:
    """Stream the ids of a file, from what is kept of it if it may be kept: the times of a legacy file may be text."""
    if NEWS.compare(file_schema(hub, file)):
        return row_groups(hub, file, ["unique_id"])
    return file_keys(hub, file)


def _only(tables: list[pa.Table], ids: pa.Array) -> pa.Table:
    """Keep the rows that have one of the ids."""
    rows = pa.concat_tables(tables)
    return rows.filter(pc.is_in(rows["unique_id"], ids))
