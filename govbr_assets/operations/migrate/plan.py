"""The migration: uncompacted files are compacted as they are, then all files get the new columns in one commit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from govbr_assets.core.days import Day
from govbr_assets.core.releases import Release, release_name
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.schema_version import check_declared, schema_version
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.commit import COMMIT_FILES, Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io import memory
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.compact.plan import CompactionReport, compact
from govbr_assets.operations.file_cache import FileCache
from govbr_assets.operations.migrate.new_values import read_new_values
from govbr_assets.operations.migrate.wider_file import widen
from govbr_assets.operations.old_file import OldFile
from govbr_assets.operations.rewrite import RewrittenFile
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
        self._made: dict[DataFile, tuple[RewrittenFile, int]] = {}  # of which a plan at another head takes what it can

    @memory.keep_free_memory()
    def plan(self, snapshot: Snapshot) -> Changeset[MigrationReport]:
        """Plan the commit: each file that lacks columns, made anew with them."""
        check_declared(self._dataset, snapshot)
        found, spec = schema_version(self._dataset, snapshot), self._dataset.spec
        report = MigrationReport(found.oldest, found.wanted)
        if not found.is_outdated:
            return Changeset(report=report)
        old_spec = spec.at(found.oldest)
        wanted = [file for file in snapshot.data_files if file not in found.newer and self._has_rows(file)]
        refused = {file: reason for file in wanted if (reason := self._refusal(file, old_spec))}
        if refused and not self._dry_run:
            raise ContractError(next(iter(refused.values())))
        wanted = [file for file in wanted if file not in refused]
        if len(wanted) > COMMIT_FILES:
            raise ContractError(
                f"{len(wanted)} files lack columns, and one commit can have {COMMIT_FILES}: run the job"
                " weekly_consolidation, then migrate_schema again."
            )
        made = {file.path: self._widened(file, old_spec, found.oldest) for file in wanted}
        self._cache.keep_only([])
        name = release_name(self._today)
        return Changeset(
            {path: file.local for path, (file, _) in made.items() if file.local},
            fresh={path: file.fresh for path, (file, _) in made.items()},
            message=f"Add {_added(spec, found.oldest)} to {len(made)} files: schema {found.wanted}",
            allow_incompatible=bool(refused),  # in a dry run
            release=Release(name, name),
            report=replace(
                report,
                columns=tuple(column.name for column in spec.columns if column.since > found.oldest),
                rows={path: file.rows for path, (file, _) in made.items()},
                unknown=sum(unknown for _, unknown in made.values()),
                waiting=tuple(file.path for file in refused),
            ),
        )

    def _has_rows(self, file: DataFile) -> bool:
        return bool(file.text) or self._dataset.reader.row_count(file) > 0

    def _refusal(self, file: DataFile, old: DatasetSpec) -> str:
        """Say why a file cannot be made anew; empty if it can."""
        if not file.text and old.layout.is_ours(file.path):
            difference = old.compare(self._dataset.reader.schema(file))
            return f"{file.path} on the Hub is not of schema {old.version}: {difference}." if difference else ""
        return f"{file.path} on the Hub has to be compacted first: run the job weekly_consolidation."

    def _widened(self, file: DataFile, old_spec: DatasetSpec, version: int) -> tuple[RewrittenFile, int]:
        """Make a file anew, or take the one that was made of the same."""
        if file not in self._made:
            spec = self._dataset.spec
            names = [column.name for column in spec.columns if column.since > version]
            old = self._old_file(file, old_spec)
            values = read_new_values(self._news, old, names)
            made, joined = widen(file.path, old, values, self._folder, spec)
            self._cache.drop(file)
            self._made[file] = made, joined.unknown
            self._log(f"{file.path} has {', '.join(names)}: {made.rows} rows, {joined.unknown} not in PostgreSQL.")
        return self._made[file]

    def _old_file(self, file: DataFile, spec: DatasetSpec) -> OldFile:
        """Bring a file onto the disk."""
        layout, local = spec.layout, self._cache.get(file)
        day, period = layout.day_of(file.path), layout.period_of(file.path)
        old = OldFile.of_day(local, day, spec) if day else OldFile.of(local, period or 0, spec)
        if old is None:
            raise ContractError(f"{file.path} on the Hub has to be compacted first: run the job weekly_consolidation.")
        return old


def _added(spec: DatasetSpec, version: int) -> str:
    """Name the columns that come."""
    return ", ".join(column.name for column in spec.columns if column.since > version)
