"""What a fold has read, for whatever revision: rows on the disk, months of folded files, ids that stand twice."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.consolidation import Survivors, by_month, months_of_groups
from govbr_assets.core.days import Day
from govbr_assets.fold.scratch import check_room
from govbr_assets.fold.sources import Inbox, Sources, local_rows, sources
from govbr_assets.fold.spill import Spill
from govbr_assets.fold.survivors import repeated_ids, survivors
from govbr_assets.fold.year import OldYear
from govbr_assets.hub import Hub, HubFile, Snapshot, file_keys, footer

_ROOM = 4  # times the size of the files that are read: their rows lie on the disk without much compression
_TELL_SECONDS = 5.0  # between two lines of progress

Tell = Callable[[str], None]


class Desk:
    """Reads each file once, and remembers what it says.

    Args:
        hub: the repo.
        today: whose shard stays.
        folder: where files may be made.
        tell: hears how far the work is.
    """

    def __init__(self, hub: Hub, today: Day, folder: Path, tell: Tell) -> None:
        self._hub, self._today, self._folder, self._tell = hub, today, folder, tell
        self._inbox = Inbox(hub, folder / "inbox")
        self._months: dict[HubFile, list[int] | None] = {}  # of the row groups of folded files
        self._known: set[HubFile] = set()  # whose ids are known
        self.spills: dict[HubFile, Spill] = {}
        self.survivors = Survivors({})
        self.doubled: set[HubFile] = set()
        """Files with ids that stand several times."""
        self.losing: set[HubFile] = set()
        """Files with rows that go because a better one stays."""

    def lay_out(self, snapshot: Snapshot) -> Sources:
        """Say what there is at a revision, and read what is new; a folded file in disorder is a file like any other."""
        found = sources(self._hub, snapshot, self._today)
        for year, file in list(found.years.items()):
            if file not in self._months:
                groups = footer(self._hub, snapshot, file)
                rows = [groups.row_group(index).num_rows for index in range(groups.num_row_groups)]
                self._months[file] = months_of_groups(file_keys(self._hub, snapshot, file), rows, year)
            if self._months[file] is None:
                found.legacy.append(found.years.pop(year))
        self._learn(snapshot, found)
        self._inbox.keep_only(snapshot.data_files)
        return found

    def old_year(self, snapshot: Snapshot, file: HubFile) -> OldYear:
        """Bring a folded file onto the disk."""
        return OldYear(file.path, self._inbox.get(snapshot, file), self._months[file] or [])

    def take_in(self, path: Path, target: str, months: list[int]) -> Path:
        """Take a folded file that was made, so that nobody reads it again when it is on the Hub; give its new place."""
        with path.open("rb") as content:
            file = HubFile(target, hashlib.file_digest(content, "sha256").hexdigest(), path.stat().st_size)
        self._known.add(file)
        self._months[file] = months
        return self._inbox.adopt(file, path)

    def _learn(self, snapshot: Snapshot, found: Sources) -> None:
        """Take the rows of new files to the disk, and find out which ids stand several times."""
        files = [*found.legacy, *found.shards, *found.open, *found.years.values()]
        # A row that gives way to a better one may do so only as long as that one is there.
        if self._known.issuperset(files) and self.doubled.issubset(files):
            return
        self._spill(snapshot, [file for file in (*found.legacy, *found.shards) if file not in self.spills])
        ids, holders = repeated_ids([partial(self._ids, snapshot, file) for file in files], self._folder / "ids")
        rows = ((index, self._rows(snapshot, files[index])) for index in holders)
        self.survivors, losing = survivors(ids, rows)
        self.doubled, self.losing = {files[index] for index in holders}, {files[index] for index in losing}
        self._known = set(files)

    def _spill(self, snapshot: Snapshot, files: Sequence[HubFile]) -> None:
        """Fetch files and part their rows by month."""
        size = sum(file.size for file in files)
        largest = max((file.size for file in snapshot.data_files), default=0)
        check_room(self._folder, _ROOM * size + 2 * largest)
        told, done = time.monotonic(), 0
        for number, (file, path) in enumerate(self._inbox.stream(snapshot, files), 1):
            spilled = self._folder / f"spill-{len(self.spills)}"
            self.spills[file] = Spill(spilled, local_rows(path, file.path), by_month)
            self._inbox.drop(file)
            done += file.size
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                self._tell(f"{number} of {len(files)} files are read, {done / size:.0%} of {size / 1e6:.0f} MB.")

    def _ids(self, snapshot: Snapshot, file: HubFile) -> Iterator[pa.Table]:
        """Stream the ids of a file."""
        if file in self.spills:
            return self.spills[file].all(["unique_id"])
        return file_keys(self._hub, snapshot, file)

    def _rows(self, snapshot: Snapshot, file: HubFile) -> Iterator[pa.Table]:
        """Stream the rows of a file."""
        if file in self.spills:
            return self.spills[file].all()
        return local_rows(self._inbox.get(snapshot, file), file.path)
