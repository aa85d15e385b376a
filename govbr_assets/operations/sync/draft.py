"""A changeset in the making: what files will hold, over what they hold at a revision.

Each day sees what the days before it have changed. What becomes of a row is decided in `diff`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.huggingface.blob import opened, size_of
from govbr_assets.huggingface.commit import COMMIT_FILES
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.staged import Rows, joined, tables_of
from govbr_assets.io.staging import collected, parquet_rows
from govbr_assets.operations.rewrite import FileEdit, RewrittenFile
from govbr_assets.operations.sync.day_files import DayFiles


@dataclass
class _RowEdit:
    """What changes in a file so far.

    Attributes:
        insert: [n rows x 24], rows that come.
        withdrawn: [n rows x 24], rows that were to come and were taken out again.
        delete: ids of the rows that go, as they are in the file.
        coming: ids of the rows that come.
    """

    insert: Rows
    withdrawn: Rows
    delete: set[str] = field(default_factory=set)
    coming: set[str] = field(default_factory=set)

    def put_in(self, rows: Rows) -> None:
        """Insert rows: [n rows x 24]."""
        self.insert = joined(self.insert, rows)
        self.coming.update(rows["unique_id"].to_pylist())

    def take_out(self, ids: Sequence[str]) -> None:
        """Take rows out: those that a day before has put there, or those that the file on the Hub has."""
        new = self.coming.intersection(ids)
        self.delete.update(each for each in ids if each not in new)
        if new:
            out = _among(self.insert, new)
            self.withdrawn = joined(self.withdrawn, self.insert.filter(out))
            self.insert = self.insert.filter(pc.invert(out))
            self.coming -= new

    def put_back(self, unique_id: str) -> None:
        """Put a row back that was taken out."""
        self.delete.discard(unique_id)
        self.put_in(self.withdrawn.filter(_among(self.withdrawn, [unique_id])))


class ChangesetBuilder:
    """The changes of one commit.

    Args:
        snapshot: the revision that it is made at.
        files: those that hold days.
        places: by id: how often each file holds it, by path; of all ids of days that are added.
    """

    def __init__(self, snapshot: Snapshot, files: DayFiles, places: Mapping[str, Counter[str]]) -> None:
        self.spec, self.snapshot, self._files = files.spec, snapshot, files
        self._edits: dict[str, _RowEdit] = {}
        self._made: dict[str, RewrittenFile] = {}  # shards as they will be; years' files are made in the end
        self._read: tuple[str, Rows] | None = None  # the shard that was read last
        self._places = {each: sorted(paths.elements()) for each, paths in places.items()}

    def takes(self, paths: Iterable[str]) -> bool:
        """Return whether a day finds room that changes some files: the first one always does."""
        return not self._edits or len(self._edits.keys() | set(paths)) <= COMMIT_FILES

    @property
    def size(self) -> int:
        """Bytes of new shards."""
        return sum(self.size_of(path) for path in self._edits if self.spec.layout.day_of(path))

    def size_of(self, path: str) -> int:
        """Count the bytes of a shard if it is written; 0 if it stays as it is or goes."""
        local = self._rewritten(path).local if path in self._edits else None
        return size_of(local) if local else 0

    def places(self, ids: Iterable[str], own: str, year: Counter[str], year_file: str) -> list[tuple[str, str]]:
        """List the places of ids, but for a day's own shard and what its year's file holds of the day.

        Args:
            ids: which ids, of those that were located.
            own: the path of the shard.
            year: how often each id is under the day in the year's file.
            year_file: its path.
        """
        found, known = [], Counter(year)
        for unique_id in ids:
            for path in self._places.get(unique_id, ()):
                if path == year_file and known[unique_id]:
                    known[unique_id] -= 1
                elif path != own:
                    found.append((unique_id, path))
        return found

    def can_change(self, path: str) -> bool:
        """Return whether rows of a file may be changed."""
        file = self.snapshot.data_file(path)
        return self._files.can_change(file) if file else True

    def uncompacted_rows(self, day: Day) -> dict[str, int]:
        """Count the rows of a day in files that only a compaction may change, by file."""
        return self._files.uncompacted_rows(self.snapshot, day)

    def rows_in_place(self, day: Day) -> pa.Table:
        """Return what the year's file will hold of a day, but for new versions: [n x 2] of `ROWS_IN_PLACE_SCHEMA`."""
        rows, edit = (
            self._files.rows_in_place(self.snapshot, day),
            self._edits.get(self.spec.layout.compacted_path_for(day)),
        )
        return rows.filter(pc.invert(_among(rows, edit.delete))) if edit else rows

    def year_rows(self, day: Day, ids: Collection[str]) -> Rows:
        """Read some rows of a day out of the year's file: [n rows x 24], in its order."""
        return self._files.rows(self.snapshot, day, ids)

    def ids_in_place(self, day: Day) -> list[str]:
        """List the ids of a day, in its own shard and under it in the year's file."""
        return [
            *self.shard(self.spec.layout.day_path(day))["unique_id"].to_pylist(),
            *self.rows_in_place(day)["unique_id"].to_pylist(),
        ]

    def has_bytes_of(self, path: str, rows: Rows) -> bool:
        """Return whether a shard on the Hub has the very bytes that rows would have as a file: [n rows x 24]."""
        file = None if path in self._edits else self.snapshot.data_file(path)
        return file is not None and bool(rows.num_rows) and self._files.is_encoded_as(file, rows)

    def shard(self, path: str) -> Rows:
        """Read a shard as it will be: [n rows x 24]; no rows if there is none."""
        if path not in self._edits:
            return self._old_shard(path)
        local = self._rewritten(path).local
        return parquet_rows(pq.ParquetFile(opened(local))) if local else self.spec.schema.empty_table()

    def add(
        self, deletes: Mapping[str, Sequence[str]], inserts: Mapping[str, Rows], rewritten: Iterable[str] = ()
    ) -> None:
        """Change files.

        Args:
            deletes: ids of the rows that leave each file.
            inserts: [n rows x 24], the rows that come into each file.
            rewritten: files that are written again, even if no row of them changes.
        """
        for path in {*deletes, *inserts, *rewritten}:
            self._edits.setdefault(path, _RowEdit(*[self.spec.schema.empty_table()] * 2))
            self._made.pop(path, None)
        for path, ids in deletes.items():
            self._edits[path].take_out(ids)
            for unique_id in ids:
                self._places[unique_id] = [each for each in self._places.get(unique_id, ()) if each != path]
        for path, rows in inserts.items():
            coming = (
                rows if self.spec.layout.day_of(path) else collected(tables_of(rows), self.spec.schema, 0)
            )  # of many days, till the end
            self._edits[path].put_in(coming)
            for unique_id in rows["unique_id"].to_pylist():
                self._places.setdefault(unique_id, []).append(path)

    def retain(self, places: Iterable[tuple[str | None, str | None]]) -> None:
        """Leave rows that were to be deleted where they are, or where a day before has put them.

        Args:
            places: file and id there of each.
        """
        for path, hub_id in places:
            if path in self._edits and hub_id is not None:
                self._edits[path].put_back(hub_id)
                self._made.pop(path, None)
        for path in [path for path, edit in self._edits.items() if not edit.delete and not edit.insert.num_rows]:
            del self._edits[path]

    def finish(self) -> dict[str, RewrittenFile]:
        """Make the files that are not made yet, and give all of them, by path.

        Raises:
            ProofError: a row that stays would be lost or changed.
            ContractError: a year's file is not as compacted files are.
        """
        return {path: self._rewritten(path) for path in sorted(self._edits)}

    def _rewritten(self, path: str) -> RewrittenFile:
        """Make a file as it will be."""
        if path not in self._made:
            old = self._old_shard(path) if self.spec.layout.day_of(path) else self.snapshot.files[path]
            edit = FileEdit.of(self._edits[path].delete, self._edits[path].insert, self.spec)
            self._made[path] = self._files.rewrite(path, old, edit)
        return self._made[path]

    def _old_shard(self, path: str) -> Rows:
        """Read a shard as it is on the Hub: [n rows x 24]."""
        file = self.snapshot.data_file(path)
        if file is None:
            return self.spec.schema.empty_table()
        if self._read is None or self._read[0] != path:
            self._read = None  # before the next one is read
            self._read = path, self._files.shard(file)
        return self._read[1]


def _among(rows: Rows, ids: Iterable[str]) -> pa.ChunkedArray:
    """Mark the rows that have one of some ids."""
    return pc.is_in(rows["unique_id"], pa.array(ids, pa.string()))
