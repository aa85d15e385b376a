"""Rows on the disk, parted by month or by day, and read back a part at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.consolidation import SOURCED_SCHEMA, by_day

PART_BYTES = 32 << 20
"""Rows of a month that are more than this are taken a day at a time."""

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)

Parting = Callable[[pa.Table], Iterable[tuple[int, pa.Table]]]


class Spill:
    """Rows of `SOURCED_SCHEMA` in one file.

    Args:
        path: where the file is made.
        tables: the rows.
        parting: parts a table by what it is asked for later.

    Attributes:
        rows: how many came.
        digests: the sum of their digests.
        parts: by month or day, where its rows are.
    """

    def __init__(self, path: Path, tables: Iterable[pa.Table], parting: Parting) -> None:
        self.path, self.rows, self.digests = path, 0, 0
        self.parts: dict[int, list[int]] = {}
        batches = 0
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SOURCED_SCHEMA, options=_OPTIONS) as writer:
            for table in tables:
                self.rows += table.num_rows
                self.digests += pc.sum(table["digest"]).as_py() or 0
                for key, part in parting(table):
                    for batch in part.combine_chunks().to_batches():
                        writer.write_batch(batch)
                        self.parts.setdefault(key, []).append(batches)
                        batches += 1

    def read(self, key: int) -> Iterator[pa.Table]:
        """Stream the rows of a month or a day."""
        return self._tables(self.parts.get(key, []))

    def all(self, columns: Sequence[str] = SOURCED_SCHEMA.names) -> Iterator[pa.Table]:
        """Stream all rows, or some columns of them."""
        return self._tables(sorted(chain(*self.parts.values())), columns)

    def _tables(self, batches: Sequence[int], columns: Sequence[str] = SOURCED_SCHEMA.names) -> Iterator[pa.Table]:
        if not batches:
            return
        fields = [SOURCED_SCHEMA.get_field_index(name) for name in columns]
        with pa.OSFile(str(self.path), "rb") as source:
            options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
            reader = pa.ipc.open_file(source, options=options)
            for batch in batches:
                yield pa.Table.from_batches([reader.get_batch(batch)])


def in_parts(tables: Iterable[pa.Table], path: Path) -> Iterator[pa.Table]:
    """Give the rows of a month at once, or a day at a time if they are many.

    Args:
        tables: the rows of the month, in any order.
        path: where a file may be made for the time being.

    Returns:
        The rows of earlier days before those of later ones; equal rows are always together.
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
        yield pa.concat_tables(spill.read(day))
    path.unlink()


def _drained(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Give tables and keep none of them."""
    while tables:
        yield tables.pop()
