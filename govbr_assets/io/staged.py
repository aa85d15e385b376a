"""Rows that are elsewhere than in memory, of which a piece at a time is read; their columns can be asked for.

`Rows` are a table or such rows, and what both can do, `num_rows`, `schema`, a column by its name, `select`, `filter`,
`take`, `slice`, is done in the same words. Where the pieces lie is said by whoever makes them.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.io.sizes import in_pieces

PIECE_BYTES = 8 << 20
"""Bytes of rows that are in memory together, where there may be too many."""

WINDOW_BYTES = 2 * PIECE_BYTES
"""Bytes of rows that are brought into order together."""

_MANY = 1 << 30


@dataclass(frozen=True)
class Piece:
    """Some rows at rest.

    Attributes:
        rows: how many.
        size: bytes of them.
        read: reads some columns of them.
    """

    rows: int
    size: int
    read: Callable[[Sequence[str]], pa.Table]


class StagedRows:
    """Rows out of pieces, in any order.

    Args:
        schema: of the rows; the pieces may have more columns.
        pieces: where they lie.
        at: [n rows] of int64, which rows of all pieces these are; None takes all of them.
        where: marks the rows that these are, when it is asked for the first time; None takes all of them.
    """

    def __init__(
        self,
        schema: pa.Schema,
        pieces: Sequence[Piece],
        at: pa.Array | None = None,
        where: "Mask | None" = None,
    ) -> None:
        self.schema, self._pieces = schema, list(pieces)
        self._places, self._where = at, where
        self._ends = list(accumulate(piece.rows for piece in pieces))

    @cached_property
    def _at(self) -> pa.Array | None:
        if self._where is None:
            return self._places
        mask = self._where(StagedRows(self.schema, self._pieces))
        return pc.indices_nonzero(mask).cast(pa.int64())

    @property
    def num_rows(self) -> int:
        """How many there are."""
        return (self._ends[-1] if self._ends else 0) if self._at is None else len(self._at)

    @property
    def nbytes(self) -> int:
        """How many bytes they are at most."""
        return sum(piece.size for piece in self._pieces)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """Read a column, all of it."""
        whole = pa.concat_tables(
            [pa.schema([self.schema.field(name)]).empty_table(), *(piece.read([name]) for piece in self._pieces)]
        )[name]
        return whole if self._at is None else pa.chunked_array([whole.combine_chunks().take(self._at)])

    def select(self, names: Sequence[str]) -> "StagedRows":
        """Take some columns."""
        schema = pa.schema([self.schema.field(name) for name in names], self.schema.metadata)
        return StagedRows(schema, self._pieces, self._at)

    def take(self, indices: pa.Array) -> "StagedRows":
        """Take some rows, in this order."""
        indices = indices.cast(pa.int64())
        return StagedRows(self.schema, self._pieces, indices if self._at is None else self._at.take(indices))

    def filter(self, mask: pa.ChunkedArray | pa.Array) -> "StagedRows":
        """Take the rows that are marked."""
        whole = mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
        return self.take(pc.indices_nonzero(pc.fill_null(whole, False)))

    def slice(self, offset: int, length: int | None = None) -> "StagedRows":
        """Take the rows from one on, some or all."""
        end = self.num_rows if length is None else min(self.num_rows, offset + length)
        return self.take(pa.array(range(offset, max(offset, end)), pa.int64()))

    def table(self) -> pa.Table:
        """Bring the rows into memory."""
        if self.nbytes > 2 * WINDOW_BYTES:
            return pa.concat_tables([self.schema.empty_table(), *self.tables()])
        pieces = (piece.read(self.schema.names) for piece in self._pieces)
        rows = pa.concat_tables([self.schema.empty_table(), *pieces])
        return rows if self._at is None else rows.take(self._at)

    def tables(self) -> Iterator[pa.Table]:
        """Stream the rows: piece by piece, or some `WINDOW_BYTES` at a time for each of which a piece is read once."""
        if self._at is None:
            yield from (piece.read(self.schema.names) for piece in self._pieces)
            return
        window, size, read = list[tuple[int, int]](), 0, _Reader(self._pieces, self.schema.names)
        for place in self._located():
            piece = self._pieces[place[0]]
            own = piece.size // piece.rows
            if window and size + own > WINDOW_BYTES:
                yield _window(window, read)
                window, size = [], 0
            window.append(place)
            size += own
        if window:
            yield _window(window, read)

    def _located(self) -> Iterator[tuple[int, int]]:
        """Return the piece of each row, and which one it is there."""
        for index in self._at.to_pylist() if self._at is not None else ():
            number = bisect_right(self._ends, index)
            yield number, index - self._ends[number] + self._pieces[number].rows

    def beside(self, other: "StagedRows") -> "StagedRows":
        """Put other rows of the same columns behind these."""
        if self._at is None and other._at is None:
            return StagedRows(self.schema, [*self._pieces, *other._pieces])
        here = self._at if self._at is not None else pa.array(range(self.num_rows), pa.int64())
        there = other._at if other._at is not None else pa.array(range(other.num_rows), pa.int64())
        offset = self._ends[-1] if self._ends else 0
        return StagedRows(self.schema, [*self._pieces, *other._pieces], pa.concat_arrays([here, pc.add(there, offset)]))


Mask = Callable[[StagedRows], pa.Array]
"""Marks some rows: [n rows] of bool."""

Rows = pa.Table | StagedRows
"""Rows in memory, or elsewhere."""


def tables_of(rows: Rows) -> Iterator[pa.Table]:
    """Stream rows: at once if they are in memory."""
    if isinstance(rows, pa.Table):
        yield rows
    else:
        yield from rows.tables()


def table_of(rows: Rows) -> pa.Table:
    """Bring rows into memory."""
    return rows if isinstance(rows, pa.Table) else rows.table()


def joined(first: Rows, second: Rows) -> Rows:
    """Put rows of the same columns one behind the other."""
    if isinstance(first, pa.Table) and isinstance(second, pa.Table):
        return pa.concat_tables([first, second])
    return _staged(first).beside(_staged(second))


def ordered(rows: Rows, by: Sequence[tuple[str, str]]) -> Rows:
    """Give rows an order; what is in order already is not copied."""
    keys = table_of(rows.select([name for name, _ in by]))
    order = pc.sort_indices(keys, sort_keys=list(by))
    as_it_is = pc.all(pc.greater(order[1:], order[:-1])).as_py()
    return rows if as_it_is else rows.take(order)


def side_by_side(first: Rows, second: Rows) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Stream as many rows of two kinds, each beside the other: one by one where they are not in memory."""
    if isinstance(first, pa.Table) and isinstance(second, pa.Table):
        yield first, second
        return
    for index in range(first.num_rows):
        yield table_of(first.slice(index, 1)), table_of(second.slice(index, 1))


