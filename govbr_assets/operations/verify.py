"""The proof of a rewrite: what is read back is what was there, less what was deleted, with what was inserted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.digest import row_digests
from govbr_assets.core.identity import hashes
from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import SortCheck
from govbr_assets.core.row_groups import Chunk, RowGroup
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ProofError
from govbr_assets.io.parallel import map_ordered
from govbr_assets.io.sizes import group_sizes

_AT_ONCE = 2  # row groups that are read back side by side: most of it is decompression, for which Arrow needs no Python
_PIECE = 4 << 20  # bytes that are compared at a time
_ROWS = 250  # that are read back at a time: a megabyte, and some of what it is digested from
_BYTES = 8 << 20  # of them at most, as far as the footer tells
_WRAP = 1 << 64


@dataclass(frozen=True)
class RowChecksum:
    """A checksum of rows: how many there are, and the sum of their digests, modulo 2^64. Their order does not count.

    Attributes:
        rows: how many.
        digests: the sum.
    """

    rows: int = 0
    digests: int = 0

    @classmethod
    def of(cls, digests: pa.Array | pa.ChunkedArray) -> Self:
        """Add up the digests of rows."""
        return cls(len(digests), (pc.sum(digests).as_py() or 0) % _WRAP)

    def __add__(self, other: "RowChecksum") -> "RowChecksum":
        return RowChecksum(self.rows + other.rows, (self.digests + other.digests) % _WRAP)

    def __sub__(self, other: "RowChecksum") -> "RowChecksum":
        return RowChecksum(self.rows - other.rows, (self.digests - other.digests) % _WRAP)

    def check(self, found: "RowChecksum", name: str) -> None:
        """Raise unless other rows are the same.

        Args:
            found: of the rows that were written.
            name: what they are, for the message.

        Raises:
            ProofError: they are not.
        """
        if self != found:
            raise ProofError(
                f"The rows of {name} that were read are not the ones that were written: {self.rows} should be there,"
                f" {found.rows} are. Nothing was published."
            )


def verify(
    local: Path,
    path: str,
    groups: Sequence[bool],
    expected: RowChecksum,
    spec: DatasetSpec,
    watched: pa.Array | None = None,
) -> pa.Array:
    """Read a file back that was made, and see that it is as every file is and holds what it should.

    Args:
        local: the file.
        path: of it on the Hub, for messages.
        groups: of each row group, whether its rows were written; the others were copied byte for byte.
        expected: of the rows that were written.
        spec: of the dataset.
        watched: ids that are looked for.

    Returns:
        Which of the watched ids are there, as often as they are.

    Raises:
        ProofError: another schema, another order, an id that stands twice, or other rows.
    """
    found, ids, seen = RowChecksum(), [pa.array([], pa.int64())], [pa.array([], pa.string())]
    with _opened(local) as parquet:
        if difference := spec.compare(parquet.schema_arrow):
            raise ProofError(f"{path} was written with another schema: {difference}. Nothing was published.")
        if parquet.num_row_groups != len(groups):
            raise ProofError(f"{path} has {parquet.num_row_groups} row groups and not {len(groups)}.")
        order = SortCheck(path)
        for keys, checksum in map_ordered(
            partial(_read_back, local, parquet.metadata, spec), enumerate(groups), min(_AT_ONCE, len(groups))
        ):
            if breach := order.breach(keys):
                raise ProofError(f"{breach}. Nothing was published.")
            here = keys["unique_id"].combine_chunks()
            ids.append(hashes(here))
            if watched is not None:
                seen.append(here.filter(pc.is_in(here, value_set=watched)))
            found += checksum
    in_order = pa.concat_arrays(ids)  # a set of them would take ten times their size
    in_order = in_order.take(pc.sort_indices(in_order))
    if pc.any(pc.equal(in_order[1:], in_order[:-1])).as_py():
        raise ProofError(f"An id stands more than once in {path}. Nothing was published.")
    expected.check(found, path)
    return pa.concat_arrays(seen)


def verify_copy(old: RowGroup, new: RowGroup) -> None:
    """Compare a row group that was copied with the one that it was copied from, byte for byte.

    Raises:
        ProofError: they differ.
    """
    same = len(old.chunks) == len(new.chunks)
    if not same or not all(_is_copy(*each) for each in zip(old.chunks, new.chunks, strict=True)):
        raise ProofError("A row group was not copied as it was. Nothing was published.")


def _is_copy(old: Chunk, new: Chunk) -> bool:
    """Compare the bytes of two column chunks."""
    if len(old.place) != len(new.place):
        return False
    for start in range(0, len(old.place), _PIECE):
        before, after = old.place[start : start + _PIECE], new.place[start : start + _PIECE]
        old.file.seek(before.start)
        new.file.seek(after.start)
        if old.file.read(len(before)) != new.file.read(len(after)):
            return False
    return True


def _read_back(
    path: Path, metadata: pq.FileMetaData, spec: DatasetSpec, group: tuple[int, bool]
) -> tuple[pa.Table, RowChecksum]:
    """Read the keys of a row group, and the checksum of its rows if they were written."""
    index, whole = group
    keys, checksum = [], RowChecksum()
    with _opened(path, metadata) as parquet:
        names = spec.schema.names if whole else spec.keys_schema.names
        at_once = rows_at_once(*group_sizes(parquet.metadata)[index], most_rows=_ROWS, most_bytes=_BYTES)
        for batch in parquet.iter_batches(at_once, row_groups=[index], columns=names, use_threads=False):
            rows = pa.Table.from_batches([batch])
            keys.append(rows.select(spec.keys_schema.names))
            if whole:
                checksum += RowChecksum.of(row_digests(rows, spec.schema))
    return pa.concat_tables(keys), checksum


def _opened(path: Path, metadata: pq.FileMetaData | None = None) -> pq.ParquetFile:
    return pq.ParquetFile(path, metadata=metadata, pre_buffer=False, buffer_size=1 << 20)
