"""The migration: uncompacted files are compacted as they are, then all files get the new columns in one commit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from govbr_assets.core.counting import count
from govbr_assets.core.days import Day
from govbr_assets.core.releases import Release, release_name
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.schema_version import check_declared, schema_version
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io import memory
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.compact.plan import CompactionReport, compact
from govbr_assets.operations.file_cache import FileCache
from govbr_assets.operations.migrate.files import added, files_to_widen, old_file
from govbr_assets.operations.migrate.new_values import NewValues
from govbr_assets.operations.migrate.wider_file import WiderFile, widen
from govbr_assets.postgres.news import NewsTable


@dataclass(frozen=True)
class MigrationReport:
    """What a migration does.

    Attributes:
        before: the version of the schema that the dataset had.
        after: the one that it has then.
        columns: that come.
        rows: of each file, by path.
        unknown: rows that PostgreSQL has not, whose new columns are null.
        waiting: files that have to be compacted first; only a dry run leaves any.
    """

    before: int
    after: int
    columns: tuple[str, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    waiting: tuple[str, ...] = ()


Step = CommitResult[CompactionReport] | CommitResult[MigrationReport]
"""A commit of a migration: of the compaction before it, or its own, the last one."""


def migrate(
    dataset: Dataset, news: NewsTable, today: Day, *, dry_run: bool = False, log: Log = lambda _: None
) -> Iterator[Step]:
    """Add the columns of later versions of the schema to all files, with the values that PostgreSQL has.

    Args:
        dataset: the dataset, with the schema that it shall have.
        news: the table that has the values.
        today: whose shard is not compacted.
        dry_run: do everything but commit.
        log: gets a sentence on how far the work is.

    Yields:
        Each commit when it has landed; the last one is the migration's, and empty if there is nothing to migrate.

    Raises:
        ContractError: a file is not of one version of the schema, or PostgreSQL has a value that cannot be published.
        SourceError: PostgreSQL has not what a new column is read from.
        ProofError: what was written is not what was read; nothing of it is published.
        TransientError: the Hub or PostgreSQL failed; what was given before is published.
    """
    start = dataset.client.head()
    found = schema_version(dataset, start)
    if found.is_outdated and not found.newer:
        for result in compact(dataset, today, dry_run=dry_run, log=log):
            yield result
            start = start if dry_run else result.snapshot
    with scratch_folder() as folder:
        operation = Migration(dataset, news, today, folder, log, dry_run=dry_run)
        yield commit(dataset, operation, start, dry_run=dry_run, log=log)


class Migration:
    """The commit of a migration.

    Args:
        dataset: the dataset, with the schema that it shall have.
        news: the table that has the values.
        today: of the release.
        folder: where files may be made.
        log: gets a sentence for each file.
        dry_run: files that have to be compacted first are left out.
    """

    def __init__(
        self, dataset: Dataset, news: NewsTable, today: Day, folder: Path, log: Log, *, dry_run: bool = False
    ) -> None:
        self._dataset, self._news, self._today, self._folder, self._log = dataset, news, today, folder, log
        self._dry_run = dry_run
        self._cache = FileCache(dataset, folder / "cache")
        self._made: dict[DataFile, WiderFile] = {}  # of which a plan at another head takes what it can

    @memory.keep_free_memory()
    def plan(self, snapshot: Snapshot) -> Changeset[MigrationReport]:
        """Plan the commit: each file that lacks columns, made anew with them."""
        check_declared(self._dataset, snapshot)
        found, spec = schema_version(self._dataset, snapshot), self._dataset.spec
        report = MigrationReport(found.oldest, found.wanted)
        if not found.is_outdated:
            return Changeset(report=report)
        old, names = spec.at(found.oldest), added(spec, found.oldest)
        wanted, rejected = files_to_widen(self._dataset, snapshot, found, skip_rejected=self._dry_run)
        made = {file.path: self._widened(file, old) for file in wanted}
        self._cache.keep_only([])
        release = release_name(self._today)
        return Changeset(
            {path: file.local for path, file in made.items()},
            fresh={path: file.fresh for path, file in made.items()},
            message=f"Add {', '.join(names)} to {count(len(made), 'file')}: schema {found.wanted}",
            allow_incompatible=bool(rejected),  # in a dry run
            release=Release(release, release),
            report=replace(
                report,
                columns=names,
                rows={path: file.rows for path, file in made.items()},
                unknown=sum(file.unknown for file in made.values()),
                waiting=tuple(file.path for file in rejected),
            ),
        )

    def _widened(self, file: DataFile, old: DatasetSpec) -> WiderFile:
        """Make a file anew, or take the one that was made of the same."""
        if file not in self._made:
            names = added(self._dataset.spec, old.version)
            values = NewValues(self._news, names)
            made = widen(file.path, old_file(self._cache, file, old), values.of, self._folder, self._dataset.spec)
            self._cache.drop(file)
            self._made[file] = made
            self._log(f"{file.path} has {', '.join(names)}: {made.rows} rows, {made.unknown} not in PostgreSQL.")
        return self._made[file]
