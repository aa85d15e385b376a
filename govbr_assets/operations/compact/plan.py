"""The compaction as plans for `dataset.transaction`: one commit after another, each whole and of under 100 files."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.contract import repeated
from govbr_assets.core.days import Day
from govbr_assets.core.globs import selected
from govbr_assets.core.layout import DATA_PATTERN, year_path
from govbr_assets.core.periods import Winners
from govbr_assets.dataset.left_over import left_over
from govbr_assets.dataset.reach import check_movable
from govbr_assets.dataset.transaction import CommitResult, publish
from govbr_assets.errors import ProofError
from govbr_assets.huggingface.changeset import Changeset
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import COMMIT_FILES
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io import memory
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.compact.inputs import CompactionInputs, Tell
from govbr_assets.operations.compact.packing import CommitPacker
from govbr_assets.operations.rewrite.year import BuiltYear, YearBuilder
from govbr_assets.operations.verify import RowChecksum


@dataclass(frozen=True)
class Step:
    """What a commit of a fold takes up and makes.

    Attributes:
        came: files whose rows go into folded ones.
        left: how many files wait for a later commit.
        built: what became of the years.
    """

    came: list[DataFile]
    left: int
    built: list[BuiltYear]

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


@dataclass(frozen=True)
class CompactionCommit(Step):
    """What one commit of a fold does.

    Attributes:
        publication: the commit, or what it would be in a dry run.
    """

    publication: CommitResult


def fold(
    hub: RepoClient, today: Day, *, dry_run: bool = False, tell: Tell = lambda _: None
) -> Iterator[CompactionCommit]:
    """Fold the shards of closed days and all files of another name or schema into one file a year.

    Args:
        hub: the repo.
        today: whose shard stays, as the day is not over.
        dry_run: do everything but commit, as if it were one commit.
        tell: hears in a sentence how far the work is.

    Yields:
        Each commit when it has landed; nothing if all is folded already.

    Raises:
        ContractError: a file holds what the contract cannot, without loss.
        ProofError: what was written is not what was read; nothing of it is published.
        NoRoomError: the disk for temporary files is too small.
        TransientError: the Hub failed; what was given before is published.
    """
    with scratch_folder() as folder:
        desk = CompactionInputs(hub, today, folder, tell)
        taking = CommitPacker(desk.shelf, desk.breaking, most=1 << 30 if dry_run else COMMIT_FILES)
        plan = Compaction(desk, taking, folder)
        guess = hub.head()
        while True:
            publication = publish(hub, plan, guess, dry_run=dry_run, tell=tell)
            if publication.edit.empty:
                return
            yield CompactionCommit(plan.step.came, plan.step.left, plan.step.built, publication)
            if dry_run:
                return
            guess = publication.snapshot


@dataclass(frozen=True)
class _Made:
    """A year's file, and what it was made of: its old one, the files that came into it, and who survived.

    Attributes:
        made_of: all that.
        built: what became of it.
        file: as it will be on the Hub; None if no row is left.
    """

    made_of: tuple[DataFile | None, tuple[DataFile, ...], Winners]
    built: BuiltYear
    file: DataFile | None


@dataclass
class Compaction:
    """The next commit of a fold, as a function of the revision.

    Attributes:
        desk: has what was read.
        taking: says which files come into one commit.
        folder: where files may be made.
        step: what the last `at` takes up and makes.
    """

    desk: CompactionInputs
    taking: CommitPacker
    folder: Path
    step: Step = field(default_factory=lambda: Step([], 0, []))
    _made: dict[int, _Made] = field(default_factory=dict)

    @memory.keep_free_memory()
    def at(self, snapshot: Snapshot) -> Changeset:
        """Make the edit for a revision: as many files as one commit takes, and the year files that replace them."""
        check_movable(self.desk.hub, snapshot)
        if still := left_over(self.desk.hub, snapshot)[:COMMIT_FILES]:
            delete = tuple(file.path for file in still)
            self.step = Step([], 0, [])
            return Changeset(delete=delete, lenient=True, summary=f"Delete {len(delete)} files that were moved over")
        found = self.desk.lay_out(snapshot)
        # What stands several times comes first, so that it does so at as few revisions as can be.
        waiting = [*found.legacy, *sorted(found.shards, key=lambda file: file not in self.desk.doubled)]
        losing = {year for year, file in found.years.items() if file in self.desk.losing}
        came, years = self.taking.take(waiting, losing)
        self._made = {year: self._year(snapshot, year, found.years.get(year), came) for year in sorted(years)}
        made = [each.file for each in self._made.values() if each.file]
        self._prove(came)
        gone = {file.path for file in came} | {path for year in years if snapshot.data_file(path := year_path(year))}
        delete = tuple(sorted(gone - {file.path for file in made}))
        self.step = Step(came, len(waiting) - len(came), [each.built for each in self._made.values()])
        self.desk.foresee(snapshot, delete, made)
        if not made and len(delete) == len(snapshot.data_files):
            self.step = Step([], 0, [])
            return Changeset()  # nobody could load a dataset without files
        put = {file.path: self.desk.place(file) for file in made}
        delete, unselect = self._divided(snapshot, delete, len(put))
        fresh = {each.file.path: each.built.fresh for each in self._made.values() if each.file}
        return Changeset(
            put,
            delete,
            unselect=unselect,
            lenient=True,
            fresh=fresh,
            summary=f"Fold {len(came)} files into {len(put)} year files",
        )

    def _divided(self, snapshot: Snapshot, gone: tuple[str, ...], made: int) -> tuple[tuple[str, ...], frozenset[str]]:
        """Leave to later commits what one cannot delete, if no pattern of ours reaches it: readers see it no more."""
        reached = {*selected(DATA_PATTERN, gone)}
        away = [path for path in gone if path not in reached]
        later = away[max(0, COMMIT_FILES - made - len(reached)) :]
        return tuple(path for path in gone if path not in later), frozenset(later)

    def _year(self, snapshot: Snapshot, year: int, file: DataFile | None, came: Sequence[DataFile]) -> _Made:
        """Make the file of a year, or take the one that was made of the same for another revision."""
        added = [each for each in came if any(month // 100 == year for month in self.desk.shelf.lot(each).parts)]
        made_of = file, tuple(added), self.desk.choose_winners
        before = self._made.get(year)
        if before and before.made_of == made_of:
            return before
        old = self.desk.old_year(snapshot, file) if file else None
        loses = file in self.desk.losing
        built = YearBuilder(
            year, old, self.desk.shelf.shares(added), self.desk.choose_winners, loses, self.folder
        ).build()
        new = self.desk.take_in(built.path, year_path(year), built.months) if built.path else None
        return _Made(made_of, built, new)

    def _prove(self, came: Sequence[DataFile]) -> None:
        """See that all rows that came out of files are in the new ones or were dropped, and none of them twice.

        Raises:
            ProofError: it is not so.
        """
        account, doubled = RowChecksum(), [pa.array([], pa.string())]
        for lot in map(self.desk.shelf.lot, came):
            account.came(lot.rows, lot.digests)
        for each in self._made.values():
            account.add(each.built.account)
            doubled.append(each.built.doubled)
        account.check()
        if twice := repeated(pa.concat_arrays(doubled)):
            raise ProofError(f"unique_id {twice[0]!r} would stand in several year files. Nothing was published.")
