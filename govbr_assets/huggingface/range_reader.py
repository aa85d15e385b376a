"""Range requests for Parquet files on the Hub: the footer, then columns of row groups.

Which files and columns are read belongs to `dataset.reader`.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.huggingface.remote_file import RangeFile, RemoteFile

TAIL_BYTES = 16 << 10
"""Bytes of a file that are read first, from its end: enough for the footer of a day's file."""

_LARGE, _LARGE_TAIL = 1 << 19, 64 << 10  # bytes: of a larger file, with a footer of a year, so many are read first
_GAP = 64 << 10  # bytes; ranges closer than this are merged into one request
_AHEAD = 2 << 20  # bytes of row groups that are fetched together
_MAGIC = b"PAR1"


def read_footer(remote: IO[bytes], size: int) -> bytes:
    """Read the footer of a Parquet file, to the end of the file.

    Args:
        remote: the file, each read of which is a request.
        size: of the file in bytes.

    Raises:
        ArrowInvalid: it is not a Parquet file.
    """
    tail = _range(remote, max(0, size - (TAIL_BYTES if size < _LARGE else _LARGE_TAIL)), size)
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

    def read(self, group: int, columns: Sequence[str], following: Sequence[int] = ()) -> pa.Table:
        """Read some columns of a row group: [n rows x columns], in their order in the file.

        Args:
            group: number of the row group.
            columns: their names.
            following: row groups of which the same columns will be read next; fetched together with this one, as far
                as they are small.
        """
        wanted = self._ranges(group, columns)
        if not self._window.holds(wanted):
            for each in following:
                more = _merged([*wanted, *self._ranges(each, columns)], self._gap)
                if sum(end - start for start, end in more) > _AHEAD:
                    break
                wanted = more
            self._window.fetch(wanted)
        return self._parquet.read_row_group(group, list(columns), use_threads=False)

    def _ranges(self, group: int, columns: Sequence[str]) -> list[tuple[int, int]]:
        return _merged(_ranges(self._parquet.metadata, group, set(columns)), self._gap)


class _Window(RangeFile):
    """A remote file with some ranges prefetched; all other reads are requests."""

    def __init__(self, remote: IO[bytes], size: int) -> None:
        super().__init__(size)
        self._remote = remote
        self._pieces: list[tuple[int, bytes]] = []

    def holds(self, ranges: Iterable[tuple[int, int]]) -> bool:
        """Return whether ranges are prefetched."""
        return all(self._piece(start, end) for start, end in ranges)

    def fetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Prefetch ranges in place of the current ones."""
        self._pieces = []
        starts = (start for start, _ in ranges)
        if isinstance(self._remote, RemoteFile):
            self._pieces = list(zip(starts, self._remote.ranges(ranges), strict=True))
        else:
            self._pieces = [(start, _range(self._remote, start, end)) for start, end in ranges]

    def range(self, start: int, end: int) -> bytes:
        """Take a range from a piece that was fetched, or else from the file."""
        if piece := self._piece(start, end):
            first, fetched = piece
            return fetched[start - first : end - first]
        return _range(self._remote, start, end)

    def _piece(self, start: int, end: int) -> tuple[int, bytes] | None:
        """Find the piece that has a range, with its own start."""
        return next((each for each in self._pieces if each[0] <= start and end <= each[0] + len(each[1])), None)


def _range(remote: IO[bytes], start: int, end: int) -> bytes:
    """Fetch a range of a remote file."""
    remote.seek(start)
    return remote.read(end - start)


def _ranges(metadata: pq.FileMetaData, group: int, columns: set[str]) -> Iterator[tuple[int, int]]:
    """List the byte ranges of the columns of a row group, as half-open intervals."""
    row_group = metadata.row_group(group)
    chunks = [row_group.column(index) for index in range(row_group.num_columns)]
    for chunk in chunks:
        if chunk.path_in_schema.partition(".")[0] not in columns:
            continue
        start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
        start = min(start or chunk.data_page_offset, chunk.data_page_offset)
        yield start, start + chunk.total_compressed_size


def _merged(ranges: Iterable[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Merge ranges that are no further from each other than a gap, in their order in the file."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start - found[-1][1] <= gap:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
