"""The compaction: one commit after another, each complete in itself and of under 100 files.

Which files go into a commit is decided here; `inputs` reads them, `packing` counts them, `build` makes the new ones.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from govbr_assets.core.counting import count
from govbr_assets.core.days import Day
from govbr_assets.core.globs import selected
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.releases import Release, release_name
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.left_over import left_over
from govbr_assets.dataset.reach import check_movable
from govbr_assets.dataset.schema_version import check_declared, in_version_of, outdated, schema_version
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.errors import ContractError, HubConflictError
from govbr_assets.huggingface.commit import COMMIT_FILES, Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io import memory
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.compact.build import CompactedFile, CompactedFiles
from govbr_assets.operations.compact.inputs import CompactionInputs
from govbr_assets.operations.compact.orphans import OrphanRemoval
from govbr_assets.operations.compact.packing import pack_commit, periods_of
from govbr_assets.operations.compact.sources import sources


@dataclass(frozen=True)
class CompactionReport:
    """What a commit of a compaction does.

    Attributes:
        compacted: the files whose rows go into compacted files.
        waiting: how many files wait for a later commit.
        rows: of each compacted file that it makes, by path.
        dropped: rows of ids that stood several times, by the file that had them.
        removed: orphans, which leave the dataset by approval.
        new_bytes: of row groups that are made anew, before the upload finds what it knows in them.
    """

    compacted: Sequence[DataFile] = ()
    waiting: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    removed: int = 0
    new_bytes: int = 0


def compact(
    dataset: Dataset,
    today: Day,
    removal: OrphanRemoval | None = None,
    *,
    dry_run: bool = False,
    log: Log = lambda _: None,
) -> Iterator[CommitResult[CompactionReport]]:
    """Compact the shards of closed days and all files of another name or schema into one file a year.

    Args:
        dataset: the dataset.
        today: whose shard stays, as the day is not over.
        removal: by which approval rows go that no sync reaches; None lets all stay.
        dry_run: do everything but commit, as if it were one commit.
        log: gets a sentence on how far the work is, and when a commit waits.

    Yields:
        Each commit when it has landed; nothing if all is compacted already.

    Raises:
        ContractError: a file holds what the contract cannot, without loss, or files have two versions of the schema.
        ProofError: what was written is not what was read; nothing of it is published.
        NoRoomError: the disk for temporary files is too small.
        TransientError: the Hub failed; what was given before is published.
    """
    start = dataset.client.head()
    if lacking := outdated(dataset, start):
        if schema_version(dataset, start).newer:
            raise ContractError(lacking)
        log(lacking)
    declared, dataset = dataset, in_version_of(dataset, start)  # until a migration has run, files stay of their schema
    with scratch_folder() as folder:
        inputs = CompactionInputs(dataset, today, folder, log, removal)
        operation = Compaction(inputs, 1 << 30 if dry_run else COMMIT_FILES, CompactedFiles(inputs, folder), declared)
        while True:
            result = commit(dataset, operation, start, dry_run=dry_run, log=log)
            if result.changeset.empty:
                return
            yield result
            if dry_run:
                return
            start = result.snapshot


class Compaction:
    """The next commit of a compaction.

    Args:
        inputs: the files that were read.
        most: files of one commit.
        files: builds the compacted files.
        declared: the dataset with the schema that it shall have; the one that it has is that of the inputs.
    """

    def __init__(
        self, inputs: CompactionInputs, most: int, files: CompactedFiles, declared: Dataset | None = None
    ) -> None:
        self._inputs, self._most, self._files = inputs, most, files
        self._declared = declared or inputs.dataset

    @memory.keep_free_memory()
    def plan(self, snapshot: Snapshot) -> Changeset[CompactionReport]:
        """Plan the commit: as many files as find room in one, and the compacted files that replace them."""
        dataset, inputs = self._inputs.dataset, self._inputs
        check_declared(self._declared, snapshot)
        if (version := schema_version(self._declared, snapshot).oldest) != dataset.spec.version:
            raise HubConflictError(
                f"{dataset.client.repo_id} got schema {version} while its files of schema {dataset.spec.version} were"
                " compacted: try again."
            )
        check_movable(dataset, snapshot)
        if still := left_over(dataset, snapshot):
            return self._deletion(snapshot, still)
        found = inputs.refresh(snapshot, self._files.files)
        # Files with duplicates go first, so that these are there at as few revisions as can be.
        waiting = [*found.legacy, *sorted(found.shards, key=lambda file: file not in inputs.with_duplicates)]
        losing = {period for period, file in found.periods.items() if inputs.leaving(file).num_rows}
        taken = pack_commit(waiting, inputs.staged, inputs.breaking, losing, self._most)
        periods = losing.union(*(periods_of(inputs.staged, file) for file in taken))
        built = self._files.build(periods, found.periods, taken)
        gone = {*(file.path for file in taken), *(each.old.path for each in built if each.old)}
        leave = self._files.dropped(taken), self._files.orphans(taken)
        return self._changeset(snapshot, built, gone, _report(taken, len(waiting) - len(taken), built, *leave))

    def _deletion(self, snapshot: Snapshot, still: Sequence[DataFile]) -> Changeset[CompactionReport]:
        """Delete files whose rows earlier commits have moved over."""
        found = sources(snapshot, self._inputs.today, self._inputs.dataset.spec.layout)
        last = len(still) <= COMMIT_FILES and not found.legacy and not found.shards
        paths = tuple(file.path for file in still[:COMMIT_FILES])
        return Changeset(
            delete=paths,
            message=f"Delete {count(len(paths), 'file')} that were moved over",
            allow_incompatible=True,
            release=self._release(snapshot, last=last),
            report=CompactionReport(),
        )

    def _release(self, snapshot: Snapshot, *, last: bool) -> Release:
        """Return which release a commit is: the last one of a compaction; and whether it is the first of a dataset."""
        found = sources(snapshot, self._inputs.today, self._inputs.dataset.spec.layout)
        name = release_name(self._inputs.today)
        return Release(name if last else "", name if found.legacy and not found.periods else "")

    def _changeset(
        self, snapshot: Snapshot, built: Sequence[CompactedFile], gone: set[str], report: CompactionReport
    ) -> Changeset[CompactionReport]:
        """Put the compacted files in place of the files that they were built of."""
        files = {each.file.path: each.file for each in built if each.file}
        gone = gone - files.keys()
        if not files and len(gone) == len(snapshot.data_files):
            return Changeset(report=CompactionReport())  # nobody could load a dataset without files
        delete, unselect = _divide(sorted(gone), len(files))
        removal = self._inputs.removal if report.removed else None
        return Changeset(
            {path: self._inputs.local(file) for path, file in files.items()},
            delete,
            fresh={each.file.path: each.built.fresh for each in built if each.file},
            message=_message(report, len(files)),
            removed_rows=report.removed,
            approval=removal and removal.approval(self._inputs.dataset.client, snapshot, report.removed),
            unselect=unselect,
            allow_incompatible=True,
            release=self._release(snapshot, last=not report.waiting and not unselect),
            report=report,
        )


def _message(report: CompactionReport, files: int) -> str:
    """Say in a line what a commit does."""
    done = f"Compact {count(len(report.compacted), 'file')} into {count(files, 'year file')}"
    return f"{done}, remove {count(report.removed, 'row')} that PostgreSQL has nowhere" if report.removed else done


def _report(
    taken: Sequence[DataFile], waiting: int, built: Sequence[CompactedFile], dropped: Counter[str], removed: int
) -> CompactionReport:
    """Describe a commit."""
    rows = {each.file.path: each.built.rows for each in built if each.file}
    new_bytes = sum(len(part) for each in built for part in each.built.fresh)
    return CompactionReport(taken, waiting, rows, dropped, removed, new_bytes)


def _divide(gone: Sequence[str], built: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """Leave to later commits what one cannot delete, if no pattern of ours reaches it: readers see it no more.

    Returns:
        The paths that the commit deletes, and those that the card selects no more.
    """
    reached = {*selected(DATA_PATTERN, gone)}
    away = [path for path in gone if path not in reached]
    later = away[max(0, COMMIT_FILES - built - len(reached)) :]
    return tuple(path for path in gone if path not in later), frozenset(later)
