"""The proof: what was written, read back from the disk, is what was read from the Hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.consolidation import Order
from govbr_assets.core.contract import NEWS_SCHEMA, schema_difference
from govbr_assets.core.digest import row_digests
from govbr_assets.core.splice import RowGroup
from govbr_assets.errors import ProofError

_PIECE = 4 << 20  # bytes that are compared at a time


class Ledger:
    """Of the rows of a month: ids and digests, as they were read, and as they go."""

    def __init__(self) -> None:
        self._ids: dict[bool, list[pa.Array]] = {True: [], False: []}
        self._digests: dict[bool, list[pa.Array]] = {True: [], False: []}

    def read(self, rows: pa.Table) -> None:
        """Note rows of `SOURCED_SCHEMA` that were read."""
        self._note(rows["unique_id"], rows["digest"], came=True)

    def dropped(self, rows: pa.Table) -> None:
        """Note rows that go because a better one of the same id stays."""
        self._note(rows["unique_id"], rows["digest"], came=False)

    def written(self, rows: pa.Table) -> None:
        """Note rows of the contract that were read back from the file."""
        self._note(rows["unique_id"], pa.chunked_array([row_digests(rows)]), came=False)

    def check(self, label: str) -> None:
        """Raise unless the rows that came are the ones that were written and dropped.

        Raises:
            ProofError: they are not.
        """
        for what, noted in (("ids", self._ids), ("rows", self._digests)):
            came, went = (pa.concat_arrays(noted[each]) if noted[each] else pa.array([]) for each in (True, False))
            if len(came) != len(went) or not _sorted(came).equals(_sorted(went)):
                raise ProofError(
                    f"The {what} of {label} that were read are not the ones that were written: {len(came)} came,"
                    f" {len(went)} went. Nothing was published."
                )

    def _note(self, ids: pa.ChunkedArray, digests: pa.ChunkedArray, *, came: bool) -> None:
        self._ids[came].append(pa.array([hash(each) for each in ids.to_pylist()], pa.int64()))
        self._digests[came].append(digests.combine_chunks())


def prove(path: Path, target: str, ledgers: Sequence[tuple[int, Ledger | None]]) -> None:
    """Read a written file back and compare it with what is known of its rows.

    Args:
        path: the file.
        target: its path on the Hub.
        ledgers: month and ledger of each row group; None for one that was copied byte for byte.

    Raises:
        ProofError: another schema, another order, an id that stands twice, or a row that is not what was read.
    """
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as parquet:
        if difference := schema_difference(parquet.schema_arrow):
            raise ProofError(f"{target} was written with another schema: {difference}. Nothing was published.")
        if parquet.num_row_groups != len(ledgers):
            raise ProofError(f"{target} has {parquet.num_row_groups} row groups and not {len(ledgers)}.")
        order = Order(target)
        for index, (_, ledger) in enumerate(ledgers):
            names = ["unique_id", "published_at"] if ledger is None else NEWS_SCHEMA.names
            rows = parquet.read_row_group(index, names, use_threads=False)
            if breach := order.breach(rows):
                raise ProofError(f"{breach}. Nothing was published.")
            if ledger is not None:
                ledger.written(rows)
    for month, ledger in dict(ledgers).items():
        if ledger is not None:
            ledger.check(f"month {month} in {target}")


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


def _sorted(values: pa.Array) -> pa.Array:
    return values.take(pc.sort_indices(values))
