"""Digests of whole rows: eight bytes that stand for all that a row says, to prove that rows going in come out.

Which rows have the same identity in spite of other contents belongs to `identity`.
"""

from collections.abc import Iterator
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from govbr_assets.core.compatibility import compare
from govbr_assets.errors import ContractError
from govbr_assets.io.sizes import in_pieces
from govbr_assets.io.staged import Rows, tables_of

_ROWS_AT_ONCE = 1_000
"""Rows that are spelled before they are hashed: some megabytes, and long enough for Arrow's kernels."""

_BYTES_AT_ONCE = 8 << 20
"""Bytes of these rows at most, but for a longer row."""

_BYTES = pa.large_binary()
"""Offsets of 64 bits: a thousand long rows can spell more than 2 GB."""

_BLANK = pa.scalar(b" ", _BYTES)


def row_digests(rows: pa.Table, schema: pa.Schema) -> pa.Array:
    """Digest the whole content of each row.

    Args:
        rows: [n rows x columns of `schema`] in chunks of any size.
        schema: the published one; digests compare only under the same.

    Returns:
        [n rows] of int64, never null. The same row has the same digest in every process and under every version of
        pyarrow; rows that differ, be it by null and an empty text, do not but once in 2^64. XXH3 stands against
        accidents, not against somebody who looks for two rows with one digest.

    Raises:
        ContractError: other columns, or another type, under which the same row would be spelled differently.
    """
    if difference := compare(rows.schema.remove_metadata(), schema):
        raise ContractError(f"The rows to be digested do not have the published schema: {difference}.")
    pieces = [rows] if rows.nbytes <= _BYTES_AT_ONCE else in_pieces([rows], _ROWS_AT_ONCE, _BYTES_AT_ONCE)
    batches = (batch for piece in pieces for batch in piece.to_batches(max_chunksize=_ROWS_AT_ONCE))
    spelled = (_spelled(batch.columns) for batch in batches)
    return pa.concat_arrays([pa.array([], pa.int64()), *map(hash_values, spelled)])


def digests_of(rows: Rows, schema: pa.Schema) -> pa.Array:
    """Digest the whole content of each row, wherever the rows are, as `row_digests` does."""
    return pa.concat_arrays([pa.array([], pa.int64()), *(row_digests(table, schema) for table in tables_of(rows))])


def hash_values(binary: pa.Array) -> pa.Array:
    """Hash values that are never null to eight bytes each, the same in every process: [n values] of int64."""
    return pa.array([xxhash.xxh3_64_intdigest(value) for value in _values(binary)], pa.uint64()).view(pa.int64())


def _values(binary: pa.Array) -> Iterator[memoryview]:
    """Return the bytes of values that are never null: an object of Arrow for each would take longer than its hash."""
    _, offsets, data = (memoryview(each or b"") for each in binary.buffers())
    ends = offsets.cast("B").cast("q")[binary.offset : binary.offset + len(binary) + 1]
    return (data[start:end] for start, end in pairwise(ends))


def _spelled(columns: list[pa.Array]) -> pa.Array:
    """Write values side by side so that only the same values give the same bytes.

    Every value says before it begins where it ends: a text by its length, a list by its number of elements, a time
    or a number by the blank after it. A null is `-`, which is no number.
    """
    parts = [part for column in columns for part in _parts(column)]
    return pc.binary_join_element_wise(*parts, _BLANK, null_handling="replace", null_replacement=b"-")


def _parts(column: pa.Array) -> list[pa.Array]:
    """Spell one column: the number of bytes and the bytes, the number of elements and the elements, or the time."""
    if pa.types.is_timestamp(column.type):
        return [_decimal(column.cast(pa.int64()))]
    if pa.types.is_floating(column.type):
        return [_decimal(column.view(pa.int64()))]  # its bits: a number has no other spelling that is the same for ever
    if pa.types.is_integer(column.type):
        return [_decimal(column)]
    if not pa.types.is_list(column.type):
        return [_decimal(pc.binary_length(column)), column.cast(_BYTES)]
    counts = pc.list_value_length(column)
    ends = pc.cumulative_sum(pc.fill_null(counts, 0))
    offsets = pa.concat_arrays([pa.array([0], ends.type), ends])  # its own would point into the whole of a slice
    elements = pa.ListArray.from_arrays(offsets, _spelled([column.flatten()]))
    return [_decimal(counts), pc.binary_join(elements, _BLANK)]


def _decimal(numbers: pa.Array) -> pa.Array:
    """Spell whole numbers."""
    return numbers.cast(pa.string()).cast(_BYTES)
