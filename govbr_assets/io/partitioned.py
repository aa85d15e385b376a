"""Rows on the disk, divided by hash: rows with the same key are read together, however many rows there are in all.

What the hash is made of, and what is compared within a partition, is up to whoever adds the rows.
"""

import tempfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.io.staging import RowFile, room_on_disk

PARTITIONS = 64
"""Partitions: a dataset of three million rows has 50,000 in each, some megabytes."""

_TOGETHER = 1 << 20  # bytes that are divided at once: many small batches would cost more than what is in them


class PartitionedRows:
    """Rows in one temporary file, which goes when nobody has it any more.

    Args:
        schema: of the rows.
        by: the column of hashes that they are divided by; a row whose hash is null is in no partition.
    """

    def __init__(self, schema: pa.Schema, by: str) -> None:
        self._schema, self._by, self._file = schema, by, RowFile(schema)
        self._waiting, self._size, self._finished = list[pa.Table](), 0, False
        self._batches: list[list[int]] = [[] for _ in range(PARTITIONS)]

    def add(self, rows: pa.Table) -> None:
        """Add rows; none may be added once a partition was read.

        Raises:
            NoRoomError: the disk for temporary files is full.
        """
        self._waiting.append(rows)
        self._size += rows.nbytes
        if self._size >= _TOGETHER:
            self._write()

    def read(self, number: int) -> pa.Table:
        """Read one of `PARTITIONS` partitions.

        Raises:
            NoRoomError: the disk for temporary files is full.
        """
        if not self._finished:
            self._write()
            with room_on_disk(tempfile.gettempdir()):
                self._file.finish()
            self._finished = True
        batches = (self._file.read(batch, self._schema.names) for batch in self._batches[number])
        return pa.concat_tables([self._schema.empty_table(), *batches])

    def partitions(self) -> Iterator[pa.Table]:
        """Read all partitions, one after another."""
        return map(self.read, range(PARTITIONS))

    def _write(self) -> None:
        """Write the rows that wait, one batch for each partition."""
        rows = pa.concat_tables([self._schema.empty_table(), *self._waiting]).combine_chunks()
        self._waiting, self._size = [], 0
        numbers = pc.bit_wise_and(rows[self._by], PARTITIONS - 1)
        order = pc.sort_indices(numbers)  # null at the end
        rows, counts, start = rows.take(order), pc.value_counts(numbers.take(order).drop_null()), 0
        with room_on_disk(tempfile.gettempdir()):
            for number, count in zip(*(counts.field(each).to_pylist() for each in ("values", "counts")), strict=True):
                self._batches[number].extend(self._file.write(rows.slice(start, count).combine_chunks()))
                start += count
