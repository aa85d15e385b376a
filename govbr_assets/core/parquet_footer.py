"""Footers of Parquet files as structs, and the bytes that they speak of.

What a footer says of row groups is known in `row_groups`.

Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

import io
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.thrift_compact import Struct, load
from govbr_assets.errors import ContractError

MAGIC = b"PAR1"
_PIECE = 1 << 20  # bytes that are read at once

FILE_SCHEMA, FILE_ROWS, FILE_GROUPS, FILE_KEYS, FILE_ORDERS, _FILE_ENCRYPTION = 2, 3, 4, 5, 7, 8
"""Fields by their numbers."""


def footer_of(file: IO[bytes]) -> Struct:
    """Read the footer of a Parquet file, without its rows and row groups.

    Raises:
        ContractError: it is no Parquet file, or encrypted.
    """
    return without_rows(read_footer(file)[0])


def read_footer(file: IO[bytes]) -> tuple[Struct, int]:
    """Read the footer of a Parquet file, and say where it begins.

    Raises:
        ContractError: it is no Parquet file, or encrypted.
    """
    end = file.seek(0, io.SEEK_END) - 8
    tail = b"".join(pieces(file, range(end, end + 8))) if end > 0 else b""
    start = end - int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or start < len(MAGIC):
        raise ContractError("The file does not end as a Parquet file does: fetch or write it anew.")
    data = b"".join(pieces(file, range(start, end)))
    try:
        pq.read_metadata(io.BytesIO(MAGIC + data + tail))  # knows what must be there, and of which type
    except (pa.ArrowException, OSError) as error:
        raise ContractError(f"The footer of a Parquet file is broken ({error}): fetch or write it anew.") from error
    footer = load(data)
    if _FILE_ENCRYPTION in footer:
        raise ContractError("A Parquet file is encrypted: write it without.")
    return footer, start


def without_rows(footer: Struct) -> Struct:
    """Leave out the rows of a footer and its row groups."""
    return footer.put({FILE_ROWS: 0, FILE_GROUPS: []})


def pieces(file: IO[bytes], place: range) -> Iterator[bytes]:
    """Read some bytes of a file in pieces of a megabyte.

    Raises:
        ContractError: the file is shorter than it was.
    """
    file.seek(place.start)
    size = len(place)
    while size > 0:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise ContractError(f"A Parquet file ends {size} bytes before its footer says: fetch or write it anew.")
        size -= len(piece)
        yield piece
