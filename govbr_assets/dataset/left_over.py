"""Files whose rows an earlier commit of ours has moved, and which a later one has to delete, even after a kill.

Only the history of the repo says that they were ours: nobody selects them, and so they look like files of others.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from govbr_assets.core.formats import CSV, JSON, PARQUET, is_of
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import UNSELECTED_FILES
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot


def left_over(dataset: Dataset, snapshot: Snapshot) -> list[DataFile]:
    """List files that were ours until a commit moved their rows over, and that nobody has selected or changed since.

    Args:
        dataset: the dataset.
        snapshot: the revision; its history is read only if it has data files that no config selects.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    selected = snapshot.scope.selected
    idle = {
        file
        for path, file in snapshot.files.items()
        if path not in selected and any(is_of(path, kind) for kind in (PARQUET, JSON, CSV))
    }
    found, newer = set[DataFile](), list[str]()
    for commit, parent in pairwise(dataset.client.commits()) if idle else ():
        if commit.trailer(UNSELECTED_FILES) and (moved := idle & _moved_by(dataset, commit.revision, parent.revision)):
            found |= moved.difference(*(_selected(dataset, revision) for revision in newer))
        newer.append(commit.revision)
    return sorted(found, key=lambda file: file.path)


def _moved_by(dataset: Dataset, revision: str, parent: str) -> set[DataFile]:
    """List files that were ours before a commit and that nobody selects after it."""
    return set(_ours(dataset.client.at(parent))) - _selected(dataset, revision)


def _ours(snapshot: Snapshot) -> Iterator[DataFile]:
    with suppress(ContractError):  # a card that nobody can read: whoever has sent that commit was not this project
        yield from snapshot.data_files


def _selected(dataset: Dataset, revision: str) -> set[DataFile]:
    """List the files that any config selects; with a card that nobody can read all, for nobody knows what it meant."""
    snapshot = dataset.client.at(revision)
    try:
        return {snapshot.files[path] for path in snapshot.scope.selected}
    except ContractError:
        return set(snapshot.files.values())
