"""Rows on the disk for the time being, where there are too many for the memory: temporary files and Parquet files.

What can be done with them there is `io.staged`'s business, which files are kept `storage`'s.
"""

import errno
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.errors import NoRoomError
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import Piece, Rows, StagedRows, bounded

STAGED_BYTES = 32 << 20
"""Bytes of rows from which on they are not held in memory: a day of ordinary news has one or two megabytes."""

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


def collected(tables: Iterable[pa.Table], schema: pa.Schema) -> Rows:
    """Take a stream of rows: into memory, or onto the disk if they are many.

    Args:
        tables: [n rows x columns of `schema`] each.
        schema: theirs.

    Raises:
        NoRoomError: the disk for temporary files is full.
    """
    held, size, coming = [schema.empty_table()], 0, iter(tables)
    for table in coming:
        held.append(table)
        size += table.nbytes
        if size > STAGED_BYTES:
            return staged(chain(_drained(held), coming), schema)
    return pa.concat_tables(held)


def staged(tables: Iterable[pa.Table], schema: pa.Schema) -> StagedRows:
    """Write a stream of rows into a file without a name, which goes when nobody has the rows any more.

    Raises:
        NoRoomError: the disk for temporary files is full.
    """
    batches: list[tuple[int, int]] = []
    with room_on_disk(tempfile.gettempdir()):
        file = tempfile.TemporaryFile(prefix="govbr-")  # noqa: SIM115 - the rows close it
        with pa.ipc.new_file(file, schema, options=_OPTIONS) as writer:
            for piece in bounded(iter(tables)):
                for batch in piece.combine_chunks().to_batches():
                    writer.write_batch(batch)
                    batches.append((batch.num_rows, batch.nbytes))
        file.flush()
    pieces = [Piece(*sizes, partial(_batch, file, number)) for number, sizes in enumerate(batches)]
    return StagedRows(schema, pieces)


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


def _batch(file: IO[bytes], number: int, columns: Sequence[str]) -> pa.Table:
    """Read some columns of a batch."""
    file.seek(0)
    source = pa.PythonFile(file, "r")
    schema = pa.ipc.open_file(source).schema
    fields = [schema.get_field_index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
    batch = pa.ipc.open_file(source, options=options).get_batch(number)
    return pa.Table.from_batches([batch]).select(list(columns))


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


def _drained(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Give tables and keep none of them."""
    tables.reverse()
    while tables:
        yield tables.pop()
