"""Rows on the disk, parted by a number of theirs, so that rows of one number can be looked at together."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

BUCKETS = 64
"""Parts: a dataset of three million rows has 50,000 in each, some megabyte."""

_TOGETHER = 64_000  # rows that are parted at once: many small parts would cost more than what is in them


class Buckets:
    """Rows in one file.

    Args:
        path: where the file is made.
        schema: of the rows, numbers only.
        by: the column whose numbers part them; rows without a number are in no part.
    """

    def __init__(self, path: Path, schema: pa.Schema, by: str) -> None:
        self._path, self._schema, self._by = path, schema, by
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, schema)
        self._waiting, self._rows, self._batches = list[pa.Table](), 0, 0
        self._parts: list[list[int]] = [[] for _ in range(BUCKETS)]

    def add(self, rows: pa.Table) -> None:
        """Add rows; none may come after the first part was read."""
        self._waiting.append(rows)
        self._rows += rows.num_rows
        if self._rows >= _TOGETHER:
            self._part()

    def read(self, number: int) -> pa.Table:
        """Read one of `BUCKETS` parts."""
        if not self._sink.closed:
            self._part()
            self._writer.close()
            self._sink.close()
        with pa.OSFile(str(self._path), "rb") as source:
            reader = pa.ipc.open_file(source)
            return pa.Table.from_batches(map(reader.get_batch, self._parts[number]), self._schema)

    def _part(self) -> None:
        """Write what waits, a batch for each part."""
        rows = pa.concat_tables([self._schema.empty_table(), *self._waiting]).combine_chunks()
        self._waiting, self._rows = [], 0
        part = pc.bit_wise_and(rows[self._by], BUCKETS - 1)
        order = pc.sort_indices(part)  # null at the end
        rows, counts, start = rows.take(order), pc.value_counts(part.take(order).drop_null()), 0
        for number, count in zip(*(counts.field(each).to_pylist() for each in ("values", "counts")), strict=True):
            self._writer.write_table(rows.slice(start, count).combine_chunks())
            self._parts[number].append(self._batches)
            self._batches += 1
            start += count
