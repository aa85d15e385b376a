"""The changelog's entry in a commit that is a release: what the dataset has, and what changed since the last release.

What changed is added up from the trailers of the commits in between. Tags belong to `operations.release`.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, pairwise

from govbr_assets.core.changelog import with_entry
from govbr_assets.core.coverage import Coverage
from govbr_assets.core.layout import CHANGELOG_PATH
from govbr_assets.core.release_text import entry
from govbr_assets.core.releases import ChangesSince, Release, RowCounts
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import CHANGED_ROWS, REMOVED_ROWS, RESTORED_FILES, Changeset, R, VisibleRows
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.client import Commit
from govbr_assets.huggingface.snapshot import Snapshot


def with_changelog(
    dataset: Dataset, snapshot: Snapshot, edit: Changeset[R], coverage: Coverage | None
) -> tuple[Changeset[R], list[str]]:
    """Add the changelog's entry to a commit that is a release.

    Args:
        dataset: the dataset.
        snapshot: the revision that the commit is planned at.
        edit: the commit, with its rows counted.
        coverage: of the dataset after the commit; None if it could not be counted, and then this is no release.

    Returns:
        The commit, and why it has no entry, a sentence.
    """
    if not edit.release.name:
        return edit, []
    if coverage is None or edit.visible_rows is None:
        return replace(edit, release=Release(before=edit.release.before)), []
    before, after = edit.visible_rows
    ours = RowCounts.of(before, after, changed=edit.changed_rows, removed=edit.removed_rows)
    text = entry(edit.release.name, dataset.spec, coverage, changes_since(dataset, snapshot.revision or "", ours))
    content = with_entry(dataset.client.content(snapshot, CHANGELOG_PATH), text)
    if content is None:
        return edit, [f"{CHANGELOG_PATH} on the Hub is not UTF-8, so that it got no entry: save it as UTF-8."]
    return replace(edit, put={**edit.put, CHANGELOG_PATH: content}), []


def changes_since(dataset: Dataset, revision: str, ours: RowCounts) -> ChangesSince:
    """Add up what happened to rows since the last release.

    Args:
        dataset: the dataset.
        revision: where to begin to look back.
        ours: what a commit on it does.
    """
    between = list[tuple[Commit, Commit | None]]()
    for commit, parent in pairwise(chain(dataset.client.commits(revision), [None])):
        if commit and (name := Release.parse(commit.message).name):
            return ChangesSince.of(name, chain([ours], _counts(dataset, between)))
        if commit:
            between.append((commit, parent))
    return ChangesSince()


def _counts(dataset: Dataset, commits: list[tuple[Commit, Commit | None]]) -> Iterator[RowCounts | None]:
    """Return what each commit did to rows; None for a restore, and for one of others that changed data files."""
    for commit, parent in commits:
        rows = VisibleRows.parse(commit.message)
        if commit.trailer(RESTORED_FILES):
            yield None
        elif rows:
            changed, removed = commit.trailer(CHANGED_ROWS), commit.trailer(REMOVED_ROWS)
            yield RowCounts.of(rows.before, rows.after, changed=changed, removed=removed)
        else:
            yield RowCounts() if parent and _same_data(dataset, commit.revision, parent.revision) else None


def _same_data(dataset: Dataset, one: str, other: str) -> bool:
    """Return whether two revisions have the same data files; not if a card says nothing that can be understood."""
    with suppress(ContractError):
        return dataset.client.at(one).data_files == dataset.client.at(other).data_files
    return False
