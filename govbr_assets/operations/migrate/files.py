"""Which files of a dataset lack columns, and which of them have to be compacted before they can get them."""

from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.schema_version import SchemaVersion
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.commit import COMMIT_FILES
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.operations.file_cache import FileCache
from govbr_assets.operations.old_file import OldFile

_COMPACT_FIRST = "{} on the Hub has to be compacted first: run the job weekly_consolidation."


def added(spec: DatasetSpec, version: int) -> tuple[str, ...]:
    """Name the columns that came after a version of the schema."""
    return tuple(column.name for column in spec.columns if column.since > version)


def files_to_widen(
    dataset: Dataset, snapshot: Snapshot, found: SchemaVersion, *, skip_rejected: bool
) -> tuple[list[DataFile], list[DataFile]]:
    """List the files that get columns, and those that cannot as they are.

    Args:
        dataset: the dataset, with the schema that it shall have.
        snapshot: the revision.
        found: the versions of its files.
        skip_rejected: leave out those that cannot.

    Raises:
        ContractError: a file cannot, or there are more files than one commit can have.
    """
    old = dataset.spec.at(found.oldest)
    lacking = [file for file in snapshot.data_files if file not in found.newer and _has_rows(dataset, file)]
    rejected = {file: reason for file in lacking if (reason := _rejection(dataset, file, old))}
    if rejected and not skip_rejected:
        raise ContractError(next(iter(rejected.values())))
    wanted = [file for file in lacking if file not in rejected]
    if len(wanted) > COMMIT_FILES:
        raise ContractError(
            f"{len(wanted)} files lack columns, and one commit can have {COMMIT_FILES}: run the job"
            " weekly_consolidation, then migrate_schema again."
        )
    return wanted, list(rejected)


def old_file(cache: FileCache, file: DataFile, spec: DatasetSpec) -> OldFile:
    """Bring a file onto the disk.

    Raises:
        ContractError: it is not as a compaction leaves it.
    """
    layout, local = spec.layout, cache.get(file)
    day, period = layout.day_of(file.path), layout.period_of(file.path)
    old = OldFile.of_day(local, day, spec) if day else OldFile.of(local, period or 0, spec)
    if old is None:
        raise ContractError(_COMPACT_FIRST.format(file.path))
    return old


def _has_rows(dataset: Dataset, file: DataFile) -> bool:
    return bool(file.text) or dataset.reader.row_count(file) > 0


def _rejection(dataset: Dataset, file: DataFile, old: DatasetSpec) -> str:
    """Say why a file cannot get columns as it is; empty if it can."""
    if file.text or not old.layout.is_ours(file.path):
        return _COMPACT_FIRST.format(file.path)
    difference = old.compare(dataset.reader.schema(file))
    return f"{file.path} on the Hub is not of schema {old.version}: {difference}." if difference else ""
