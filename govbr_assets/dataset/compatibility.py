"""Whether every reader can load the files of a revision: one schema, no empty files, no loading script beside them.

Whether the card can be loaded is checked in `card`.
"""

from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot

_MORE_METADATA = ".huggingface.yaml"


def empty_files(dataset: Dataset, snapshot: Snapshot, edit: Changeset[object]) -> tuple[str, ...]:
    """List files of the dataset that hold no rows and break readers: a commit that leaves others takes them with it."""
    if edit.copy:
        return ()  # and nothing is read: what comes back may take the place of a file that nobody can read
    reader = dataset.reader
    kept = [file for file in snapshot.data_files if file.path not in (*edit.put, *edit.delete, *edit.unselect)]
    found = [
        file.path for file in kept if is_parquet(file.path) and reader.begins_empty(file) and not reader.row_count(file)
    ]
    others = len(found) < len(kept) or any(map(is_parquet, edit.put))
    return tuple(found) if others else ()


def check_places(snapshot: Snapshot, edit: Changeset[object]) -> None:
    """Check that no new file is where the repo has a folder, or within a file.

    Raises:
        ContractError: one is; the message names both.
    """
    staying = snapshot.files.keys() - {*edit.delete}
    folders = {path[:at] for path in staying for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(edit.put.keys() & folders):
        raise ContractError(f"{path} is a folder on the Hub, where a file has to be: give it another name.")
    for path in edit.put:
        above = (path[:at] for at, letter in enumerate(path) if letter == "/")
        if file := next((each for each in above if each in staying), None):
            raise ContractError(f"{file} on the Hub is a file, and the folder of {path} has to be there: rename it.")


def check_readable(dataset: Dataset, snapshot: Snapshot, edit: Changeset[object]) -> list[str]:
    """Compare the schemas of the files that will stand beside new ones, or come back, with the contract.

    Args:
        dataset: the dataset.
        snapshot: the revision that the commit is planned at.
        edit: the commit; the data files that it puts have the contract's schema.

    Returns:
        What differs and is tolerated by readers, a sentence each; in a state that there was before also what is not.

    Raises:
        ContractError: what differs breaks readers; the message names file, column and both types.
    """
    touched = {*edit.put, *edit.delete, *edit.unselect, *(each.path for each in edit.copy)}
    standing = [*(file for file in snapshot.data_files if file.path not in touched), *edit.data_copies]
    first = min([file.path for file in standing] + [*filter(is_parquet, edit.put)], default="")
    notes = obstacles(dataset, snapshot)
    if notes and not edit.like:  # in a state that there was before they are told of only
        raise ContractError(notes[0])
    for file in standing:
        try:
            notes += _differences(dataset, file, first=file.path == first)
        except ContractError as error:
            if not edit.allow_incompatible:
                raise
            notes.append(str(error))
    return notes


def obstacles(dataset: Dataset, snapshot: Snapshot) -> list[str]:
    """Name files of others with which a revision does not load, a sentence each."""
    script = f"{dataset.client.repo_id.rpartition('/')[2]}.py"
    told = {
        script: "is a loading script, with which load_dataset fails: delete it",
        _MORE_METADATA: "says more of the dataset than README.md: move what it says there, and delete it",
    }
    return [f"{path} on the Hub {why}." for path, why in told.items() if path in snapshot.files]


def _differences(dataset: Dataset, file: DataFile, *, first: bool) -> list[str]:
    """Return what readers tolerate of a file's schema, or raise if that breaks them."""
    if file.text:
        raise ContractError(
            f"{file.path} on the Hub is not a Parquet file, and readers could not load it beside new files."
        )
    breaking, tolerated = dataset.reader.incompatibilities(file, first=first)
    is_compacted = dataset.spec.layout.period_of(file.path) is not None
    if is_compacted and (withdrawn := dataset.spec.compare(dataset.reader.schema(file)).withdrawn):
        raise ContractError(f"{file.path} on the Hub {withdrawn}")
    if breaking:
        raise ContractError(
            f"{file.path} on the Hub would break readers beside a new file: {'; '.join(breaking)}."
            " Compact or replace that file first."
        )
    return [f"{file.path}: {each}" for each in tolerated]
