"""The one way to change a dataset: an operation is planned at a snapshot, and committed with it as the parent.

This loop owns the parent and the moved head. What a commit holds is the operation's business, what makes the result
load `compatibility`'s and `card`'s, and how a commit is sent `huggingface.commit`'s.
"""

import random
import time
from dataclasses import dataclass, field, replace
from typing import Generic

from govbr_assets.core.card import card_of
from govbr_assets.core.layout import CARD_PATH, is_parquet
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.card import card_changes, check_card_usable
from govbr_assets.dataset.changeset import Changeset, Operation, R, R_co
from govbr_assets.dataset.compatibility import check_places, check_readable, empty_files
from govbr_assets.dataset.coverage import coverage_after
from govbr_assets.dataset.reach import check_movable
from govbr_assets.dataset.release_notes import with_changelog
from govbr_assets.dataset.visible_rows import check_rows_seen, with_rows_seen
from govbr_assets.errors import HubConflictError, HubDeniedError
from govbr_assets.huggingface.commit import Log, send_commit
from govbr_assets.huggingface.errors import ParentConflictError
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.verification import check_ignored

_PLANS = 5
"""How often a commit is rejected before Dagster's retry takes over; not counted are commits that others landed while
there is patience, for of many runs at once each gives way to all others again and again."""


@dataclass(frozen=True)
class CommitResult(Generic[R_co]):
    """What became of an operation.

    Attributes:
        parent: the snapshot that the changeset was planned at; without revision if there was no repo.
        snapshot: the one that holds the result, the same if nothing had to change.
        changeset: what was changed, or would be in a dry run.
        notes: how other files on the Hub differ from the contract without breaking readers, a sentence each.
        unwritten: what of the card's text or the changelog was left as it is, and why, a sentence each.
    """

    parent: Snapshot
    snapshot: Snapshot
    changeset: Changeset[R_co]
    notes: list[str] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)

    @property
    def report(self) -> R_co:
        """What the changes mean."""
        return self.changeset.report

    @property
    def before(self) -> str | None:
        """The revision of the parent; None if there was no repo."""
        return self.parent.revision

    @property
    def after(self) -> str | None:
        """The revision that holds the result; None if there is no repo."""
        return self.snapshot.revision

    @property
    def committed(self) -> bool:
        """Whether a commit was made."""
        return self.before != self.after


def commit(
    dataset: Dataset,
    operation: Operation[R],
    start: Snapshot,
    *,
    dry_run: bool = False,
    log: Log = lambda _: None,
) -> CommitResult[R]:
    """Plan an operation at a snapshot and commit it with that parent; plan again if the head moved.

    Args:
        dataset: the dataset, which is created if it is not there.
        operation: what to do.
        start: the snapshot to try first, usually the one that the operation's data comes from.
        dry_run: do everything but change the Hub.
        log: gets a sentence when a commit waits: why, and until when.

    Raises:
        HubConflictError: the head moved again and again, until patience was over.
        HubUnavailableError: the Hub stayed busy or broken; nothing was published, or all of it.
        HubDeniedError: the Hub rejects it.
        IncompleteCommitError: the Hub would leave something out of the commit, or has.
        ContractError: the result would not load.
        ProofError: readers would see other rows than those that the files bring.
    """
    parent, until, moves, left = start, time.monotonic() + dataset.client.patience, 0, _PLANS
    while left:
        planned = _plan(dataset, operation, parent)
        changeset = planned.changeset
        if dry_run or changeset.empty:
            check_ignored(dataset.client, parent, changeset.put)
            head = dataset.client.head()
            landed = parent if head.revision == parent.revision else None
            if landed:
                dataset.planned.add(changeset)
        elif parent.revision is None:
            head, landed = _create_repo(dataset), None
            if head.revision is None and moves:
                raise HubDeniedError(
                    f"{dataset.client.repo_id} is on the Hub, which does not show it to this token. Set HF_TOKEN to one"
                    " that may read it and write to it."
                )
        else:
            landed = _land(dataset, parent, changeset, log)
            head = landed or _moved_head(dataset, parent)
        if landed:
            return replace(planned, snapshot=landed)
        moves += 1
        if head.revision == parent.revision or time.monotonic() > until:
            left -= 1
        parent = head
    raise HubConflictError(f"{dataset.client.repo_id} moved {moves} times while we published to it: try again later.")


