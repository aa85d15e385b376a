"""The compaction: one commit after another, each complete in itself and of under 100 files."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.contract import repeated
from govbr_assets.core.days import Day
from govbr_assets.core.globs import selected
from govbr_assets.core.layout import DATA_PATTERN, year_path
from govbr_assets.core.periods import Winners
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.left_over import left_over
from govbr_assets.dataset.reach import check_movable
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.errors import ProofError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import COMMIT_FILES, Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io import memory
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.compact.inputs import CompactionInputs
from govbr_assets.operations.compact.packing import CommitPacker
from govbr_assets.operations.rewrite.year import BuiltYear, YearBuilder
from govbr_assets.operations.verify import RowChecksum


@dataclass(frozen=True)
class CompactionReport:
    """What a commit of a compaction does.

    Attributes:
        compacted: the files whose rows go into compacted ones.
        waiting: how many files wait for a later commit.
        built: what became of the years.
    """

    compacted: Sequence[DataFile] = ()
    waiting: int = 0
    built: Sequence[BuiltYear] = ()

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each file that it makes."""
        return {year_path(each.year): each.rows for each in self.built if each.path}

    @property
    def dropped(self) -> Counter[str]:
        """The rows of ids that stood several times that it drops, by the file that had them."""
        return sum((each.dropped for each in self.built), Counter[str]())

    @property
    def new_bytes(self) -> int:
        """Bytes of row groups that it makes anew, before the upload finds what it knows in them."""
        return sum(len(part) for each in self.built for part in each.fresh)


def compact(
    client: RepoClient, today: Day, *, dry_run: bool = False, log: Log = lambda _: None
) -> Iterator[CommitResult[CompactionReport]]:
    """Compact the shards of closed days and all files of another name or schema into one file a year.

    Args:
        client: of the repo.
        today: whose shard stays, as the day is not over.
        dry_run: do everything but commit, as if it were one commit.
        log: gets a sentence on how far the work is, and when a commit waits.

    Yields:
        Each commit when it has landed; nothing if all is compacted already.

    Raises:
        ContractError: a file holds what the contract cannot, without loss.
        ProofError: what was written is not what was read; nothing of it is published.
        NoRoomError: the disk for temporary files is too small.
        TransientError: the Hub failed; what was given before is published.
    """
    with scratch_folder() as folder:
        inputs = CompactionInputs(client, today, folder, log)
        packer = CommitPacker(inputs.shelf, inputs.breaking, most=1 << 30 if dry_run else COMMIT_FILES)
        operation = Compaction(inputs, packer, folder)
        start = client.head()
        while True:
            result = commit(client, operation, start, dry_run=dry_run, log=log)
            if result.changeset.empty:
                return
            yield result
            if dry_run:
                return
            start = result.snapshot


@dataclass(frozen=True)
class _YearFile:
    """A year's file that was built, and what of: kept, as a plan at another snapshot often needs the same one.

    Attributes:
        old: the one that it replaces.
        added: the files that go into it.
        winners: which rows stayed where an id stood several times.
        built: what became of it.
        file: as it will be on the Hub; None if no row is left.
    """

    old: DataFile | None
    added: tuple[DataFile, ...]
    winners: Winners
    built: BuiltYear
    file: DataFile | None

    @property
    def sources(self) -> set[DataFile]:
        """The files that it replaces."""
        return {*self.added, *([self.old] if self.old else [])}


