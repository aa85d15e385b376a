"""Files of any origin taken up: their rows become the contract's, and lie on the disk by month; small ones together.

Of a file of some rows most of the work would be that there is another file: what can be is done for many at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.conform_file import conform_file
from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import by_month, sourced
from govbr_assets.errors import ContractError, ProofError
from govbr_assets.huggingface.blob import Blob
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io import memory
from govbr_assets.io.sizes import group_sizes
from govbr_assets.operations.compact.spill import Spill
from govbr_assets.publications import NEWS

TextReader = Callable[[DataFile, Blob], Iterator[pa.Table] | None]
"""Streams the rows of a file, [n rows x 24] each of the contract, if it is no Parquet."""

_BATCH_BYTES = 8 << 20  # of rows that are taken up together

TOGETHER_ROWS, TOGETHER_BYTES = 1_000, 4 << 20
"""What small files have together at most, before they are taken up."""


@dataclass(frozen=True)
class TakenUp:
    """A file that was taken up.

    Attributes:
        file: which one.
        spill: where its rows are, among those of others.
        schema: the one that it has.
        breaking: whether it breaks readers, beside other files or if it is the first one.
    """

    file: DataFile
    spill: Spill
    schema: pa.Schema
    breaking: bool


@dataclass(frozen=True)
class _Small:
    """A file that may wait for others: how many rows and bytes it should have, and its rows."""

    file: DataFile
    rows: int
    size: int
    table: pa.Table


class Intake:
    """Takes files up.

    Args:
        folder: gets the rows.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count()

    def take_up(self, files: Iterable[tuple[DataFile, Blob]], text: TextReader = lambda *_: None) -> Iterator[TakenUp]:
        """Take files up in their order, as they come.

        Args:
            files: each with its content.
            text: streams the rows of one that is no Parquet; None for one that is.

        Raises:
            ContractError: no Parquet file, or rows that cannot become the contract's without loss.
            ProofError: a row was lost on the way.
        """
        waiting: list[_Small] = []
        for file, content in files:
            if (rows := text(file, content)) is not None:
                yield self._text(file, rows)
                continue
            with _opened(content, file.path) as parquet:
                small = _small(file, parquet)
                if waiting and not (small and _fit_together([*waiting, small])):
                    yield from self._together(waiting)
                    waiting = []
                if small:
                    waiting.append(small)
                else:
                    spill = self._spilled(_rows_of(parquet, file.path), {file.path: parquet.metadata.num_rows})
                    yield _taken_up(file, spill, parquet.schema_arrow)
        yield from self._together(waiting)

    def _together(self, files: Sequence[_Small]) -> Iterator[TakenUp]:
        """Take up files in one spill."""
        if files:
            rows = _as_contract(files).combine_chunks()
            sources = pa.concat_arrays([pa.repeat(pa.scalar(each.file.path), each.table.num_rows) for each in files])
            spill = self._spilled([sourced(rows, sources)], {each.file.path: each.rows for each in files})
            yield from (_taken_up(each.file, spill, each.table.schema) for each in files)

    def _text(self, file: DataFile, tables: Iterator[pa.Table]) -> TakenUp:
        """Take up a file of text, whose rows are counted as they are read: it does not say how many it has."""
        counted = Counter[str]()

        def rows() -> Iterator[pa.Table]:
            for table in tables:
                counted[file.path] += table.num_rows
                yield sourced(table, file.path)

        spill = self._spilled(rows(), counted)
        return TakenUp(file, spill, pa.schema([]), breaking=True)

    def _spilled(self, tables: Iterable[pa.Table], wanted: Mapping[str, int]) -> Spill:
        """Write rows to the disk, and see that they are as many of each file as it says."""
        spill = Spill(self._folder / f"spill-{next(self._numbers)}", tables, by_month)
        memory.release_free_memory()
        for source, rows in wanted.items():
            if spill.lot(source).rows != rows:
                raise ProofError(f"{source} has {rows} rows, of which {spill.lot(source).rows} were read.")
        return spill


def local_rows(path: Path, source: str) -> Iterator[pa.Table]:
    """Stream the rows of a local copy, whoever wrote it: [n rows x 26] each of `SOURCED_SCHEMA`.

    Args:
        path: where it is.
        source: its path on the Hub.

    Raises:
        ContractError: rows that cannot become the contract's without loss.
    """
    with _opened(path, source) as parquet:
        yield from _rows_of(parquet, source)


def _rows_of(parquet: pq.ParquetFile, source: str) -> Iterator[pa.Table]:
    """Stream the rows of a file, some at a time."""
    for group, (rows, size) in enumerate(group_sizes(parquet.metadata)):
        at_once = rows_at_once(rows, size, most_rows=10_000, most_bytes=_BATCH_BYTES)
        batches = parquet.iter_batches(at_once, row_groups=[group], use_threads=False)
        while True:
            with _reading(source):
                batch = next(batches, None)
            if batch is None:
                break
            yield sourced(conform_file(pa.Table.from_batches([batch]), source, NEWS.schema), source)


def _small(file: DataFile, parquet: pq.ParquetFile) -> _Small | None:
    """Read a file if it is small."""
    rows, size = parquet.metadata.num_rows, _size(parquet.metadata)
    if rows > TOGETHER_ROWS or size > TOGETHER_BYTES:
        return None
    if not rows:
        return _Small(file, 0, 0, NEWS.schema.empty_table())  # whatever columns it has
    with _reading(file.path):
        return _Small(file, rows, size, parquet.read(use_threads=False))


def _fit_together(files: Sequence[_Small]) -> bool:
    """Say whether files may be taken up together, all but the last of which do."""
    same = files[0].table.schema.equals(files[-1].table.schema)
    rows, size = sum(each.rows for each in files), sum(each.size for each in files)
    return same and rows <= TOGETHER_ROWS and size <= TOGETHER_BYTES


def _as_contract(files: Sequence[_Small]) -> pa.Table:
    """Cast the rows of files of one schema; if that fails, the file that is to blame is named."""
    try:
        return conform_file(pa.concat_tables([each.table for each in files]), files[0].file.path, NEWS.schema)
    except ContractError:
        for each in files:
            conform_file(each.table, each.file.path, NEWS.schema)
        raise


def _taken_up(file: DataFile, spill: Spill, schema: pa.Schema) -> TakenUp:
    """Say what there is to say of a file of a schema."""
    breaking, _ = NEWS.compare(schema).for_readers(first=True)
    return TakenUp(file, spill, schema, bool(breaking))


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
