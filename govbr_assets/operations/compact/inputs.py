"""What a compaction has read, for whatever revision: staged rows, months of compacted files, ids that stand twice."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.days import Day
from govbr_assets.core.periods import months_of_groups
from govbr_assets.dataset import Dataset
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.scratch import check_room
from govbr_assets.io.sizes import group_sizes
from govbr_assets.operations.compact.duplicates import Duplicates, Tables, choose_winners, find_duplicates
from govbr_assets.operations.compact.orphans import OrphanRemoval, find_orphans
from govbr_assets.operations.compact.read_files import local_rows, read_files
from govbr_assets.operations.compact.sources import Sources, sources
from govbr_assets.operations.compact.staged_files import StagedFiles
from govbr_assets.operations.file_cache import FileCache
from govbr_assets.operations.old_file import OldFile
from govbr_assets.operations.rewrite import RewrittenFile

_ROOM = 6  # times the size of the files that are read: their rows lie on the disk without compression
_LOG_SECONDS = 5.0  # between two lines of progress


class CompactionInputs:
    """Reads each file once, and remembers what it says.

    Args:
        dataset: the dataset.
        today: whose shard stays.
        folder: where files may be made.
        log: gets a sentence on how far the work is.
        removal: by which approval orphans go; None lets none go.
    """

    def __init__(
        self, dataset: Dataset, today: Day, folder: Path, log: Log, removal: OrphanRemoval | None = None
    ) -> None:
        self.dataset, self.today, self._folder, self._log = dataset, today, folder, log
        self.removal = removal
        self._cache = FileCache(dataset, folder / "cache")
        self._months: dict[DataFile, Sequence[int] | None] = {}  # of the row groups of compacted files
        self._odd: dict[DataFile, bool] = {}  # whether a file has another schema than the contract
        self._surveyed: frozenset[DataFile] = frozenset()  # the files whose ids are known
        self._origins: dict[DataFile, frozenset[DataFile]] = {}  # of files that were built: the surveyed ones in them
        self.staged = StagedFiles(folder, dataset.spec)
        """The files that are to be compacted."""
        self.breaking: set[DataFile] = set()
        """Files that break readers, beside other files or if they are the first one."""
        self.duplicates = Duplicates()
        self.with_duplicates: set[DataFile] = set()
        """Files with ids that stand several times."""

    def refresh(self, snapshot: Snapshot, built: Collection[DataFile]) -> Sources:
        """List the files of a snapshot, and read those that are new; those of another schema or in disorder are legacy.

        Args:
            snapshot: what to read.
            built: the files that were built here, which stay on the disk.
        """
        found = sources(snapshot, self.today, self.dataset.spec.layout)
        for period, file in list(found.periods.items()):
            if self._months_of(file, period) is None:
                found.legacy.append(found.periods.pop(period))
        found.legacy.extend(_take_out(found.open, lambda file: self._is_odd(file)))
        self._stage([file for file in (*found.legacy, *found.shards) if file not in self.staged])
        found.legacy.extend(_take_out(found.shards, lambda file: self._is_odd(file)))
        self.staged.keep_only([*found.legacy, *found.shards])
        self._survey(snapshot, found)
        self._cache.keep_only([*snapshot.data_files, *built])
        return found

    def old_file(self, file: DataFile) -> OldFile:
        """Bring a compacted file onto the disk."""
        return OldFile(self._cache.get(file), self._months[file] or [], self.dataset.spec)

    def leaving(self, file: DataFile) -> pa.Table:
        """Return the rows of a compacted file that go: [n rows x 3] of `DUPLICATES_SCHEMA`."""
        return self.duplicates.leaving(self.surveyed([file]))

    def surveyed(self, files: Iterable[DataFile]) -> list[str]:
        """Name those of some files whose ids were looked at: what was built here has lost what goes."""
        return [file.path for file in files if file not in self._origins]

    def adopt(self, built: RewrittenFile, local: Path, of: Iterable[DataFile]) -> DataFile:
        """Take a compacted file that was built, so that nobody reads it again when it is on the Hub.

        Args:
            built: the file.
            local: where it lies.
            of: the files that the commit puts it in place of.
        """
        file = DataFile.of(built.path, local)
        self._months[file], self._odd[file] = built.months, False
        self._origins[file] = self._originals(of)
        self._cache.adopt(file, local)
        return file

    def local(self, file: DataFile) -> Path:
        """Return where the copy of a file is that was brought or adopted."""
        return self._cache.path(file)

    def _is_odd(self, file: DataFile) -> bool:
        """Return whether a file has another schema than the contract."""
        if file not in self._odd:
            odd = self.dataset.spec.compare(self.dataset.reader.schema(file))
            self._odd[file] = bool(odd) or self.dataset.reader.begins_empty(file)
        return self._odd[file]

    def _months_of(self, file: DataFile, period: int) -> Sequence[int] | None:
        """Return the month of each row group of a compacted file; None if it is not as this project writes them."""
        if file not in self._months:
            groups = group_sizes(self.dataset.reader.footer(file))
            keys = self.dataset.reader.keys(file)
            self._months[file] = (
                None if self._is_odd(file) else months_of_groups(keys, groups, period, self.dataset.spec.layout)
            )
        return self._months[file]

    def _originals(self, files: Iterable[DataFile]) -> frozenset[DataFile]:
        """Name the files that were surveyed and that the rows of some files come from."""
        return frozenset().union(*(self._origins.get(file, {file}) for file in files))

    def _survey(self, snapshot: Snapshot, found: Sources) -> None:
        """Find out which ids stand several times, unless the rows are those that are known, in other files."""
        files = [*found.legacy, *found.shards, *found.open, *found.periods.values()]
        if self._surveyed and self._originals(files) == self._surveyed:
            return
        names, spec = self.dataset.spec.keys_schema.names, self.dataset.spec
        streams = self._streams(files, [*names, "source"], self._keys)
        key = self.dataset.client.key_of(snapshot.revision or "")
        with self.dataset.cache.keeping_keys(key) as keep:  # for `no_row_was_lost`
            for stream in streams:
                for keys in stream():
                    keep(keys.select(names))
        ids, holders = find_duplicates(streams)
        self.with_duplicates = {file for file in files if file.path in holders}
        orphans, theirs = find_orphans(streams, self.removal, snapshot, self.dataset.client, self._log)
        looked_at = [file for file in files if file.path in holders | theirs]
        whole = self._streams(looked_at, spec.sourced_schema.names, self._rows)
        self.duplicates = choose_winners(pa.concat_arrays([ids, orphans]), whole, spec).without(orphans)
        self._surveyed, self._origins = frozenset(files), {}

    def _stage(self, files: Sequence[DataFile]) -> None:
        """Fetch files, and stage their rows."""
        if not files:
            return
        size = sum(file.size for file in files)
        check_room(self._folder, _ROOM * size)
        logged, done = time.monotonic(), 0
        with closing(self._cache.stream(files)) as coming:  # nothing is fetched any more if one fails
            staging = self.staged.stage(read_files(coming, self.dataset.spec, self._text))
            for number, (file, staged) in enumerate(staging, 1):
                self._note(file, staged.schema, staged.checksum.rows)
                done += file.size
                if time.monotonic() - logged > _LOG_SECONDS:
                    logged = time.monotonic()
                    self._log(f"{number} of {len(files)} files are read, {done / size:.0%} of {size / 1e6:.0f} MB.")

    def _text(self, file: DataFile, content: Blob) -> Iterator[pa.Table] | None:
        """Stream the rows of a file that is no Parquet."""
        return self.dataset.reader.text_rows(file, opened(content)) if file.text else None

    def _note(self, file: DataFile, schema: pa.Schema, rows: int) -> None:
        """Note what is known of a file by now."""
        self._odd[file] = bool(self.dataset.spec.compare(schema))
        self.dataset.reader.remember(file, schema, rows)
        if self.dataset.spec.compare(schema).for_readers(first=True)[0]:
            self.breaking.add(file)
        self._cache.drop(file)

    def _keys(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the keys of a file that is not staged."""
        for keys in self.dataset.reader.keys(file):
            yield keys.append_column("source", pa.repeat(pa.scalar(file.path), keys.num_rows))

    def _rows(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the rows of a file that is not staged."""
        return local_rows(self._cache.get(file), file.path, self.dataset.spec)

    def _streams(
        self, files: Collection[DataFile], columns: Sequence[str], others: Callable[[DataFile], Iterator[pa.Table]]
    ) -> list[Tables]:
        """Return what streams columns of files: at once of those that are staged, and one by one of others."""
        rows = self.staged.rows(file for file in files if file in self.staged).select(columns)
        return [rows.tables, *(partial(others, file) for file in files if file not in self.staged)]


def _take_out(files: list[DataFile], wanted: Callable[[DataFile], bool]) -> list[DataFile]:
    """Take some files out of a list."""
    taken = [file for file in files if wanted(file)]
    files[:] = [file for file in files if file not in taken] if taken else files
    return taken