class Compaction:
    """The next commit of a compaction.

    Args:
        inputs: the files that were read.
        packer: says which files go into one commit.
        folder: where files may be made.
    """

    def __init__(self, inputs: CompactionInputs, packer: CommitPacker, folder: Path) -> None:
        self._inputs, self._packer, self._folder = inputs, packer, folder
        self._years: dict[int, _YearFile] = {}

    @memory.keep_free_memory()
    def plan(self, snapshot: Snapshot) -> Changeset[CompactionReport]:
        """Plan the commit: as many files as find room in one, and the year files that replace them."""
        client = self._inputs.client
        check_movable(client, snapshot)
        if still := left_over(client, snapshot)[:COMMIT_FILES]:
            paths = tuple(file.path for file in still)
            message = f"Delete {len(paths)} files that were moved over"
            return Changeset(delete=paths, lenient=True, message=message, report=CompactionReport())
        found = self._inputs.refresh(snapshot, {each.file: each.sources for each in self._years.values() if each.file})
        # What stands several times comes first, so that it does so at as few revisions as can be.
        waiting = [*found.legacy, *sorted(found.shards, key=lambda file: file not in self._inputs.doubled)]
        losing = {year for year, file in found.years.items() if file in self._inputs.losing}
        taken, years = self._packer.take(waiting, losing)
        self._years = {year: self._build(snapshot, year, found.years.get(year), taken) for year in sorted(years)}
        self._verify(taken)
        return self._changeset(snapshot, taken, len(waiting) - len(taken))

    def _build(self, snapshot: Snapshot, year: int, old: DataFile | None, taken: Sequence[DataFile]) -> _YearFile:
        """Build the file of a year, or take the one that was built of the same for another snapshot."""
        inputs, known = self._inputs, self._years.get(year)
        added = tuple(each for each in taken if any(month // 100 == year for month in inputs.shelf.lot(each).parts))
        made_of = old, added, inputs.choose_winners
        if known and (known.old, known.added, known.winners) == made_of:
            return known
        before = inputs.old_year(old) if old else None
        shares = inputs.shelf.shares(added)
        built = YearBuilder(year, before, shares, inputs.choose_winners, old in inputs.losing, self._folder).build()
        file = inputs.take_in(built.path, year_path(year), built.months) if built.path else None
        return _YearFile(*made_of, built, file)

    def _verify(self, taken: Sequence[DataFile]) -> None:
        """See that all rows that came out of files are in the new ones or were dropped, and none of them twice.

        Raises:
            ProofError: it is not so.
        """
        checksum, duplicates = RowChecksum(), [pa.array([], pa.string())]
        for lot in map(self._inputs.shelf.lot, taken):
            checksum.came(lot.rows, lot.digests)
        for each in self._years.values():
            checksum.add(each.built.account)
            duplicates.append(each.built.doubled)
        checksum.check()
        if twice := repeated(pa.concat_arrays(duplicates)):
            raise ProofError(f"unique_id {twice[0]!r} would stand in several year files. Nothing was published.")

    def _changeset(self, snapshot: Snapshot, taken: Sequence[DataFile], waiting: int) -> Changeset[CompactionReport]:
        """Put the year files in place of the files that they were built of."""
        built = {each.file.path: each for each in self._years.values() if each.file}
        old = [path for year in self._years if snapshot.data_file(path := year_path(year))]
        gone = sorted({*old, *(file.path for file in taken)} - built.keys())
        if not built and len(gone) == len(snapshot.data_files):
            return Changeset(report=CompactionReport())  # nobody could load a dataset without files
        delete, unselect = _divide(gone, len(built))
        return Changeset(
            {path: self._inputs.place(each.file) for path, each in built.items() if each.file},
            delete,
            fresh={path: each.built.fresh for path, each in built.items()},
            message=f"Fold {len(taken)} files into {len(built)} year files",
            unselect=unselect,
            lenient=True,
            report=CompactionReport(taken, waiting, [each.built for each in self._years.values()]),
        )


def _divide(gone: Sequence[str], built: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """Leave to later commits what one cannot delete, if no pattern of ours reaches it: readers see it no more.

    Args:
        gone: paths of files whose rows are in others now.
        built: how many files the commit puts.

    Returns:
        The paths that it deletes, and those that the card selects no more.
    """
    reached = {*selected(DATA_PATTERN, gone)}
    away = [path for path in gone if path not in reached]
    later = away[max(0, COMMIT_FILES - built - len(reached)) :]
    return tuple(path for path in gone if path not in later), frozenset(later)
