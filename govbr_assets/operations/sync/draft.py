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
from govbr_assets.core.periods import in_order
from govbr_assets.dataset.keys import holding
from govbr_assets.huggingface.blob import Blob, opened, size_of
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import COMMIT_FILES
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.staged import Rows, joined
from govbr_assets.io.staging import parquet_rows
from govbr_assets.operations.sync.year_files import YearFiles
from govbr_assets.publications import NEWS


@dataclass
class FileEdit:
    """What changes in a file.

    Attributes:
        delete: ids of the rows that go, as they are in the file.
        insert: [n rows x 24] each, rows that come.
    """

    delete: set[str] = field(default_factory=set)
    insert: list[Rows] = field(default_factory=list)


class ChangesetBuilder:
    """The changes of one commit.

    Args:
        hub: the repo.
        snapshot: the revision that it is made at.
        years: the years' files.
    """

    def __init__(self, hub: RepoClient, snapshot: Snapshot, years: YearFiles) -> None:
        self.snapshot, self._hub, self._years = snapshot, hub, years
        self._edits: dict[str, FileEdit] = {}
        self._shards: dict[str, Blob | None] = {}  # shards as they will be, None for one that goes
        self._places: dict[str, list[str]] = {}  # by id: the files that hold it, of ids that were located or moved

    def takes(self, paths: Iterable[str]) -> bool:
        """Say whether a day finds room that changes some files: the first one always does."""
        return not self._edits or len(self._edits.keys() | set(paths)) <= COMMIT_FILES

    @property
    def size(self) -> int:
        """Bytes of new shards."""
        return sum(self.size_of(path) for path in self._edits if NEWS.layout.day_of(path))

    def size_of(self, path: str) -> int:
        """Count the bytes of a shard if it is written; 0 if it stays as it is or goes."""
        made = self._shard_file(path) if path in self._edits else None
        return size_of(made) if made else 0

    def locate(self, ids: pa.Array) -> None:
        """Look into all files for some ids."""
        found = holding(self._hub, self.snapshot.data_files, ids)
        for unique_id, path in zip(*(column.to_pylist() for column in found.columns), strict=True):
            self._places.setdefault(unique_id, []).append(path)

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
        """Say whether rows of a file may be changed."""
        file = self.snapshot.data_file(path)
        return self._years.is_folded(file) if file else True

    def uncompacted_rows(self, day: Day) -> dict[str, int]:
        """Count the rows of a day in files that only a compaction may change, by file."""
        return self._years.uncompacted_rows(self.snapshot, day)

    def rows_in_place(self, day: Day) -> pa.Table:
        """Say what the year's file will hold of a day, but for new versions: [n x 2] of `ROWS_IN_PLACE_SCHEMA`."""
        rows, edit = self._years.rows_in_place(self.snapshot, day), self._edits.get(NEWS.layout.compacted_path_for(day))
        return rows.filter(pc.invert(_among(rows, edit.delete))) if edit else rows

    def year_rows(self, day: Day, ids: Collection[str]) -> Rows:
        """Read some rows of a day out of the year's file: [n rows x 24], in its order."""
        return self._years.rows(self.snapshot, day, ids)

    def ids_in_place(self, day: Day) -> list[str]:
        """List the ids of a day, in its own shard and under it in the year's file."""
        return [
            *self.shard(NEWS.layout.day_path(day))["unique_id"].to_pylist(),
            *self.rows_in_place(day)["unique_id"].to_pylist(),
        ]

    def has_bytes_of(self, path: str, rows: Rows) -> bool:
        """Say whether a shard on the Hub has the very bytes that rows would have as a file: [n rows x 24]."""
        file = None if path in self._edits else self.snapshot.data_file(path)
        return file is not None and bool(rows.num_rows) and file.holds(self._years.encoded(rows))

    def shard(self, path: str) -> Rows:
        """Read a shard as it will be: [n rows x 24]; no rows if there is none."""
        if path not in self._edits:
            return self._old_shard(path)
        made = self._shard_file(path)
        return parquet_rows(pq.ParquetFile(opened(made))) if made else NEWS.schema.empty_table()

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
            self._edits.setdefault(path, FileEdit())
            self._shards.pop(path, None)
        for path, ids in deletes.items():
            self._delete(self._edits[path], ids)
            for unique_id in ids:
                self._places[unique_id] = [each for each in self._places.get(unique_id, ()) if each != path]
        for path, rows in inserts.items():
            self._edits[path].insert.append(rows)
            for unique_id in rows["unique_id"].to_pylist():
                self._places.setdefault(unique_id, []).append(path)

    def retain(self, places: Iterable[tuple[str | None, str | None]]) -> None:
        """Leave rows where they are that were to be deleted.

        Args:
            places: file and id there of each.
        """
        for path, hub_id in places:
            if path in self._edits and hub_id is not None:
                self._edits[path].delete.discard(hub_id)
                self._shards.pop(path, None)
        for path in [path for path, edit in self._edits.items() if not edit.delete and not edit.insert]:
            del self._edits[path]

    def finish(self) -> tuple[dict[str, Blob], tuple[str, ...]]:
        """Make the files, and give all that is to be put and to be deleted.

        Raises:
            ProofError: a row that stays would be lost or changed.
            ContractError: a year's file is not as compacted files are.
        """
        made = {path: self._shard_file(path) for path in self._edits if NEWS.layout.day_of(path)}
        for path in sorted(self._edits.keys() - made.keys()):
            edit = self._edits[path]
            made[path] = self._years.edited(self.snapshot, path, edit.delete, edit.insert)
        put = {path: blob for path, blob in made.items() if blob is not None}
        return put, tuple(sorted(path for path in made.keys() - put.keys() if self.snapshot.data_file(path)))

    @staticmethod
    def _delete(edit: FileEdit, ids: Sequence[str]) -> None:
        """Take rows out of a file: those that a day before has put there, or those that the Hub has."""
        new = {each for rows in edit.insert for each in rows["unique_id"].to_pylist()} if edit.insert else set()
        edit.delete.update(each for each in ids if each not in new)
        if not new.isdisjoint(ids):
            edit.insert = [rows.filter(pc.invert(_among(rows, ids))) for rows in edit.insert]

    def _shard_file(self, path: str) -> Blob | None:
        """Make a shard out of what it holds and what changes; None if no row is left."""
        if path not in self._shards:
            edit, old = self._edits[path], self._old_shard(path)
            rows = old.filter(pc.invert(_among(old, edit.delete))) if edit.delete else old
            for new in edit.insert:
                rows = joined(rows, new)
            self._shards[path] = self._years.encoded(in_order(rows)) if rows.num_rows else None
        return self._shards[path]

    def _old_shard(self, path: str) -> Rows:
        file = self.snapshot.data_file(path)
        return self._years.shard(file) if file else NEWS.schema.empty_table()


def _among(rows: Rows, ids: Iterable[str]) -> pa.ChunkedArray:
    """Mark the rows that have one of some ids."""
    return pc.is_in(rows["unique_id"], pa.array(ids, pa.string()))
