"""The files of a run over days: what they hold of a day, read once, and files that are made anew.

What becomes of a row is decided in `diff`; how a file is made and verified is the business of `operations.rewrite`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.contract import within
from govbr_assets.core.days import Day
from govbr_assets.core.diff import ROWS_IN_PLACE_SCHEMA
from govbr_assets.core.digest import row_digests
from govbr_assets.core.layout import LARGE_GROUP_BYTES, rows_at_once
from govbr_assets.core.row_differences import local_days
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.footers import row_groups_of_day
from govbr_assets.dataset.parquet import encode, encode_to
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import PIECE_BYTES, Rows, tables_of
from govbr_assets.io.staging import collected
from govbr_assets.operations.file_cache import FileCache
from govbr_assets.operations.old_file import OldFile, OldRows
from govbr_assets.operations.rewrite import FileEdit, RewrittenFile, rewrite

_GROUPS = 24
"""Row groups whose ids and digests are cached: a commit covers half a year, and a month has one or two of them."""


class DayFiles:
    """The files that hold days; what is read of a file is cached by its content id.

    Args:
        dataset: the dataset.
        folder: where files may be made.
    """

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self._dataset, self._folder, self.spec = dataset, folder, dataset.spec
        self._local_files = FileCache(dataset, folder / "inbox")
        self._groups: dict[tuple[str, int], pa.Table] = {}
        self._changeable: dict[str, bool] = {}  # by content
        self._days: dict[str, Counter[date]] = {}  # by content: how many rows a file has of each day
        self._last: tuple[str, int, pa.Table] | None = None  # the row group that was read last

    def can_change(self, file: DataFile) -> bool:
        """Return whether rows of a file may be changed: of a day's shard, or a year's file of the published schema."""
        if self.spec.layout.period_of(file.path) is None:
            return self.spec.layout.day_of(file.path) is not None
        if file.content not in self._changeable:  # it is asked for each row
            self._changeable[file.content] = not self.spec.compare(self._dataset.reader.schema(file))
        return self._changeable[file.content]

    def uncompacted_rows(self, snapshot: Snapshot, day: Day) -> dict[str, int]:
        """Count the rows of a day in files that only a compaction may change, by file; of each the times are read once.

        Raises:
            ContractError: the times of such a file cannot be read.
        """
        found = {}
        for file in self._dataset.reader.files_for(snapshot, day):
            if not self.can_change(file):
                if file.content not in self._days:
                    self._days[file.content] = self._count_days(file)
                found[file.path] = self._days[file.content][day.date]
        return {path: count for path, count in found.items() if count}

    def _count_days(self, file: DataFile) -> Counter[date]:
        days = Counter[date]()
        for rows in self._dataset.reader.keys(file):  # kept, and so fetched once in the lifetime of the file
            counts = pc.value_counts(local_days(rows["published_at"]))
            days.update(dict(zip(*(counts.field(name).to_pylist() for name in ("values", "counts")), strict=True)))
        return days

    def rows_in_place(self, snapshot: Snapshot, day: Day) -> pa.Table:
        """Return what the year's file holds of a day: [n rows x 2] of `ROWS_IN_PLACE_SCHEMA`.

        Only the row groups that may hold the day are read.
        """
        path, found = self.spec.layout.compacted_path_for(day), [ROWS_IN_PLACE_SCHEMA.empty_table()]
        file = snapshot.data_file(path)
        if file and self.can_change(file):
            for index in row_groups_of_day(self._dataset.reader.footer(file), day):
                rows = self._group(file, index)
                found.append(rows.filter(within(rows["published_at"], day)).select(ROWS_IN_PLACE_SCHEMA.names))
        return pa.concat_tables(found)

    def rows(self, snapshot: Snapshot, day: Day, ids: Collection[str]) -> Rows:
        """Read some rows of a day out of the year's file: [n rows x 24], in its order; many stay on the disk."""
        file, wanted = snapshot.files[self.spec.layout.compacted_path_for(day)], pa.array(ids, pa.string())
        groups = row_groups_of_day(self._dataset.reader.footer(file), day)
        tables = chain.from_iterable(self._rows(file, index) for index in groups)
        of_day = (rows.filter(within(rows["published_at"], day)) for rows in tables)
        return collected((rows.filter(pc.is_in(rows["unique_id"], wanted)) for rows in of_day), self.spec.schema)

    def shard(self, file: DataFile) -> Rows:
        """Read a shard, from its local copy: into memory, or where it is if its rows are many."""
        return self._dataset.reader.whole_file(file, lambda: self._local_files.get(file))

    def is_encoded_as(self, file: DataFile, rows: Rows) -> bool:
        """Return whether a shard has the very bytes that rows would have as a file: [n rows x 24]."""
        if isinstance(rows, pa.Table):
            return file.holds(encode(rows, self.spec))
        path = self._folder / "new-encoded"
        with path.open("wb") as sink:
            encode_to(sink, tables_of(rows), self.spec)
        return file.holds(path)

    def rewrite(self, path: str, old: Rows | DataFile, edit: FileEdit) -> RewrittenFile:
        """Make a file anew, and verify it; the next commit finds it on the disk.

        Args:
            path: of the file.
            old: what it was: [n rows x 24] of a day's shard; a year's file itself, of which most is copied.
            edit: what changes.

        Raises:
            ProofError: a row that stays would be lost or changed.
            ContractError: a year's file is not as compacted files are.
        """
        before = self._old_year(old) if isinstance(old, DataFile) else OldRows(old, self.spec)
        made = rewrite(path, before, edit, self._folder, self.spec)
        if made.local is None:
            return made
        file = DataFile.of(path, made.local)
        self._local_files.adopt(file, made.local)
        return replace(made, local=self._local_files.path(file))

    def _old_year(self, file: DataFile) -> OldFile:
        self._last = None  # the memory is needed now
        old = OldFile.of(self._local_files.get(file), self.spec.layout.period_of(file.path) or 0, self.spec)
        if old is None:
            raise ContractError(
                f"{file.path} on the Hub is not in the order of a compacted file: run the job weekly_consolidation, or"
                " govbr-assets mend, which compacts it first."
            )
        return old

    def clear(self, keep: Sequence[DataFile]) -> None:
        """Remove from the disk what no other commit needs."""
        self._local_files.keep_only(keep)
        for path in self._folder.glob("new-*"):
            path.unlink()

    def _group(self, file: DataFile, index: int) -> pa.Table:
        """Read a row group, and remember of it ids, digests and times."""
        key = file.content, index
        if key not in self._groups:
            found = [_digested(rows, self.spec) for rows in self._rows(file, index)]
            while len(self._groups) >= _GROUPS:
                del self._groups[next(iter(self._groups))]
            self._groups[key] = pa.concat_tables(found)
        return self._groups[key]

    def _rows(self, file: DataFile, index: int) -> Iterator[pa.Table]:
        """Read a row group: at once, or bit by bit out of a local copy if it is larger than one of ours."""
        rows, size = group_sizes(self._dataset.reader.footer(file))[index]
        if size <= LARGE_GROUP_BYTES:
            if self._last is None or self._last[:2] != (file.content, index):
                self._last = None  # before the next one is read
                self._last = file.content, index, self._dataset.reader.row_group(file, index)
            yield self._last[2]
            return
        with pq.ParquetFile(self._local_files.get(file), pre_buffer=False, buffer_size=1 << 20) as parquet:
            at_once = rows_at_once(rows, size, most_rows=1_000, most_bytes=PIECE_BYTES)
            for batch in parquet.iter_batches(at_once, row_groups=[index], use_threads=False):
                yield pa.Table.from_batches([batch]).cast(self.spec.schema)


def _digested(rows: pa.Table, spec: DatasetSpec) -> pa.Table:
    """Take of rows ids, digests and times."""
    return pa.table(
        [rows["unique_id"], row_digests(rows, spec.schema), rows["published_at"]],
        ["unique_id", "digest", "published_at"],
    )
