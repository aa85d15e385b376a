"""Which version of its schema a dataset has: its files say it. How they get another one is a migration's business."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.reader import DatasetReader
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot


@dataclass(frozen=True)
class SchemaVersion:
    """The versions of the files of a revision.

    Attributes:
        oldest: the least of them, and so that of the dataset.
        older: files that have it, if others have a greater one.
        newer: those others.
        wanted: the one that is declared.
    """

    oldest: int
    older: tuple[DataFile, ...]
    newer: tuple[DataFile, ...]
    wanted: int

    @property
    def is_outdated(self) -> bool:
        """Whether columns are missing that are declared."""
        return self.oldest < self.wanted


def schema_version(dataset: Dataset, snapshot: Snapshot) -> SchemaVersion:
    """Tell the version of a revision; of one without rows it is the one that is declared.

    Args:
        dataset: the dataset.
        snapshot: the revision.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    spec = dataset.spec
    found = dict(_versions(dataset, snapshot)) if spec.version > 1 else {}
    oldest = min(found.values(), default=spec.version)
    newer = tuple(file for file, version in found.items() if version > oldest)
    older = tuple(file for file in found if file not in newer) if newer else ()
    return SchemaVersion(oldest, older, newer, spec.version)


def check_declared(dataset: Dataset, snapshot: Snapshot) -> None:
    """See that all that was published is still declared: a column that has another name is not a new one.

    Raises:
        ContractError: it is not; the message names file and column.
    """
    compacted = (file for file in snapshot.data_files if dataset.spec.layout.period_of(file.path) is not None)
    for file in compacted:
        if withdrawn := dataset.spec.compare(dataset.reader.schema(file)).withdrawn:
            raise ContractError(f"{file.path} on the Hub {withdrawn}")


def outdated(dataset: Dataset, snapshot: Snapshot) -> str:
    """Say that a dataset lacks columns, and what adds them; an empty text if it lacks none."""
    if dataset.spec.version == 1:
        return ""
    try:
        check_declared(dataset, snapshot)
    except ContractError as error:
        return str(error)
    found = schema_version(dataset, snapshot)
    if not found.is_outdated:
        return ""
    missing = ", ".join(column.name for column in dataset.spec.columns if column.since > found.oldest)
    if found.newer:
        return _mixed(dataset, found, missing)
    return (
        f"The dataset has schema {found.oldest} and publications.py declares schema {found.wanted}, with the columns"
        f" {missing}: run the job migrate_schema, which adds them to all files in one commit."
    )


def _mixed(dataset: Dataset, found: SchemaVersion, missing: str) -> str:
    """Say which files lack columns that others have, and what to do: somebody has uploaded the ones or the others.

    The migration adds columns to files of this project, and leaves those of others to the compaction; which does not
    know what the columns of their rows would say.
    """
    others = [file for file in found.older if file.text or not dataset.spec.layout.is_ours(file.path)]
    first, *more = others or found.older
    lacking = f"{first.path} on the Hub{f' (and {len(more)} more)' if more else ''} has schema {found.oldest}"
    wanted = f"{lacking}, without the columns {missing}, and {found.newer[0].path} has schema {found.wanted}"
    if others:
        return f"{wanted}: write it anew with these columns, or delete it and publish its days again."
    return f"{wanted}: run the job migrate_schema, which adds them to all files in one commit."


def in_version_of(dataset: Dataset, snapshot: Snapshot) -> Dataset:
    """Give the dataset with the schema that it has at a revision, to read it or to compact it as it is."""
    return with_spec(dataset, dataset.spec.at(schema_version(dataset, snapshot).oldest))


def with_spec(dataset: Dataset, spec: DatasetSpec) -> Dataset:
    """Give a dataset with other columns, and what is known of its files."""
    if spec == dataset.spec:
        return dataset
    cache = dataset.cache.of(spec)
    return replace(dataset, spec=spec, cache=cache, reader=DatasetReader(dataset.client, cache, spec))


def _versions(dataset: Dataset, snapshot: Snapshot) -> Iterator[tuple[DataFile, int]]:
    """Tell the version of each file that has rows; one that a compaction has to move over counts as the first."""
    dataset.reader.fetch_schemas(snapshot.data_files)
    for file in snapshot.data_files:
        if file.text or dataset.reader.row_count(file):
            yield file, max(1, dataset.spec.version_of(dataset.reader.schema(file)))
