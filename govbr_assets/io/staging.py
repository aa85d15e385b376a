"""Rows on the disk for the time being, where there are too many for the memory: temporary files and Parquet files.

What can be done with them there is `io.staged`'s business, which files are kept `storage`'s.
"""

import errno
import io
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.errors import NoRoomError
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import PIECE_BYTES, Mask, Piece, Rows, StagedRows, bounded

STAGED_BYTES = 32 << 20
"""Bytes of rows from which on they are not held in memory: a day of ordinary news has one or two megabytes."""

_BUFFER = 1 << 20  # small writes would be a call of the system for each column of each batch
_OPTIONS = pa.ipc.IpcWriteOptions(use_threads=False)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def room_on_disk(folder: Path | str) -> Iterator[None]:
    """Speak of a disk that becomes full.

    Raises:
        NoRoomError: it did.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError(f"{folder} has become full ({error.strerror}): set TMPDIR to a larger disk.") from error


class RowFile:
    """Rows in one temporary file, written a batch at a time, of which any batch can be read back.

    Args:
        schema: of the rows.
        path: where the file is made; None makes one without a name, which goes when nobody has it any more.
    """

    def __init__(self, schema: pa.Schema, path: Path | None = None) -> None:
        self.schema, self._path = schema, path
        new = partial(path.open, "wb", 0) if path else partial(tempfile.TemporaryFile, "w+b", 0, prefix="govbr-")
        self._file = io.BufferedWriter(new(), _BUFFER)
        self._writer = pa.ipc.new_file(self._file, schema, options=_OPTIONS)
        self._sizes = array("q"), array("q")  # rows and bytes of each batch: there may be hundreds of thousands
        self._source: pa.NativeFile | None = None
        self._readers: dict[tuple[str, ...], pa.ipc.RecordBatchFileReader] = {}  # by columns
        self._lock = Lock()

    def write(self, rows: pa.Table) -> Iterator[int]:
        """Write rows, and give the number of each batch of them."""
        for batch in rows.to_batches():
            self._writer.write_batch(batch)
            for sizes, size in zip(self._sizes, (batch.num_rows, batch.nbytes), strict=True):
                sizes.append(size)
            yield len(self._sizes[0]) - 1

    def finish(self) -> None:
        """End the file; from now on it can be read."""
        self._writer.close()
        raw = self._file.detach()
        del self._file, self._writer  # with their buffers: a run over days can have hundreds of such files
        if self._path:
            raw.close()
            self._source = pa.OSFile(str(self._path), "rb")
        else:
            self._source = pa.PythonFile(raw, "r")

    def read(self, number: int, columns: Sequence[str]) -> pa.Table:
        """Read some columns of a batch, which hold no memory of the others."""
        with self._lock:
            batch = self._reader(tuple(columns)).get_batch(number)
        rows = pa.Table.from_batches([batch]).select(list(columns))
        return rows if batch.num_columns == len(self.schema) else _by_itself(rows)

    def rows(self, numbers: Iterable[int], where: Mask | None = None) -> StagedRows:
        """Give some batches as rows that stay on the disk; of them those that are marked, if there is a `where`."""
        return StagedRows(self.schema, [self._piece(number) for number in numbers], where=where)

    def _piece(self, number: int) -> Piece:
        rows, size = (sizes[number] for sizes in self._sizes)
        return Piece(rows, size, partial(self.read, number))

    def _reader(self, columns: tuple[str, ...]) -> "pa.ipc.RecordBatchFileReader":
        if columns not in self._readers:
            some = columns != tuple(self.schema.names)  # all of them are read at once if none is named
            fields = [self.schema.get_field_index(name) for name in columns] if some else None
            options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
            self._readers[columns] = pa.ipc.open_file(self._source, options=options)
        return self._readers[columns]


class RowCollector:
    """Takes rows: into memory, or onto the disk if they become many.

    Args:
        schema: of the rows.
        in_memory: bytes of them that are held in memory at most; None stands for `STAGED_BYTES`. Rows on the disk are
            read back in pieces that are no larger, but of a megabyte at least.
    """

    def __init__(self, schema: pa.Schema, in_memory: int | None = None) -> None:
        self._schema, self._size = schema, 0
        self._most = STAGED_BYTES if in_memory is None else in_memory
        self._held: list[pa.Table] = []
        self._file: RowFile | None = None
        self._numbers: list[int] = []

    def add(self, rows: pa.Table) -> None:
        """Take [n rows x columns of the schema].

        Raises:
            NoRoomError: the disk for temporary files is full.
        """
        self._held.append(rows)
        self._size += rows.nbytes
        if self._size > (min(PIECE_BYTES, max(_BUFFER, self._most)) if self._file else self._most):
            self._spill()

    def rows(self) -> Rows:
        """Return all that was taken.

        Raises:
            NoRoomError: the disk for temporary files is full.
        """
        if not self._file:
            return pa.concat_tables([self._schema.empty_table(), *self._held])
        self._spill()
        with room_on_disk(tempfile.gettempdir()):
            self._file.finish()
        return self._file.rows(self._numbers)

    def _spill(self) -> None:
        with room_on_disk(tempfile.gettempdir()):
            self._file = self._file or RowFile(self._schema)
            for piece in bounded(_drained(self._held)):
                self._numbers.extend(self._file.write(piece.combine_chunks()))
        self._size = 0


def collected(tables: Iterable[pa.Table], schema: pa.Schema, in_memory: int | None = None) -> Rows:
    """Take a stream of rows: into memory, or onto the disk if they are many.

    Args:
        tables: [n rows x columns of `schema`] each.
        schema: theirs.
        in_memory: bytes of them that are held in memory at most; None stands for `STAGED_BYTES`.

    Raises:
        NoRoomError: the disk for temporary files is full.
    """
    collector = RowCollector(schema, in_memory)
    for table in tables:
        collector.add(table)
    return collector.rows()


def parquet_rows(
    parquet: pq.ParquetFile,
    schema: pa.Schema | None = None,
    around: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Rows:
    """Take the rows of a Parquet file: all of them, or a row group at a time if they are many.

    Args:
        parquet: the file, which has to stay open as long as somebody has the rows.
        schema: what they are cast to; None takes what the file has.
        around: speaks of what goes wrong when a part is read.
    """
    groups, wanted = group_sizes(parquet.metadata), schema or parquet.schema_arrow
    if sum(size for _, size in groups) <= STAGED_BYTES:
        return parquet.read(columns=wanted.names, use_threads=False).cast(wanted)
    pieces = [Piece(*sizes, partial(_group, parquet, wanted, around, number)) for number, sizes in enumerate(groups)]
    return StagedRows(wanted, pieces)


def write_parquet(sink: IO[bytes], rows: Rows, **settings: Any) -> None:
    """Write rows as a Parquet file, a row group for each piece if they are not in memory."""
    if isinstance(rows, pa.Table):
        pq.write_table(rows, sink, **settings)
        return
    with pq.ParquetWriter(sink, rows.schema, **settings) as writer:
        for piece in bounded(rows.tables()):
            writer.write_table(piece.combine_chunks())


def _group(
    parquet: pq.ParquetFile,
    schema: pa.Schema,
    around: Callable[[], AbstractContextManager[None]],
    number: int,
    columns: Sequence[str],
) -> pa.Table:
    """Read some columns of a row group."""
    with around():
        rows = parquet.read_row_group(number, list(columns), use_threads=False).select(list(columns))
    return rows.cast(pa.schema([schema.field(name) for name in columns]))


def _by_itself(rows: pa.Table) -> pa.Table:
    """Copy a batch of rows: Arrow reads all of its columns into one block, which any of them would hold."""
    columns = [pa.concat_arrays([each[:0], each]) for each in (column.combine_chunks() for column in rows.columns)]
    return pa.table(columns, schema=rows.schema)


def _drained(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Give tables and keep none of them."""
    tables.reverse()
    while tables:
        yield tables.pop()
