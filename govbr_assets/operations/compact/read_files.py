"""Files of any origin read as rows of the contract; small ones together.

Of a file of some rows most of the work would be that there is another file: what can be is done for many at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import sourced
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.blob import Blob
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io.sizes import group_sizes

TextReader = Callable[[DataFile, Blob], Iterator[pa.Table] | None]
"""Streams the rows of a file, [n rows x columns] each of the contract, if it is no Parquet."""

_BATCH_BYTES = 8 << 20  # of rows that are read together

TOGETHER_ROWS, TOGETHER_BYTES = 1_000, 4 << 20
"""What small files have together at most, before their rows are the contract's."""


@dataclass(frozen=True)
class FilesRead:
    """Files that are read together.

    Attributes:
        files: how many rows each says that it has; None for one of text, which says nothing.
        schema: theirs; one without columns for text.
        tables: their rows, [n rows x columns] each of its `sourced_schema`.
    """

    files: Mapping[DataFile, int | None]
    schema: pa.Schema
    tables: Iterable[pa.Table]


@dataclass(frozen=True)
class _Small:
    """A file that may wait for others: how many rows and bytes it should have, and its rows."""

    file: DataFile
    rows: int
    size: int
    table: pa.Table


def read_files(
    files: Iterable[tuple[DataFile, Blob]], spec: DatasetSpec, text: TextReader = lambda *_: None
) -> Iterator[FilesRead]:
    """Read files in their order, as they come.

    Args:
        files: each with its content.
        spec: of the dataset.
        text: streams the rows of one that is no Parquet; None for one that is.

    Yields:
        One file or several, whose rows must be taken before the next.

    Raises:
        ContractError: no Parquet file, or rows that cannot become the contract's without loss.
    """
    waiting: list[_Small] = []
    for file, content in files:
        if (rows := text(file, content)) is not None:
            yield FilesRead({file: None}, pa.schema([]), map(partial(sourced, source=file.path, spec=spec), rows))
            continue
        with _opened(content, file.path) as parquet:
            small = _small(file, parquet, spec)
            if waiting and not (small and _fit_together([*waiting, small])):
                yield _together(waiting, spec)
                waiting = []
            if small:
                waiting.append(small)
            else:
                rows = parquet.metadata.num_rows
                yield FilesRead({file: rows}, parquet.schema_arrow, _rows_of(parquet, file.path, spec))
    if waiting:
        yield _together(waiting, spec)


def local_rows(path: Path, source: str, spec: DatasetSpec) -> Iterator[pa.Table]:
    """Stream the rows of a local copy, whoever wrote it: [n rows x columns] each of its `sourced_schema`.

    Args:
        path: where it is.
        source: its path on the Hub.
        spec: of the dataset.

    Raises:
        ContractError: rows that cannot become the contract's without loss.
    """
    with _opened(path, source) as parquet:
        yield from _rows_of(parquet, source, spec)


def _together(files: Sequence[_Small], spec: DatasetSpec) -> FilesRead:
    """Read files of one schema at once."""
    rows = _conform(files, spec).combine_chunks()
    sources = pa.concat_arrays([pa.repeat(pa.scalar(each.file.path), each.table.num_rows) for each in files])
    return FilesRead({each.file: each.rows for each in files}, files[0].table.schema, [sourced(rows, sources, spec)])


def _rows_of(parquet: pq.ParquetFile, source: str, spec: DatasetSpec) -> Iterator[pa.Table]:
    """Stream the rows of a file, some at a time."""
    for group, (rows, size) in enumerate(group_sizes(parquet.metadata)):
        at_once = rows_at_once(rows, size, most_rows=10_000, most_bytes=_BATCH_BYTES)
        batches = parquet.iter_batches(at_once, row_groups=[group], use_threads=False)
        while True:
            with _reading(source):
                batch = next(batches, None)
            if batch is None:
                break
            yield sourced(spec.conform(pa.Table.from_batches([batch]), source), source, spec)


def _small(file: DataFile, parquet: pq.ParquetFile, spec: DatasetSpec) -> _Small | None:
    """Read a file if it is small."""
    rows, size = parquet.metadata.num_rows, _size(parquet.metadata)
    if rows > TOGETHER_ROWS or size > TOGETHER_BYTES:
        return None
    if not rows:
        return _Small(file, 0, 0, spec.schema.empty_table())  # whatever columns it has
    with _reading(file.path):
        return _Small(file, rows, size, parquet.read(use_threads=False))


def _fit_together(files: Sequence[_Small]) -> bool:
    """Return whether files may be read together, all but the last of which do."""
    same = files[0].table.schema.equals(files[-1].table.schema)
    rows, size = sum(each.rows for each in files), sum(each.size for each in files)
    return same and rows <= TOGETHER_ROWS and size <= TOGETHER_BYTES


def _conform(files: Sequence[_Small], spec: DatasetSpec) -> pa.Table:
    """Conform the rows of files of one schema; if that fails, the file that is to blame is named."""
    try:
        return spec.conform(pa.concat_tables([each.table for each in files]), files[0].file.path)
    except ContractError:
        for each in files:
            spec.conform(each.table, each.file.path)
        raise


def _size(metadata: pq.FileMetaData) -> int:
    """Count the bytes of the row groups of a file before they were compressed."""
    return sum(size for _, size in group_sizes(metadata))


@contextmanager
def _opened(content: Blob, source: str) -> Iterator[pq.ParquetFile]:
    """Open a file that has come."""
    with _reading(source):
        place = pa.BufferReader(content) if isinstance(content, bytes) else content
        parquet = pq.ParquetFile(place, pre_buffer=False, buffer_size=1 << 20)
    with parquet:
        yield parquet


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Speak of the file that cannot be read."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise ContractError(f"{source} on the Hub cannot be read: {error}") from error
