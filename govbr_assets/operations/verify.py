"""The proof: what was written, read back from the disk, is what was read from the Hub."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.digest import row_digests
from govbr_assets.core.identity import hashes
from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import SortCheck
from govbr_assets.core.row_group_copy import RowGroup
from govbr_assets.errors import ProofError
from govbr_assets.io.parallel import map_ordered
from govbr_assets.io.sizes import group_sizes
from govbr_assets.publications import NEWS

_KEYS = ["unique_id", "published_at"]
_AT_ONCE = 2  # row groups that are read back side by side: most of it is decompression, for which Arrow needs no Python
_PIECE = 4 << 20  # bytes that are compared at a time
_ROWS = 250  # that are read back at a time: a megabyte, and some of what it is digested from
_BYTES = 8 << 20  # of them at most, as far as the footer tells
_WRAP = 1 << 64  # at which sums of digests begin anew


class RowChecksum:
    """Rows that came out of files and rows that went into files or were dropped, wherever they were in between.

    It adds up their digests, so that neither their order matters nor how many they are.
    """

    def __init__(self) -> None:
        self._rows, self._sum = 0, 0

    def came(self, rows: int, digests: int) -> None:
        """Note rows that were read, with the sum of their digests."""
        self._rows += rows
        self._sum += digests

    def went(self, digests: pa.Array) -> None:
        """Note rows that were read back from what was written, or that were dropped."""
        self.came(-len(digests), -total(digests))

    def add(self, other: "RowChecksum") -> None:
        """Add what another one has noted."""
        self.came(other._rows, other._sum)

    def check(self) -> None:
        """Raise unless all that came went.

        Raises:
            ProofError: it did not.
        """
        if self._rows or self._sum % _WRAP:
            raise ProofError(
                f"The rows that were read are not the ones that were written and dropped ({self._rows:+} rows)."
                " Nothing was published."
            )


class Ledger:
    """Of the rows of a month: their digests, as they were read, and as they go."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._came: list[pa.Array] = [pa.array([], pa.int64())]
        self._went: list[pa.Array] = [pa.array([], pa.int64())]

    def read(self, digests: pa.ChunkedArray) -> None:
        """Note rows that were read."""
        self._came.append(digests.combine_chunks())

    def went(self, digests: pa.Array) -> None:
        """Note rows that were read back from what was written, or that were dropped."""
        self._went.append(digests)

    def check(self) -> None:
        """Raise unless the rows that came are the ones that were written and dropped.

        Raises:
            ProofError: they are not.
        """
        came, went = _sorted(pa.concat_arrays(self._came)), _sorted(pa.concat_arrays(self._went))
        if not came.equals(went):
            raise ProofError(
                f"The rows of {self._label} that were read are not the ones that were written: {len(came)} came,"
                f" {len(went)} went. Nothing was published."
            )


class Division(Protocol):
    """Which rows of a file stay and which go.

    Attributes:
        ids: of all rows of which some go.
    """

    ids: pa.Array

    def of(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Divide rows of `SOURCED_SCHEMA`, of which all of the same day are here, into those that stay and go."""
        ...

    def lost(self, stay: pa.Table, go: pa.Table) -> pa.Array:
        """List the ids of rows that go without a reason."""
        ...


def prove_dropped(stay: pa.Table, go: pa.Table, division: Division) -> None:
    """See that every row of `SOURCED_SCHEMA` that goes has its reason.

    Raises:
        ProofError: one has none.
    """
    if len(lost := division.lost(stay, go)):
        raise ProofError(f"unique_id {lost[0].as_py()!r} would be lost. Nothing was published.")


def prove(path: Path, target: str, ledgers: Sequence[Ledger | None], watched: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read a written file back, and note in the ledgers what is in it.

    Args:
        path: the file.
        target: its path on the Hub.
        ledgers: of each row group; None for one that was copied byte for byte.
        watched: ids that stood several times before.

    Returns:
        The digests of all rows with a ledger, and which of the watched ids are there.

    Raises:
        ProofError: another schema, another order, or an id that stands twice.
    """
    digests, ids, seen = [pa.array([], pa.int64())], [pa.array([], pa.int64())], [pa.array([], pa.string())]
    with _opened(path) as parquet:
        if difference := NEWS.compare(parquet.schema_arrow):
            raise ProofError(f"{target} was written with another schema: {difference}. Nothing was published.")
        if parquet.num_row_groups != len(ledgers):
            raise ProofError(f"{target} has {parquet.num_row_groups} row groups and not {len(ledgers)}.")
        order = SortCheck(target)
        for keys, of_rows in map_ordered(partial(_read_back, path, parquet.metadata), enumerate(ledgers), _AT_ONCE):
            if breach := order.breach(keys):
                raise ProofError(f"{breach}. Nothing was published.")
            here = keys["unique_id"].combine_chunks()
            ids.append(hashes(here.to_pylist()))
            seen.append(here.filter(pc.is_in(here, value_set=watched)))
            digests += of_rows
    in_order = _sorted(pa.concat_arrays(ids))  # a set of them would take ten times their size
    if pc.any(pc.equal(in_order[1:], in_order[:-1])).as_py():
        raise ProofError(f"An id stands more than once in {target}. Nothing was published.")
    return pa.concat_arrays(digests), pa.concat_arrays(seen)


def _read_back(
    path: Path, metadata: pq.FileMetaData, group: tuple[int, Ledger | None]
) -> tuple[pa.Table, list[pa.Array]]:
    """Read a row group: the keys of its rows, and their digests, which the ledger gets as well; none without one."""
    index, ledger = group
    keys, digests = [], []
    with _opened(path, metadata) as parquet:
        names = _KEYS if ledger is None else NEWS.schema.names
        at_once = rows_at_once(*group_sizes(parquet.metadata)[index], most_rows=_ROWS, most_bytes=_BYTES)
        for batch in parquet.iter_batches(at_once, row_groups=[index], columns=names, use_threads=False):
            rows = pa.Table.from_batches([batch])
            keys.append(rows.select(_KEYS))
            if ledger is not None:
                digests.append(row_digests(rows, NEWS.schema))
                ledger.went(digests[-1])
    return pa.concat_tables(keys), digests


def _opened(path: Path, metadata: pq.FileMetaData | None = None) -> pq.ParquetFile:
    return pq.ParquetFile(path, metadata=metadata, pre_buffer=False, buffer_size=1 << 20)


def prove_copied(source: IO[bytes], old: RowGroup, written: IO[bytes], new: RowGroup) -> None:
    """Compare a row group that was copied with the one that it was copied from, byte for byte.

    Raises:
        ProofError: they differ.
    """
    source.seek(old.start)
    written.seek(new.start)
    same, left = old.size == new.size, old.size
    while same and left:
        size = min(_PIECE, left)
        same, left = source.read(size) == written.read(size), left - size
    if not same:
        raise ProofError("A row group was not copied as it was. Nothing was published.")


def total(digests: pa.Array) -> int:
    """Add up digests."""
    return (pc.sum(digests).as_py() or 0) % _WRAP


def _sorted(values: pa.Array) -> pa.Array:
    return values.take(pc.sort_indices(values))
