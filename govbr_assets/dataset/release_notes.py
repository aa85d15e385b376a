"""The changelog's entry in a commit: of a release what the dataset has and what changed, of another one which ids did.

What changed is added up from the trailers of the commits in between. Tags belong to `operations.release`.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, pairwise, takewhile

from govbr_assets.core.changelog import newest_entry, newest_name, with_entry
from govbr_assets.core.coverage import Coverage
from govbr_assets.core.days import Day
from govbr_assets.core.layout import CHANGELOG_PATH
from govbr_assets.core.release_text import entry, entry_of_ids, renamed_in
from govbr_assets.core.releases import ChangesSince, Release, RowCounts, newest_release, next_name, release_name
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import (
    CHANGED_ROWS,
    REMOVED_ROWS,
    RENAMED_ROWS,
    RESTORED_FILES,
    Changeset,
    R,
    VisibleRows,
)
from govbr_assets.errors import ContractError, HubDeniedError, HubUnavailableError
from govbr_assets.huggingface.history import Commit
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.tags import tag_names

_CHANGELOG_BYTES = 4 << 20  # decades of entries: what is larger is something else, and would have to fit into memory


def with_changelog(
    dataset: Dataset, snapshot: Snapshot, edit: Changeset[R], coverage: Coverage | None
) -> tuple[Changeset[R], list[str]]:
    """Add the changelog's entry to a commit that is a release, or after which rows have other ids.

    Args:
        dataset: the dataset.
        snapshot: the revision that the commit is planned at.
        edit: the commit, with its rows counted.
        coverage: of the dataset after the commit; None if it could not be counted, and then this is no release.

    Returns:
        The commit, and why it has no entry, a sentence.
    """
    if edit.release != Release():
        last, taken = _last_release(dataset, snapshot), _tags(dataset)
        edit = replace(edit, release=edit.release.after(last, taken))
    if not (name := edit.release.name):
        return _with_ids(dataset, snapshot, edit) if edit.renamed_rows else (edit, [])
    if coverage is None or edit.visible_rows is None:
        return replace(edit, release=Release(before=edit.release.before)), []
    if problem := _too_large(snapshot):
        return edit, [problem]
    before, after = edit.visible_rows
    ours = RowCounts.of(before, after, changed=edit.changed_rows, removed=edit.removed_rows)
    since = changes_since(dataset, snapshot.revision or "", ours)
    text = entry(name, dataset.spec, coverage, since)
    content = dataset.client.content(snapshot, CHANGELOG_PATH)
    return _written(edit, with_entry(content, text, _entry_of_ids(dataset, content, name)))


def _last_release(dataset: Dataset, snapshot: Snapshot) -> str:
    """Return the newest release, by the history, or by the changelog if that was squashed; empty if there is none."""
    commits = dataset.client.commits(snapshot.revision) if snapshot.revision else ()
    named = next(filter(None, (Release.parse(commit.message).name for commit in commits)), "")
    content = None if _too_large(snapshot) else dataset.client.content(snapshot, CHANGELOG_PATH)
    noted = newest_name(content)
    return newest_release([named, "" if _entry_of_ids(dataset, content, noted) else noted])


def _tags(dataset: Dataset) -> set[str]:
    """List the tags that are there; none if the Hub does not say."""
    with suppress(HubDeniedError, HubUnavailableError):
        return tag_names(dataset.client)
    return set()


def _with_ids(dataset: Dataset, snapshot: Snapshot, edit: Changeset[R]) -> tuple[Changeset[R], list[str]]:
    """Add the entry that tells of new ids, in place of the one of an earlier commit of the day."""
    if problem := _too_large(snapshot):
        return edit, [problem]
    content, today = dataset.client.content(snapshot, CHANGELOG_PATH), Day.at(datetime.now(UTC))
    noted = newest_name(content)
    old = _entry_of_ids(dataset, content, noted) if noted.startswith(release_name(today)) else ""
    name = noted if old else next_name(release_name(today), _last_release(dataset, snapshot))
    commits = dataset.client.commits(snapshot.revision) if snapshot.revision else ()
    of_today = takewhile(lambda each: each.at >= today.start and not Release.parse(each.message).name, commits)
    renamed = edit.renamed_rows + _renamed((commit, None) for commit in of_today)
    return _written(edit, with_entry(content, entry_of_ids(name, dataset.spec, renamed), old))


def _entry_of_ids(dataset: Dataset, content: bytes | None, name: str) -> str:
    """Return the entry of a name, if it does no more than tell of new ids; empty if it is another one."""
    renamed = renamed_in(newest_entry(content, name))
    return entry_of_ids(name, dataset.spec, renamed) if renamed else ""


def _written(edit: Changeset[R], content: bytes | None) -> tuple[Changeset[R], list[str]]:
    """Add a changelog to a commit, or say why it has none."""
    if content is None:
        return edit, [f"{CHANGELOG_PATH} on the Hub is not UTF-8, so that it got no entry: save it as UTF-8."]
    return replace(edit, put={**edit.put, CHANGELOG_PATH: content}), []


def notes_of(dataset: Dataset, snapshot: Snapshot, name: str) -> str:
    """Return what the changelog says of a release; empty if it says nothing.

    Args:
        dataset: the dataset.
        snapshot: the revision whose changelog it is.
        name: of the release.
    """
    return "" if _too_large(snapshot) else newest_entry(dataset.client.content(snapshot, CHANGELOG_PATH), name)


def _too_large(snapshot: Snapshot) -> str:
    """Say that a changelog is too large to be read, in a sentence; empty if it is not."""
    size = snapshot.files[CHANGELOG_PATH].size if CHANGELOG_PATH in snapshot.files else 0
    if size <= _CHANGELOG_BYTES:
        return ""
    return (
        f"{CHANGELOG_PATH} on the Hub has {size} bytes, so that it got no entry: move what is old in it to another"
        " file."
    )


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
            since = ChangesSince.of(name, chain([ours], _counts(dataset, between)))
            return replace(since, renamed=_renamed(between), restored=_restored(between))
        if commit:
            between.append((commit, parent))
    return ChangesSince(renamed=_renamed(between), restored=_restored(between))


def _restored(commits: list[tuple[Commit, Commit | None]]) -> bool:
    """Return whether an earlier revision was brought back."""
    return any(commit.trailer(RESTORED_FILES) for commit, _ in commits)


def _renamed(commits: Iterable[tuple[Commit, object]]) -> int:
    """Count the ids that commits have changed, the newest first, but for those before a restore."""
    since = takewhile(lambda commit: not commit.trailer(RESTORED_FILES), (commit for commit, _ in commits))
    return sum(commit.trailer(RENAMED_ROWS) for commit in since)


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
