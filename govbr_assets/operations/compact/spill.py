"""Rows on the disk, parted by month or by day, and read back a part at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.periods import SOURCED_SCHEMA, by_day
from govbr_assets.io.staged import Piece, Rows, StagedRows

PART_BYTES = 24 << 20
"""Rows of a month that are more than this are taken a day at a time."""

DAY_BYTES = 2 * PART_BYTES
"""Rows of a day that are more than this are read a piece at a time."""

_BUFFER = 1 << 20  # bytes that are written at once, or each column of each part would be some calls of the system
_OPTIONS = pa.ipc.IpcWriteOptions(use_threads=False)  # compression would take longer than all else that is done here

Parting = Callable[[pa.Table], Iterable[tuple[int, pa.Table]]]


@dataclass
class Lot:
    """What came out of one file.

    Attributes:
        rows: how many.
        digests: the sum of their digests.
        parts: the months or days that they are of.
    """

    rows: int = 0
    digests: int = 0
    parts: set[int] = field(default_factory=set)


class Spill:
    """Rows of `SOURCED_SCHEMA` in one file, whatever files they came from.

    Args:
        path: where the file is made.
        tables: the rows.
        parting: parts a table by what it is asked for later.

    Attributes:
        path: where it is.
        parts: by month or day, where its rows are.
        sizes: by month or day, how many bytes they are.
        batches: rows and bytes of each batch.
    """

    def __init__(self, path: Path, tables: Iterable[pa.Table], parting: Parting) -> None:
        self.path = path
        self._lots: dict[str, Lot] = {}
        self.parts: dict[int, list[int]] = {}
        self.sizes = Counter[int]()
        self.batches: list[tuple[int, int]] = []
        sink = pa.output_stream(str(path), compression=None, buffer_size=_BUFFER)
        with sink, pa.ipc.new_file(sink, SOURCED_SCHEMA, options=_OPTIONS) as writer:
            for table in tables:
                self._count(table)
                for key, part in parting(table):
                    self.sizes[key] += part.nbytes
                    for source in pc.unique(part["source"]).to_pylist():
                        self._lots[source].parts.add(key)
                    for batch in part.to_batches():
                        writer.write_batch(batch)
                        self.parts.setdefault(key, []).append(len(self.batches))
                        self.batches.append((batch.num_rows, batch.nbytes))

    def read(self, key: int) -> Iterator[pa.Table]:
        """Stream the rows of a month or a day."""
        return self._tables(self.parts.get(key, []))

    def rows(self, key: int) -> StagedRows:
        """Give the rows of a month or a day where they are, as long as the file is there."""
        batches = self.parts[key]
        return StagedRows(SOURCED_SCHEMA, [Piece(*self.batches[each], partial(self._piece, each)) for each in batches])

    def _piece(self, batch: int, columns: Sequence[str]) -> pa.Table:
        return next(self._tables([batch], columns)).select(list(columns))

    def all(self, columns: Sequence[str] = SOURCED_SCHEMA.names) -> Iterator[pa.Table]:
        """Stream all rows, or some columns of them."""
        return self._tables(sorted(chain(*self.parts.values())), columns)

    def lot(self, source: str) -> Lot:
        """Say what came out of a file."""
        return self._lots.get(source, Lot())

    def holds_others(self, sources: Set[str]) -> bool:
        """Say whether there are rows of other files than these."""
        return not self._lots.keys() <= sources

    def _count(self, table: pa.Table) -> None:
        """Note what comes, by its source."""
        sums = table.group_by("source").aggregate([("digest", "count"), ("digest", "sum")])
        for source, rows, digests in zip(*(column.to_pylist() for column in sums.columns), strict=True):
            lot = self._lots.setdefault(source, Lot())
            lot.rows, lot.digests = lot.rows + rows, lot.digests + digests

    def _tables(self, batches: Sequence[int], columns: Sequence[str] = SOURCED_SCHEMA.names) -> Iterator[pa.Table]:
        if not batches:
            return
        some = columns != SOURCED_SCHEMA.names  # all of them are read at once if none is named
        fields = [SOURCED_SCHEMA.get_field_index(name) for name in columns] if some else None
        with pa.OSFile(str(self.path), "rb") as source:
            options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
            reader = pa.ipc.open_file(source, options=options)
            for batch in batches:
                yield pa.Table.from_batches([reader.get_batch(batch)])


@dataclass(frozen=True)
class Share:
    """The rows of a spill that came from some files.

    Attributes:
        spill: has them.
        sources: the paths of the files.
    """

    spill: Spill
    sources: frozenset[str]

    @property
    def parts(self) -> set[int]:
        """The months or days that the rows are of."""
        return {key for source in self.sources for key in self.spill.lot(source).parts}

    def size(self, key: int) -> int:
        """Say how many bytes the rows of a month or a day are at most."""
        return self.spill.sizes[key]

    def read(self, key: int) -> Iterator[pa.Table]:
        """Stream the rows of a month or a day."""
        return map(self._own, self.spill.read(key))

    def all(self, columns: Sequence[str] = SOURCED_SCHEMA.names) -> Iterator[pa.Table]:
        """Stream all rows, or some columns of them, `source` among these."""
        return map(self._own, self.spill.all(columns))

    def _own(self, rows: pa.Table) -> pa.Table:
        if self.spill.holds_others(self.sources):
            return rows.filter(pc.is_in(rows["source"], value_set=pa.array(self.sources, pa.string())))
        return rows


def in_parts(tables: Iterable[pa.Table], path: Path) -> Iterator[Rows]:
    """Give the rows of a month at once, or a day at a time if they are many.

    Args:
        tables: the rows of the month, in any order.
        path: where a file may be made for the time being.

    Returns:
        The rows of earlier days before those of later ones, all of a day together, which stay on the disk if they are
        many; equal rows are always together.
    """
    held, size, rest = [SOURCED_SCHEMA.empty_table()], 0, iter(tables)
    for table in rest:
        held.append(table)
        size += table.nbytes
        if size > PART_BYTES:
            break
    else:
        yield pa.concat_tables(held)
        return
    spill = Spill(path, chain(_drained(held), rest), by_day)
    for day in sorted(spill.parts):
        yield spill.rows(day) if spill.sizes[day] > DAY_BYTES else pa.concat_tables(spill.read(day))
    path.unlink()


def _drained(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Give tables and keep none of them."""
    while tables:
        yield tables.pop()
