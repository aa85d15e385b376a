"""Range requests for Parquet files on the Hub: the footer, then columns of row groups.

Which files and columns are read belongs to `dataset.reader`.
"""

import io
from collections.abc import Iterable, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

_TAIL = 16 << 10  # bytes, enough for the footer of a day's file; that of a larger file takes a second request
_GAP = 64 << 10  # bytes; ranges closer than this are merged into one request
_MAGIC = b"PAR1"


def read_footer(remote: IO[bytes], size: int) -> bytes:
    """Read the footer of a Parquet file, to the end of the file.

    Args:
        remote: the file, each read of which is a request.
        size: of the file in bytes.

    Raises:
        ArrowInvalid: it is not a Parquet file.
    """
    tail = _range(remote, max(0, size - _TAIL), size)
    if tail[-4:] != _MAGIC or len(tail) < 12:
        raise pa.ArrowInvalid("it does not end as a Parquet file does")
    length = int.from_bytes(tail[-8:-4], "little") + 8
    if length > size:
        raise pa.ArrowInvalid("its footer is longer than the file")
    if length > len(tail):
        tail = _range(remote, size - length, size - len(tail)) + tail
    return tail[-length:]


def metadata_of(footer: bytes) -> pq.FileMetaData:
    """Parse a footer returned by `read_footer`."""
    return pq.read_metadata(io.BytesIO(_MAGIC + footer))


class ColumnReader:
    """Reads columns of row groups with few requests: neighbouring column chunks are fetched together.

    Args:
        remote: the file, each read of which is a request.
        size: of the file in bytes.
        metadata: of the file.
        gap: bytes between two ranges at most that are fetched as well, to save a request.
    """

    def __init__(self, remote: IO[bytes], size: int, metadata: pq.FileMetaData, gap: int = _GAP) -> None:
        self._window, self._gap = _Window(remote, size), gap
        self._parquet = pq.ParquetFile(self._window, metadata=metadata)

    def read(self, group: int, columns: Sequence[str]) -> pa.Table:
        """Read some columns of a row group: [n rows x columns], in their order in the file."""
        self._window.fetch(_ranges(self._parquet.metadata, group, set(columns), self._gap))
        return self._parquet.read_row_group(group, list(columns), use_threads=False)


class _Window(io.RawIOBase):
    """A remote file with some ranges prefetched; all other reads are requests."""

    def __init__(self, remote: IO[bytes], size: int) -> None:
        self._remote, self._size, self._at = remote, size, 0
        self._pieces: list[tuple[int, bytes]] = []

    def fetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Prefetch ranges in place of the current ones."""
        self._pieces = []
        self._pieces = [(start, _range(self._remote, start, end)) for start, end in ranges]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - a buffer
        """Read from a piece that was fetched, or else from the file."""
        wanted = min(len(buffer), self._size - self._at)
        for start, piece in self._pieces:
            if start <= self._at and self._at + wanted <= start + len(piece):
                data = memoryview(piece)[self._at - start : self._at - start + wanted]
                break
        else:
            data = memoryview(_range(self._remote, self._at, self._at + wanted))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _range(remote: IO[bytes], start: int, end: int) -> bytes:
    """Fetch a range of a remote file."""
    remote.seek(start)
    return remote.read(end - start)


def _ranges(metadata: pq.FileMetaData, group: int, columns: set[str], gap: int) -> list[tuple[int, int]]:
    """Return the byte ranges of the columns of a row group, as half-open intervals."""
    found: list[tuple[int, int]] = []
    row_group = metadata.row_group(group)
    chunks = [row_group.column(index) for index in range(row_group.num_columns)]
    for chunk in chunks:
        if chunk.path_in_schema.partition(".")[0] not in columns:
            continue
        start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
        start = min(start or chunk.data_page_offset, chunk.data_page_offset)
        end = start + chunk.total_compressed_size
        if found and start - found[-1][1] <= gap:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
