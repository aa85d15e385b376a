"""A commit in the making: what the files will hold, over what they hold at a revision.

Each day sees what the days before it have changed. What a day changes is decided in `plan`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import folded_year, year_path
from govbr_assets.dataset.keys import holding
from govbr_assets.dataset.parquet import encode
from govbr_assets.huggingface.blob import Blob, opened, size_of
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import COMMIT_FILES
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.staged import Rows
from govbr_assets.io.staging import parquet_rows
from govbr_assets.operations.sync.options import DayChanges
from govbr_assets.operations.sync.year_files import YearEdit, YearFiles
from govbr_assets.publications import NEWS


class ChangesetBuilder:
    """The changes of one commit.

    Args:
        hub: the repo.
        snapshot: the revision that it is made at.
        years: the years' files.
    """

    def __init__(self, hub: RepoClient, snapshot: Snapshot, years: YearFiles) -> None:
        self.snapshot, self._hub, self._years = snapshot, hub, years
        self._put: dict[str, Blob] = {}
        self._gone: set[str] = set()
        self._edits: dict[str, YearEdit] = {}
        self._renewing: dict[str, DayChanges] = {}  # by the id of a row that comes in place of another: of its day
        self._places: dict[str, list[str]] = {}  # by id: the files that hold it, of ids that were located or moved

    def takes(self, paths: Iterable[str]) -> bool:
        """Say whether a day finds room that changes some files: the first one always does."""
        changed = self._put.keys() | self._gone | self._edits.keys()
        return not changed or len(changed.union(paths)) <= COMMIT_FILES

    @property
    def size(self) -> int:
        """Bytes of new shards."""
        return sum(map(size_of, self._put.values()))

    def locate(self, ids: pa.Array) -> None:
        """Look into all files for some ids."""
        found = holding(self._hub, self.snapshot, self.snapshot.data_files, ids)
        for unique_id, path in zip(*(column.to_pylist() for column in found.columns), strict=True):
            self._places.setdefault(unique_id, []).append(path)

    def places(self, ids: Iterable[str], own: str, year: Counter[str], year_file: str) -> list[tuple[str, str]]:
        """List the places of ids, but for a day's own shard and what its year's file holds of the day.

        Args:
            ids: which ids, of those that were located.
            own: the path of the shard.
            year: how often each id stands under the day in the year's file.
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

    def is_folded(self, path: str) -> bool:
        """Say whether rows of a file may be changed."""
        return self._years.is_folded(self.snapshot, path) if self.snapshot.data_file(path) else True

    def unfolded_rows(self, day: Day) -> dict[str, int]:
        """Count the rows of a day in files that only a compaction may change, by file."""
        return self._years.unfolded_rows(self.snapshot, day)

    def standing(self, day: Day) -> pa.Table:
        """Say what the year's file will hold of a day, but for what is renewed: [n rows x 2] of `STANDING_SCHEMA`."""
        rows, edit = self._years.standing(self.snapshot, day), self._edits.get(year_path(day.date.year))
        return rows.filter(pc.invert(pc.is_in(rows["unique_id"], pa.array(edit.gone, pa.string())))) if edit else rows

    def holds(self, path: str, content: Blob) -> bool:
        """Say whether a file has these bytes already."""
        if path in self._put or path in self._gone:
            return self._put.get(path) == content
        file = self.snapshot.data_file(path)
        return file is not None and file.holds(content)

    def shard(self, path: str) -> Rows:
        """Read a shard as it will be: [n rows x 24]; no rows if there is none."""
        if path in self._put:
            return parquet_rows(pq.ParquetFile(opened(self._put[path])))
        file = None if path in self._gone else self.snapshot.data_file(path)
        return self._years.shard(self.snapshot, file) if file else NEWS.schema.empty_table()

    def encoded(self, rows: Rows) -> Blob:
        """Write rows as a file: in memory, or on the disk if they are many."""
        return encode(rows, NEWS) if isinstance(rows, pa.Table) else self._years.encoded(rows)

    def write(self, path: str, old: Rows, rows: Rows, content: Blob | None = None) -> int:
        """Write a shard, which goes if no row is left, and give its bytes.

        Args:
            path: of the shard.
            old: [n rows x 24], as it was before.
            rows: [n rows x 24], as it is to be, in the order of every file.
            content: the same as a file, if it is made already.
        """
        before, after = set(old["unique_id"].to_pylist()), set(rows["unique_id"].to_pylist())
        for unique_id in before - after:
            self._leave(path, unique_id)
        for unique_id in after - before:
            self._places.setdefault(unique_id, []).append(path)
        self._put.pop(path, None)
        self._gone.discard(path)
        if rows.num_rows:
            self._put[path] = content or self.encoded(rows)
        elif self.snapshot.data_file(path):
            self._gone.add(path)
        return size_of(self._put.get(path, b""))

    def take_out(self, path: str, ids: list[str]) -> None:
        """Take rows out of a shard or a year's file."""
        if folded_year(path) is None:
            rows = self.shard(path)
            self.write(path, rows, rows.filter(pc.invert(pc.is_in(rows["unique_id"], pa.array(ids, pa.string())))))
            return
        gone = self._edits.setdefault(path, YearEdit()).gone
        for unique_id in ids:
            gone.setdefault(unique_id, None)
            self._leave(path, unique_id)

    def renew(self, path: str, renewed: Mapping[str, list[str]], rows: Rows, changes: DayChanges) -> None:
        """Put rows into a year's file in the place of others, and note in the end what differed.

        Args:
            path: of the file.
            renewed: by the id of each row: the ids there of what it takes the place of.
            rows: [n rows x 24].
            changes: of their day.
        """
        edit = self._edits.setdefault(path, YearEdit())
        edit.gone |= {old: new for new, olds in renewed.items() for old in olds}
        edit.new.append(self._years.spill(rows))
        self._renewing |= dict.fromkeys(renewed, changes)

    def finish(self) -> tuple[dict[str, Blob], tuple[str, ...]]:
        """Make the years' files, and give all that is to be put and to be deleted.

        Raises:
            ProofError: a row that stays would be lost or changed.
            ContractError: a year's file is not as folded files are.
        """
        put: dict[str, Blob] = dict(self._put)
        for path, edit in sorted(self._edits.items()):
            made = self._years.edited(self.snapshot, path, edit, self._note_columns)
            if made:
                put[path] = made
            else:
                self._gone.add(path)
        return put, tuple(sorted(self._gone))

    def _note_columns(self, unique_id: str, columns: list[str]) -> None:
        if columns:
            self._renewing[unique_id].changed[unique_id] = columns

    def _leave(self, path: str, unique_id: str) -> None:
        self._places[unique_id] = [each for each in self._places.get(unique_id, ()) if each != path]
