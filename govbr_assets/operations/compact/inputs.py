"""What a fold has read, for whatever revision: rows on the disk, months of folded files, ids that stand twice."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.days import Day
from govbr_assets.core.periods import SOURCED_SCHEMA, Winners, months_of_groups
from govbr_assets.dataset.keys import file_keys
from govbr_assets.dataset.reader import begins_empty, file_schema, footer, remember_schema, text_rows
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.metadata_cache import KEYS_SCHEMA
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.scratch import check_room
from govbr_assets.io.sizes import group_sizes
from govbr_assets.operations.compact.duplicates import Tables, choose_winners, find_duplicates
from govbr_assets.operations.compact.intake import Intake, TakenUp, local_rows
from govbr_assets.operations.compact.shelf import Shelf
from govbr_assets.operations.compact.sources import FileCache, Sources, sources
from govbr_assets.operations.rewrite.months import OldYear
from govbr_assets.publications import NEWS

_ROOM = 6  # times the size of the files that are read: their rows lie on the disk without compression
_LOG_SECONDS = 5.0  # between two lines of progress


class CompactionInputs:
    """Reads each file once, and remembers what it says.

    Args:
        client: of the repo.
        today: whose shard stays.
        folder: where files may be made.
        log: gets a sentence on how far the work is.
    """

    def __init__(self, client: RepoClient, today: Day, folder: Path, log: Log) -> None:
        self.client, self._today, self._folder, self._log = client, today, folder, log
        self._inbox = FileCache(client, folder / "inbox")
        self._months: dict[DataFile, list[int] | None] = {}  # of the row groups of folded files
        self._odd: dict[DataFile, bool] = {}  # whether a file has another schema than the contract
        self._surveyed: set[DataFile] | None = None  # the files whose ids are known
        self._intake = Intake(folder)
        self.shelf = Shelf()
        """The files that are to be folded."""
        self.breaking: set[DataFile] = set()
        """Files that break readers, beside other files or if they are the first one."""
        self.choose_winners = Winners({})
        self.doubled: set[DataFile] = set()
        """Files with ids that stand several times."""
        self.losing: set[DataFile] = set()
        """Files with rows that go because a better one stays."""

    def refresh(self, snapshot: Snapshot, built: Mapping[DataFile, Collection[DataFile]]) -> Sources:
        """List the files of a snapshot, and read those that are new; those of another schema or in disorder are legacy.

        Args:
            snapshot: what to read.
            built: the files that were built of others here, with these; once they are on the Hub, what is known of the
                ids still holds.
        """
        found = sources(snapshot, self._today)
        for year, file in list(found.years.items()):
            if self._months_of(file, year) is None:
                found.legacy.append(found.years.pop(year))
        found.legacy.extend(_taken(found.open, lambda file: self._is_odd(file)))
        self._spill([file for file in (*found.legacy, *found.shards) if file not in self.shelf])
        found.legacy.extend(_taken(found.shards, lambda file: self._is_odd(file)))
        self.shelf.keep_only([*found.legacy, *found.shards])
        self._survey(snapshot, found, built)
        self._inbox.keep_only([*snapshot.data_files, *built])
        return found

    def _is_odd(self, file: DataFile) -> bool:
        """Say whether a file has another schema than the contract."""
        if file not in self._odd:
            odd = NEWS.compare(file_schema(self.client, file))
            self._odd[file] = bool(odd) or begins_empty(self.client, file)
        return self._odd[file]

    def _months_of(self, file: DataFile, year: int) -> list[int] | None:
        """Tell the month of each row group of a folded file; None if it is not as folded files are."""
        if file not in self._months:
            groups = group_sizes(footer(self.client, file))
            keys = file_keys(self.client, file)
            self._months[file] = None if self._is_odd(file) else months_of_groups(keys, groups, year)
        return self._months[file]

    def old_year(self, file: DataFile) -> OldYear:
        """Bring a folded file onto the disk."""
        return OldYear(file.path, self._inbox.get(file), self._months[file] or [])

    def take_in(self, path: Path, target: str, months: list[int]) -> DataFile:
        """Take a folded file that was made, so that nobody reads it again when it is on the Hub."""
        file = DataFile.of(target, path)
        self._months[file], self._odd[file] = months, False
        self._inbox.adopt(file, path)
        return file

    def place(self, file: DataFile) -> Path:
        """Say where the copy of a file is that was brought or taken in."""
        return self._inbox.path(file)

    def _survey(self, snapshot: Snapshot, found: Sources, built: Mapping[DataFile, Collection[DataFile]]) -> None:
        """Find out which ids stand several times, unless the files are those that are known or were built of them."""
        files = [*found.legacy, *found.shards, *found.open, *found.years.values()]
        if self._surveyed is not None:
            landed = built.keys() & set(files)
            replaced = {source for file in landed for source in built[file]}
            if set(files) in (self._surveyed, (self._surveyed - replaced) | landed):
                self._surveyed = set(files)
                return
        streams = self._streams(files, [*KEYS_SCHEMA.names, "source"], self._keys)
        key = self.client.key_of(snapshot.revision or "")
        with self.client.kept.keeping_keys(key) as keep:  # for `no_row_was_lost`
            for keys in chain.from_iterable(stream() for stream in streams):
                keep(keys.select(KEYS_SCHEMA.names))
        ids, holders = find_duplicates(streams, self._folder / "ids")
        self.doubled = {file for file in files if file.path in holders}
        whole = self._streams([file for file in files if file in self.doubled], SOURCED_SCHEMA.names, self._rows)
        self.choose_winners, losing = choose_winners(ids, whole)
        self.losing = {file for file in self.doubled if file.path in losing}
        self._surveyed = set(files)

    def _spill(self, files: Sequence[DataFile]) -> None:
        """Fetch files, and part their rows by month."""
        if not files:
            return
        size = sum(file.size for file in files)
        check_room(self._folder, _ROOM * size)
        logged, done = time.monotonic(), 0
        with closing(self._inbox.stream(files)) as coming:  # nothing is fetched any more if one fails
            for number, taken in enumerate(self._intake.take_up(coming, self._text), 1):
                self._note(taken)
                done += taken.file.size
                if time.monotonic() - logged > _LOG_SECONDS:
                    logged = time.monotonic()
                    self._log(f"{number} of {len(files)} files are read, {done / size:.0%} of {size / 1e6:.0f} MB.")

    def _text(self, file: DataFile, content: Blob) -> Iterator[pa.Table] | None:
        """Stream the rows of a file that is no Parquet."""
        return text_rows(self.client, file, opened(content)) if file.text else None

    def _note(self, taken: TakenUp) -> None:
        """Note what is known of a file by now."""
        self.shelf.put(taken.file, taken.spill)
        self._odd[taken.file] = bool(NEWS.compare(taken.schema))
        remember_schema(self.client, taken.file, taken.schema, taken.spill.lot(taken.file.path).rows)
        if taken.breaking:
            self.breaking.add(taken.file)
        self._inbox.drop(taken.file)

    def _keys(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the keys of a file that is not on the shelf."""
        for keys in file_keys(self.client, file):
            yield keys.append_column("source", pa.repeat(pa.scalar(file.path), keys.num_rows))

    def _rows(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the rows of a file that is not on the shelf."""
        return local_rows(self._inbox.get(file), file.path)

    def _streams(
        self, files: Sequence[DataFile], columns: Sequence[str], others: Callable[[DataFile], Iterator[pa.Table]]
    ) -> list[Tables]:
        """Give what streams columns of files: at once of those that share a spill, and one by one of others."""
        shares = self.shelf.shares(file for file in files if file in self.shelf)
        rest = [partial(others, file) for file in files if file not in self.shelf]
        return [*(partial(share.all, columns) for share in shares), *rest]


def _taken(files: list[DataFile], wanted: Callable[[DataFile], bool]) -> list[DataFile]:
    """Take some files out of a list."""
    taken = [file for file in files if wanted(file)]
    files[:] = [file for file in files if file not in taken] if taken else files
    return taken
