"""Row groups of a Parquet file: where the column chunks of each lie, and what the footer says of them.

How a file is made out of them says `row_group_copy`.
"""

from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import IO

from govbr_assets.core.parquet_footer import FILE_GROUPS, MAGIC, read_footer, without_rows
from govbr_assets.core.thrift_compact import Struct
from govbr_assets.errors import ContractError

# Fields by their numbers.
GROUP_CHUNKS, GROUP_BYTES, GROUP_ROWS, GROUP_SORTING, GROUP_OFFSET, GROUP_COMPRESSED, GROUP_ORDINAL = range(1, 8)
_CHUNK_PATH, _CHUNK_OFFSET, _CHUNK_META = 1, 2, 3
_META_PATH, _META_SIZE, _META_BLOOM_FILTER = 3, 7, 14
_META_OFFSETS = (9, 10, 11)  # of the first page with data, index and dictionary; the least is the first of all


@dataclass(frozen=True)
class Chunk:
    """The pages of a column in a row group, which lie side by side.

    Attributes:
        file: that they are in, seekable.
        place: which bytes of it they are.
        metadata: what the footer says of them.
    """

    file: IO[bytes] = field(repr=False)
    place: range
    metadata: Struct = field(repr=False)

    @property
    def column(self) -> bytes:
        """The name of the column; one of lists or structs can have several chunks."""
        return self.metadata[_CHUNK_META][_META_PATH][0]

    def moved(self, file: IO[bytes], by: int) -> "Chunk":
        """Return the chunk as it is in another file, some bytes further on; its page indexes are said to stay."""
        metadata = self.metadata.add((_CHUNK_OFFSET,), by)
        metadata = metadata.put({_CHUNK_META: metadata[_CHUNK_META].add(_META_OFFSETS, by)})
        return Chunk(file, range(self.place.start + by, self.place.stop + by), metadata)


@dataclass(frozen=True)
class RowGroup:
    """A row group.

    Attributes:
        rows: how many it has.
        chunks: its column chunks in the order of the columns, wherever they lie.
        metadata: what the footer says of it, without those.
        footer: the footer without its rows and row groups.
    """

    rows: int
    chunks: tuple[Chunk, ...]
    metadata: Struct = field(repr=False)
    footer: Struct = field(repr=False)

    @cached_property
    def runs(self) -> list[list[int]]:
        """The numbers of the chunks that lie side by side in one file, as long as they do."""
        order = sorted(range(len(self.chunks)), key=lambda each: (id(self.chunks[each].file), self._start(each)))
        runs = [order[:1]]
        for before, after in pairwise(order):
            here, there = self.chunks[before], self.chunks[after]
            if here.file is there.file and here.place.stop == there.place.start:
                runs[-1].append(after)
            else:
                runs.append([after])
        return runs

    def _start(self, number: int) -> int:
        return self.chunks[number].place.start


def row_groups(file: IO[bytes]) -> list[RowGroup]:
    """Find the row groups of a Parquet file.

    Args:
        file: the file, seekable, which stays open as long as somebody copies them.

    Returns:
        Its row groups, in their order.

    Raises:
        ContractError: it is no Parquet file, or has what cannot be copied: encryption, Bloom filters, column chunks
            that are elsewhere or have gaps between them, a row group without rows.
    """
    footer, end = read_footer(file)
    rest, groups = without_rows(footer), footer[FILE_GROUPS]
    inside = [chunk for group in groups for chunk in group[GROUP_CHUNKS] if _CHUNK_META in chunk]
    starts = {_place(chunk).start for chunk in inside}
    found = []
    for number, group in enumerate(groups):
        if obstacle := _obstacle(group, end, starts):
            raise ContractError(f"Row group {number} cannot be copied, for {obstacle}: write the Parquet file anew.")
        chunks = tuple(Chunk(file, _place(chunk), chunk) for chunk in group[GROUP_CHUNKS])
        found.append(RowGroup(group[GROUP_ROWS], chunks, group.put({GROUP_CHUNKS: []}), rest))
    return found


def _obstacle(group: Struct, end: int, starts: Set[int]) -> str | None:
    """Return why a row group cannot be copied out of a file; None if it can.

    Args:
        group: the row group.
        end: of the data in the file.
        starts: where the chunks of all its row groups begin.
    """
    chunks = group[GROUP_CHUNKS]
    if any(_CHUNK_PATH in chunk or _CHUNK_META not in chunk for chunk in chunks):
        return "its columns are in another file"
    if any(_META_BLOOM_FILTER in chunk[_CHUNK_META] for chunk in chunks):
        return "it has Bloom filters"
    if not chunks or not group[GROUP_ROWS]:
        return "it has no rows"
    places = sorted(map(_place, chunks), key=lambda place: place.start)
    inside = all(places) and len(MAGIC) <= places[0].start and places[-1].stop <= end
    if not inside or any(before.stop not in starts or before.stop > after.start for before, after in pairwise(places)):
        return "its column chunks do not lie side by side, with those of other row groups between them at most"
    return None


def _place(chunk: Struct) -> range:
    """Find which bytes of the file a column chunk is."""
    metadata = chunk[_CHUNK_META]
    start = min((metadata.get(at) for at in _META_OFFSETS if metadata.get(at)), default=0)
    return range(start, start + metadata[_META_SIZE])
