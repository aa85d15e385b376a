"""How many rows readers see: those of the files that the card selects, counted by their footers.

A commit is checked against it before it is sent and when it has landed, and has it as a trailer, so that the rows that
were lost between two commits of ours can be found in the history later.
"""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow.parquet as pq

from govbr_assets.core.layout import CARD_PATH, is_parquet
from govbr_assets.dataset.changeset import Changeset, R, VisibleRows
from govbr_assets.dataset.reader import count_rows
from govbr_assets.errors import ContractError, IncompleteCommitError, ProofError
from govbr_assets.huggingface.blob import Blob, bytes_of, opened
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.snapshot import DataFile, Snapshot


def rows_seen(hub: RepoClient, snapshot: Snapshot) -> int:
    """Count the rows that readers of a revision see; nothing is fetched but footers that are not known yet.

    Raises:
        ContractError: a file cannot be read, or the card not be understood.
        HubUnavailableError: the Hub is out of reach.
    """
    return sum(_rows(hub, file) for file in snapshot.data_files)


def with_rows_seen(hub: RepoClient, snapshot: Snapshot, edit: Changeset[R]) -> Changeset[R]:
    """Count what readers see before and after a commit, and hold it against the files that it changes.

    Returns:
        The changeset with these counts; as it was if it may bring files back that nobody can read.

    Raises:
        ProofError: readers would see other rows than those they saw, with what the files bring and without what goes.
    """
    try:
        return replace(edit, visible_rows=_checked_by_files(hub, snapshot, edit))
    except ContractError:
        if not edit.allow_incompatible:
            raise
        return edit


def _checked_by_files(hub: RepoClient, snapshot: Snapshot, edit: Changeset[object]) -> VisibleRows:
    """Count what readers see before and after a commit, by the card and by the files that it changes."""
    coming = {path: _rows_of(content) for path, content in edit.put.items() if is_parquet(path)}
    coming |= {each.path: _rows(hub, each) for each in edit.data_copies}
    made = snapshot.with_changes("", [DataFile(path, "", 0) for path in coming], edit.delete, _card(snapshot, edit))
    going = [file for path in {*edit.paths, *edit.unselect} if (file := snapshot.data_file(path))]
    before = rows_seen(hub, snapshot)
    wanted = before + sum(coming.values()) - sum(_rows(hub, file) for file in going)
    after = sum(coming[file.path] if file.path in coming else _rows(hub, file) for file in made.data_files)
    if after != wanted:
        raise ProofError(_differs(hub, f"would see {after} rows after this commit", wanted, "nothing was published"))
    return VisibleRows(before, after)


def check_rows_seen(hub: RepoClient, landed: Snapshot, edit: Changeset[object]) -> None:
    """See that readers of a revision that a commit has made see as many rows as its trailer says.

    Raises:
        IncompleteCommitError: they do not.
    """
    _note(hub, landed.files, edit.put)
    wanted = edit.visible_rows.after if edit.visible_rows else None
    if wanted is not None and (rows := rows_seen(hub, landed)) != wanted:
        found = f"see {rows} rows at {(landed.revision or '')[:8]}"
        raise IncompleteCommitError(_differs(hub, found, wanted, "the job rollback brings the others back"))


def _note(hub: RepoClient, files: Mapping[str, DataFile], put: Mapping[str, Blob]) -> None:
    """Note the rows of files that are at hand, so that nobody asks for their footers."""
    for path, content in put.items():
        if is_parquet(path):
            hub.row_counts[files[path].content] = _rows_of(content)


def _rows(hub: RepoClient, file: DataFile) -> int:
    """Count the rows of a file, once for its content."""
    if file.content not in hub.row_counts:
        hub.row_counts[file.content] = count_rows(hub, file)
    return hub.row_counts[file.content]


def _rows_of(content: Blob) -> int:
    with opened(content) as file:
        return pq.read_metadata(file).num_rows


def _card(snapshot: Snapshot, edit: Changeset[object]) -> bytes | None:
    """Give the card as it is after a commit."""
    card = edit.put.get(CARD_PATH)
    return bytes_of(card) if card is not None else snapshot.card


def _differs(hub: RepoClient, found: str, wanted: int, what: str) -> str:
    return f"Readers of {hub.repo_id} {found}, in place of {wanted}: look at `configs` in {CARD_PATH}; {what}."