def bounded(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Cut a stream of rows into pieces of `PIECE_BYTES`, or of a row that is larger."""
    return in_pieces(tables, _MANY, PIECE_BYTES)


class _Reader:
    """Reads pieces, and has the last one at hand."""

    def __init__(self, pieces: Sequence[Piece], columns: Sequence[str]) -> None:
        self._pieces, self._columns = pieces, columns
        self._number, self._rows = -1, pa.table({})

    def __call__(self, number: int) -> pa.Table:
        if number != self._number:
            self._rows = pa.table({})  # before the next one is read
            self._number, self._rows = number, self._pieces[number].read(self._columns)
        return self._rows


def _window(places: Sequence[tuple[int, int]], read: _Reader) -> pa.Table:
    """Read rows, which are told by their piece and their number there."""
    order = sorted(range(len(places)), key=places.__getitem__)
    found = []
    for number, run in groupby(order, key=lambda index: places[index][0]):
        found.append(_taken(read(number), [places[index][1] for index in run]))
    rows = pa.concat_tables(found)
    if order == list(range(len(order))):
        return rows
    back = sorted(range(len(order)), key=order.__getitem__)
    return rows.take(pa.array(back, pa.int64()))


def _staged(rows: Rows) -> StagedRows:
    if isinstance(rows, StagedRows):
        return rows
    return StagedRows(rows.schema, [Piece(rows.num_rows, rows.nbytes, rows.select)] if rows.num_rows else [])


def _taken(rows: pa.Table, indices: list[int]) -> pa.Table:
    """Take rows out of a table, without a copy if they stand side by side."""
    first = indices[0]
    if indices == list(range(first, first + len(indices))):
        return rows.slice(first, len(indices))
    return rows.take(pa.array(indices, pa.int64()))
