"""How many rows readers see: those of the files that the card selects, counted by their footers.

A commit is checked against it before it is sent and when it has landed, and has it as a trailer, so that the rows that
were lost between two commits of ours can be found in the history later.
"""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow.parquet as pq

from govbr_assets.core.layout import CARD_PATH, is_parquet
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset, R, VisibleRows
from govbr_assets.errors import ContractError, IncompleteCommitError, ProofError
from govbr_assets.huggingface.blob import Blob, bytes_of, opened
from govbr_assets.huggingface.snapshot import DataFile, Snapshot


def rows_seen(dataset: Dataset, snapshot: Snapshot) -> int:
    """Count the rows that readers of a revision see; nothing is fetched but footers that are not known yet.

    Raises:
        ContractError: a file cannot be read, or the card not be understood.
        HubUnavailableError: the Hub is out of reach.
    """
    dataset.reader.fetch_row_counts(snapshot.data_files)
    return sum(dataset.reader.row_count(file) for file in snapshot.data_files)


def with_rows_seen(dataset: Dataset, snapshot: Snapshot, edit: Changeset[R]) -> Changeset[R]:
    """Count what readers see before and after a commit, and hold it against the files that it changes.

    Returns:
        The changeset with these counts; as it was if it may bring files back that nobody can read.

    Raises:
        ProofError: readers would see other rows than those they saw, with what the files bring and without what goes.
    """
    try:
        return replace(edit, visible_rows=_checked_by_files(dataset, snapshot, edit))
    except ContractError:
        if not edit.allow_incompatible:
            raise
        return edit


def _checked_by_files(dataset: Dataset, snapshot: Snapshot, edit: Changeset[object]) -> VisibleRows:
    """Count what readers see before and after a commit, by the card and by the files that it changes."""
    coming = {path: _rows_of(content) for path, content in edit.put.items() if is_parquet(path)}
    coming |= {each.path: dataset.reader.row_count(each) for each in edit.data_copies}
    made = snapshot.with_changes("", [DataFile(path, "", 0) for path in coming], edit.delete, _card(snapshot, edit))
    going = [file for path in {*edit.paths, *edit.unselect} if (file := snapshot.data_file(path))]
    before, count = rows_seen(dataset, snapshot), dataset.reader.row_count
    wanted = before + sum(coming.values()) - sum(map(count, going))
    after = sum(coming[file.path] if file.path in coming else count(file) for file in made.data_files)
    if after != wanted:
        raise ProofError(
            _differs(dataset, f"would see {after} rows after this commit", wanted, "nothing was published")
        )
    return VisibleRows(before, after)


def check_rows_seen(dataset: Dataset, landed: Snapshot, edit: Changeset[object]) -> None:
    """Check that readers of a revision that a commit has made see as many rows as its trailer says.

    Raises:
        IncompleteCommitError: they do not.
    """
    _note(dataset, landed.files, edit.put)
    wanted = edit.visible_rows.after if edit.visible_rows else None
    if wanted is not None and (rows := rows_seen(dataset, landed)) != wanted:
        found = f"see {rows} rows at {(landed.revision or '')[:8]}"
        raise IncompleteCommitError(_differs(dataset, found, wanted, "the job rollback brings the others back"))


def _note(dataset: Dataset, files: Mapping[str, DataFile], put: Mapping[str, Blob]) -> None:
    """Note the rows of files that are at hand, so that nobody asks for their footers."""
    for path, content in put.items():
        if is_parquet(path):
            dataset.reader.remember_row_count(files[path], _rows_of(content))


def _rows_of(content: Blob) -> int:
    with opened(content) as file:
        return pq.read_metadata(file).num_rows


def _card(snapshot: Snapshot, edit: Changeset[object]) -> bytes | None:
    """Return the card as it is after a commit."""
    card = edit.put.get(CARD_PATH)
    return bytes_of(card) if card is not None else snapshot.card


def _differs(dataset: Dataset, found: str, wanted: int, what: str) -> str:
    return (
        f"Readers of {dataset.client.repo_id} {found}, in place of {wanted}: look at `configs` in {CARD_PATH}; {what}."
    )
