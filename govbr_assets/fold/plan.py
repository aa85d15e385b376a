"""The fold as plans for `hub.publish`: one commit after another, each whole by itself and of under 100 files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from govbr_assets.core.days import Day
from govbr_assets.core.layout import folded_year, year_path
from govbr_assets.fold.desk import Desk, Tell
from govbr_assets.fold.scratch import scratch_folder
from govbr_assets.fold.year import Tally, YearBuilder
from govbr_assets.hub import Edit, Hub, HubFile, Publication, Snapshot, publish

COMMIT_FILES = 95
"""Files of one commit at most: with the card still under the 100 that a commit should have."""


@dataclass(frozen=True)
class Folded:
    """What one commit of a fold does.

    Attributes:
        came: files whose rows go into folded ones.
        left: files that wait for a later commit.
        rows: of each file that it writes.
        tally: bytes and duplicates.
        publication: the commit, or what it would be in a dry run.
    """

    came: list[HubFile]
    left: int
    rows: dict[str, int]
    tally: Tally
    publication: Publication


def fold(hub: Hub, today: Day, *, dry_run: bool = False, tell: Tell = lambda _: None) -> Iterator[Folded]:
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
        plan = FoldPlan(Desk(hub, today, folder, tell), folder, most=1 << 30 if dry_run else COMMIT_FILES)
        guess = hub.head()
        while True:
            publication = publish(hub, plan, guess, dry_run=dry_run, tell=tell)
            if publication.edit.empty:
                return
            yield Folded(plan.came, plan.left, plan.rows, plan.tally, publication)
            if dry_run:
                return
            guess = publication.snapshot


@dataclass
class FoldPlan:
    """The next commit of a fold, as a function of the revision.

    Attributes:
        desk: has what was read.
        folder: where files may be made.
        most: files of one commit.
        came: what the last `at` took up.
        left: how many files it left for later.
        rows: of each file that it makes.
        tally: what it came to.
    """

    desk: Desk
    folder: Path
    most: int
    came: list[HubFile] = field(default_factory=list)
    left: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def at(self, snapshot: Snapshot) -> Edit:
        """Make the edit for a revision: as many files as one commit takes, and the year files that replace them."""
        found = self.desk.lay_out(snapshot)
        # What stands several times comes first, so that it does so at as few revisions as can be.
        waiting = [*found.legacy, *sorted(found.shards, key=lambda file: file not in self.desk.doubled)]
        losing = {year for year, file in found.years.items() if file in self.desk.losing}
        self.came, years = self._take(waiting, losing)
        self.left, self.tally, self.rows = len(waiting) - len(self.came), Tally(), {}
        built = {year_path(year): self._build(snapshot, year, found.years.get(year)) for year in sorted(years)}
        put = {path: file for path, file in built.items() if file}
        gone = {file.path for file in self.came} | (built.keys() & snapshot.files.keys())
        delete = tuple(sorted(gone - put.keys()))
        return Edit(put, delete, lenient=True, summary=f"Fold {len(self.came)} files into {len(put)} year files")

    def _take(self, waiting: Sequence[HubFile], years: set[int]) -> tuple[list[HubFile], set[int]]:
        """Take as many files as find room in a commit, with the years that they go to."""
        taken: list[HubFile] = []
        # What stands in the place of a year's file comes at once: that file may be made now, and overwrite it.
        for file in sorted(waiting, key=lambda file: folded_year(file.path) is None):
            more = years | {month // 100 for month in self.desk.spills[file].parts}
            if taken and folded_year(file.path) is None and len(taken) + 1 + len(more) > self.most:
                break
            taken.append(file)
            years = more
        return taken, years

    def _build(self, snapshot: Snapshot, year: int, file: HubFile | None) -> Path | None:
        """Make the file of a year; None if no row is left."""
        old = self.desk.old_year(snapshot, file) if file else None
        added = [self.desk.spills[each] for each in self.came]
        loses = file in self.desk.losing
        built = YearBuilder(year, old, added, self.desk.survivors, loses, self.folder, self.tally).build()
        if built is None:
            return None
        self.rows[year_path(year)] = built.rows
        return self.desk.take_in(built.path, year_path(year), built.months)
