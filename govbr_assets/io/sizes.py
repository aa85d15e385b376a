"""Sizes of rows in bytes, and streams of rows split by size."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_FIXED_BYTES = 8


def row_sizes(rows: pa.Table) -> pa.Array:
    """Return the size of each row: the bytes of its texts, and eight for any other value.

    Args:
        rows: [n rows x any columns], in chunks of any size.

    Returns:
        [n rows] of int64; independent of how the rows are chunked.
    """
    total = pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows)
    for column in rows.columns:
        total = pc.add(total, _sizes(column.combine_chunks()) if _is_list(column.type) else _sizes(column))
    return total.combine_chunks() if isinstance(total, pa.ChunkedArray) else total


def in_pieces(tables: Iterable[pa.Table], most_rows: int, most_bytes: int) -> Iterator[pa.Table]:
    """Split a stream of rows into pieces, each as large as allowed; an oversized row is a piece of its own.

    Args:
        tables: [n rows x any columns] each.
        most_rows: maximum number of rows of a piece.
        most_bytes: maximum number of bytes of a piece, as `row_sizes` counts them.

    Yields:
        The same rows; the cuts are independent of how the rows are divided into tables.
    """
    held: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        sizes, start = row_sizes(table), 0
        while start < table.num_rows:
            count, more = _fitting(sizes.slice(start, most_rows - rows), most_bytes - size, at_least=0 if rows else 1)
            if count:
                held.append(table.slice(start, count))
                start, rows, size = start + count, rows + count, size + more
            if start < table.num_rows or rows == most_rows:
                yield pa.concat_tables(held)
                held, rows, size = [], 0, 0
        del table  # so that the memory of yielded pieces can be freed
    if held:
        yield pa.concat_tables(held)


def joined_small(tables: Iterable[pa.Table], rows: int, size: int) -> Iterator[pa.Table]:
    """Join tables that come one after another: small ones would each take longer than what is in them.

    Args:
        tables: [n rows x any columns] each.
        rows: from which on joined tables take no other one.
        size: likewise, in bytes.

    Yields:
        The same rows, each table in one chunk.
    """
    held, many, large = list[pa.Table](), 0, 0
    for table in tables:
        held.append(table)
        many, large = many + table.num_rows, large + table.nbytes
        if many >= rows or large >= size:
            yield pa.concat_tables(held).combine_chunks()
            held, many, large = [], 0, 0
        del table  # so that the memory of yielded tables can be freed
    if held:
        yield pa.concat_tables(held).combine_chunks()


def _fitting(sizes: pa.Array, room: int, *, at_least: int) -> tuple[int, int]:
    """Return how many of the first rows fit into some bytes, and their size in bytes."""
    total = pc.sum(sizes).as_py() or 0
    if total <= room:
        return len(sizes), total
    ends = pc.cumulative_sum(sizes).to_pylist()
    count = max(at_least, bisect_right(ends, room))
    return count, ends[count - 1] if count else 0


def _sizes(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return the size of each value of a column."""
    if _is_list(column.type):
        counts = pc.fill_null(pc.list_value_length(column).cast(pa.int64()), 0)
        sizes = _sizes(column.flatten())
        ends = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(sizes)])
        last = pc.cumulative_sum(counts)
        return pc.subtract(ends.take(last), ends.take(pc.subtract(last, counts)))
    if any(is_text(column.type) for is_text in _TEXTS):
        return pc.fill_null(pc.binary_length(column).cast(pa.int64()), 0)
    return pa.repeat(pa.scalar(_FIXED_BYTES, pa.int64()), len(column))


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def group_sizes(metadata: pq.FileMetaData) -> list[tuple[int, int]]:
    """Return the rows and bytes of each row group, from a file's footer; dictionary values are counted once."""
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    return [(group.num_rows, group.total_byte_size) for group in groups]
