"""The index of keys: which files hold which ids, on the disk.

Whoever asks where ids are now asks it. What becomes of the rows is decided elsewhere, and by the ids themselves: hashes
only divide the rows into partitions here, so that two ids with one hash are never taken for one.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain, count
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.identity import hashes
from govbr_assets.io.partitioned import PartitionedRows
from govbr_assets.io.sizes import joined_small
from govbr_assets.io.staged import Rows, tables_of
from govbr_assets.io.staging import collected

F = TypeVar("F", bound=Hashable)

_SCHEMA = pa.schema([("unique_id", pa.string()), ("file", pa.int32())])
_HASHED = _SCHEMA.append(pa.field("hash", pa.int64()))
_ROWS = 5_000  # that are indexed together
_IN_MEMORY = 2 << 20  # bytes of the index that are in memory at a time; a larger one is on the disk


class KeyIndex(Generic[F]):
    """The ids of files, read once as long as the file is indexed.

    Its size on the disk is that of the ids; memory depends on the ids that are asked for, not on the files.

    Args:
        keys: streams the keys of a file, [n rows x 1 or more] each with `unique_id`.
        fetch: is told of all files whose keys will be asked for next; None if that makes them no faster.
    """

    def __init__(
        self, keys: Callable[[F], Iterator[pa.Table]], fetch: Callable[[Iterable[F]], None] | None = None
    ) -> None:
        self._keys, self._fetch = keys, fetch
        self._numbers: dict[F, int] = {}
        self._counter = count()
        self._rows: Rows = _SCHEMA.empty_table()

    def add(self, files: Iterable[F]) -> None:
        """Index files; of those that are indexed nothing is read.

        Raises:
            NoRoomError: the disk for temporary files is full; the index is as it was, as after any other failure.
        """
        new = {file: next(self._counter) for file in dict.fromkeys(files) if file not in self._numbers}
        if new:
            if self._fetch:
                self._fetch(new)
            read = (_numbered(keys, number) for file, number in new.items() for keys in self._keys(file))
            joined = joined_small(read, _ROWS, _IN_MEMORY)
            self._rows = collected(chain(self._of(self._numbers), joined), _SCHEMA, _IN_MEMORY)
            self._numbers |= new

    def keep_only(self, files: Iterable[F]) -> None:
        """Drop all other files; their rows go when the next ones come."""
        self._numbers = {file: self._numbers[file] for file in files if file in self._numbers}

    def locate(self, ids: pa.Array, files: Iterable[F]) -> dict[str, list[F]]:
        """Find ids in files, which are indexed if they are not yet; without ids nothing is read.

        Args:
            ids: [n ids], what to look for.
            files: where to look.

        Returns:
            By id: the files that hold it, each as often as it does; without ids that no file holds.
        """
        among = list(dict.fromkeys(files))
        if not len(ids):
            return {}
        self.add(among)
        names, found = {self._numbers[file]: file for file in among}, dict[str, list[F]]()
        for rows in self._of(among):
            hits = rows.filter(pc.is_in(rows["unique_id"], ids))
            for unique_id, number in zip(*(column.to_pylist() for column in hits.columns), strict=True):
                found.setdefault(unique_id, []).append(names[number])
        return found

    def duplicates(self) -> Iterator[tuple[str | None, list[F]]]:
        """List the ids that the indexed files hold more than once, each with its files, as often as they hold it."""
        names = {number: file for file, number in self._numbers.items()}
        for rows in self._partitions():
            counts = pc.value_counts(rows["unique_id"])
            twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
            found = dict[str | None, list[F]]()
            hits = rows.filter(pc.is_in(rows["unique_id"], twice)).select(_SCHEMA.names)
            for unique_id, number in zip(*(column.to_pylist() for column in hits.columns), strict=True):
                found.setdefault(unique_id, []).append(names[number])
            yield from found.items()

    def missing(self, here: Iterable[F], there: Iterable[F]) -> int:
        """Count the ids that some indexed files hold and others do not, each once."""
        ours, theirs = (pa.array([self._numbers[file] for file in files], pa.int32()) for files in (here, there))
        total = 0
        for rows in self._partitions():
            mine, others = (rows["unique_id"].filter(pc.is_in(rows["file"], each)) for each in (ours, theirs))
            total += pc.sum(pc.invert(pc.is_in(pc.unique(mine), others.combine_chunks()))).as_py() or 0
        return total

    def rows(self, files: Iterable[F]) -> int:
        """Count the rows of some indexed files."""
        return sum(rows.num_rows for rows in self._of(files))

    def _of(self, files: Iterable[F]) -> Iterator[pa.Table]:
        """Stream the rows of some indexed files: [n rows x 2] each of the index."""
        numbers = pa.array([self._numbers[file] for file in files], pa.int32())
        for rows in tables_of(self._rows):
            yield rows.filter(pc.is_in(rows["file"], numbers))

    def _partitions(self) -> Iterator[pa.Table]:
        """Divide the rows of all indexed files, so that those of one id are together."""
        divided = PartitionedRows(_HASHED, "hash")
        for rows in self._of(self._numbers):
            divided.add(rows.append_column(_HASHED.field("hash"), hashes(rows["unique_id"])))
        return divided.partitions()


def _numbered(keys: pa.Table, number: int) -> pa.Table:
    """Put the number of its file to each id: [n rows x 2] of the index."""
    return pa.table([keys["unique_id"], pa.repeat(pa.scalar(number, pa.int32()), keys.num_rows)], schema=_SCHEMA)