def _plan(dataset: Dataset, operation: Operation[R], snapshot: Snapshot) -> CommitResult[R]:
    """Plan an operation at a snapshot, and complete the changeset so that the result loads; nothing is committed."""
    check_card_usable(dataset, snapshot)  # before the operation's work: what blocks it blocks all of that
    with card_of(dataset.client.repo_id):
        changeset = operation.plan(snapshot)
        planned = CommitResult(snapshot, snapshot, changeset)
        return planned if changeset.empty else _complete(dataset, snapshot, changeset)


def _complete(dataset: Dataset, snapshot: Snapshot, changeset: Changeset[R]) -> CommitResult[R]:
    """Add what makes the result load, and leave out what the revision has already: the dataset would skip it unseen."""
    if changeset.like is None:
        check_movable(dataset, snapshot)
    dataset.reader.fetch_schemas(snapshot.data_files)
    changeset = replace(changeset, delete=changeset.delete + empty_files(dataset, snapshot, changeset))
    notes = check_readable(dataset, snapshot, changeset)
    counted = snapshot.card is None or changeset.describes
    coverage = coverage_after(dataset, snapshot, changeset, changeset.data_paths(snapshot)) if counted else None
    card = card_changes(dataset, snapshot, changeset, coverage)
    changeset = replace(changeset, put={**changeset.put, **card.put}, delete=changeset.delete + card.delete)
    check_places(snapshot, changeset)
    # Before files that are there already are left out of it: the card may select them only from this commit on.
    changeset = with_rows_seen(dataset, snapshot, changeset)
    changeset, unwritten = with_changelog(dataset, snapshot, changeset, coverage)
    put = {
        path: content
        for path, content in changeset.put.items()
        if path not in snapshot.files or not snapshot.files[path].holds(content)
    }
    copy = tuple(each for each in changeset.copy if snapshot.files.get(each.path) != each)
    changeset = replace(changeset, put=put, copy=copy)
    return CommitResult(snapshot, snapshot, changeset, notes, [*card.notes, *unwritten])


def _create_repo(dataset: Dataset) -> Snapshot:
    """Create the repo, unless somebody else has done it since."""
    head = dataset.client.head()
    return dataset.client.create() if head.revision is None else head


def _land(dataset: Dataset, parent: Snapshot, changeset: Changeset[R], log: Log) -> Snapshot | None:
    """Send a commit, and see that readers see it; None if its parent is not the head any more."""
    try:
        landed = send_commit(dataset.client, parent, changeset, log)
    except ParentConflictError:
        return None
    check_rows_seen(dataset, landed, changeset)
    _remember(dataset, landed, changeset)
    return landed


def _moved_head(dataset: Dataset, parent: Snapshot) -> Snapshot:
    """Ask for the head that moved; when the Hub still answers with the old one, it lags: give it a moment."""
    head = dataset.client.head()
    if head.revision == parent.revision:
        time.sleep(random.uniform(0.5, 1.5))
        head = dataset.client.head()
    return head


def _remember(dataset: Dataset, landed: Snapshot, changeset: Changeset[R]) -> None:
    """Cache the metadata of the files that were published, and drop that of files long gone."""
    for path, content in changeset.put.items():
        if is_parquet(path):
            dataset.reader.remember_keys(landed.files[path], content)
    dataset.client.keep(landed)
    card = landed.files.get(CARD_PATH)
    dataset.cache.prune({file.content for file in (*landed.data_files, *([card] if card else []))})
