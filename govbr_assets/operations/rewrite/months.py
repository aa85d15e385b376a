"""The months of a year's file: as they stand, and made anew from their rows, each as a Parquet file of its own."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import in_order, sourced
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import tables_of
from govbr_assets.operations.compact.spill import PART_BYTES, Share, in_parts
from govbr_assets.operations.verify import Division, Ledger, RowChecksum, prove_dropped
from govbr_assets.publications import NEWS

_AT_ONCE = 3  # months that are made side by side: most of it is compression, for which Arrow needs no Python
_ROWS, _BYTES = 1_000, 8 << 20  # that are read at a time


@dataclass(frozen=True)
class OldYear:
    """A year's file as it stands.

    Attributes:
        source: its path on the Hub.
        path: of its local copy.
        months: of each row group.
    """

    source: str
    path: Path
    months: Sequence[int]

    def rows(self, month: int) -> Iterator[pa.Table]:
        """Stream the rows of a month: [n rows x 26] each of `SOURCED_SCHEMA`."""
        groups = [index for index, each in enumerate(self.months) if each == month]
        with self._opened() as parquet:
            sizes = group_sizes(parquet.metadata)
            for group in groups:
                at_once = rows_at_once(*sizes[group], most_rows=_ROWS, most_bytes=_BYTES)
                for batch in parquet.iter_batches(at_once, row_groups=[group], use_threads=False):
                    yield sourced(pa.Table.from_batches([batch]), self.source)

    def sizes(self) -> Counter[int]:
        """Count the bytes of each month before they were compressed."""
        sizes = Counter[int]()
        with self._opened() as parquet:
            for index, month in enumerate(self.months):
                sizes[month] += parquet.metadata.row_group(index).total_byte_size
        return sizes

    def months_with(self, ids: pa.Array) -> set[int]:
        """Tell the months that hold one of some ids."""
        with self._opened() as parquet:
            groups = (parquet.read_row_group(index, ["unique_id"]) for index in range(parquet.num_row_groups))
            found = [pc.any(pc.is_in(group["unique_id"], ids)).as_py() for group in groups]
        return {month for month, here in zip(self.months, found, strict=True) if here}

    def _opened(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 20)


@dataclass
class NewMonth:
    """A month that is made anew.

    Attributes:
        month: such as 202601.
        path: its file.
        ledger: of its rows.
        account: the rows that were read of the old file, and those that were dropped.
        dropped: how many rows were dropped, by the file that had them.
        rows: how many there are.
    """

    month: int
    path: Path
    ledger: Ledger
    account: RowChecksum = field(default_factory=RowChecksum)
    dropped: Counter[str] = field(default_factory=Counter)
    rows: int = 0


@dataclass(frozen=True)
class MonthWriter:
    """Makes months anew.

    Attributes:
        old: the year's file as it stands; None if there is none.
        added: rows that come into it, among those of other months.
        division: which rows stay and which go.
    """

    old: OldYear | None
    added: Sequence[Share]
    division: Division

    def write(self, months: Sequence[NewMonth]) -> None:
        """Write the files of months, side by side as far as they are small.

        Raises:
            ProofError: a row would go without a reason.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for some in self._side_by_side(months):
                for _ in pool.map(self._write, some):
                    pass

    def _side_by_side(self, months: Sequence[NewMonth]) -> Iterator[list[NewMonth]]:
        """Divide months into those that are in memory together, which is no more than one month may take."""
        old = self.old.sizes() if self.old else Counter[int]()
        some, size = [], 0
        for month in months:
            own = old[month.month] + sum(share.size(month.month) for share in self.added)
            if some and (len(some) == _AT_ONCE or size + own > PART_BYTES):
                yield some
                some, size = [], 0
            some, size = [*some, month], size + own
        yield some

    def _write(self, month: NewMonth) -> None:
        """Write the file of a month."""
        with month.path.open("wb") as sink:
            month.rows = encode_to(sink, self._surviving(month), NEWS)

    def _surviving(self, month: NewMonth) -> Iterator[pa.Table]:
        """Stream the rows of a month that stay, in order."""
        for part in in_parts(self._coming(month), month.path.with_suffix(".days")):
            stay, go = self.division.of(part)
            prove_dropped(stay, go, self.division)
            month.dropped.update(go["source"].to_pylist())
            month.account.went(go["digest"].combine_chunks())
            month.ledger.went(go["digest"].combine_chunks())
            yield from tables_of(in_order(stay.select(NEWS.schema.names)))

    def _coming(self, month: NewMonth) -> Iterator[pa.Table]:
        """Stream the rows of a month as they are read."""
        for share in self.added:
            for rows in share.read(month.month):
                month.ledger.read(rows["digest"])
                yield rows
        for rows in self.old.rows(month.month) if self.old else []:
            month.ledger.read(rows["digest"])
            month.account.came(rows.num_rows, pc.sum(rows["digest"]).as_py() or 0)
            yield rows
