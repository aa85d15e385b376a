"""The one way to publish: a plan made at a revision becomes one commit on that revision, or is made again.

This loop owns the parent and the moved head; how a commit is sent is `send`'s, what makes it load `loadable`'s, and
what it holds the plan's business.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from govbr_assets.core.layout import CARD_PATH, is_parquet
from govbr_assets.dataset.compatibility import card_changes, check_card_usable, check_readable, empty_files
from govbr_assets.dataset.keys import keep
from govbr_assets.dataset.reach import check_movable
from govbr_assets.dataset.visible_rows import check_rows_seen, with_rows_seen
from govbr_assets.errors import HubConflictError
from govbr_assets.huggingface.changeset import Changeset
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import send
from govbr_assets.huggingface.errors import ParentConflictError
from govbr_assets.huggingface.snapshot import Snapshot

_PLANS = 5  # how often a head may move under us before Dagster's retry takes over


class Plan(Protocol):
    """What to publish, as a function of the revision."""

    def at(self, snapshot: Snapshot) -> Changeset:
        """Make the edit for a revision, from the rows at hand and what the Hub holds there."""
        ...


@dataclass(frozen=True)
class CommitResult:
    """What became of a plan.

    Attributes:
        planned_at: the revision that the plan was made at; without revision if the repo was not there.
        snapshot: the revision that holds its result, the same if nothing had to change.
        edit: what was changed, or would be in a dry run.
        notes: how other files on the Hub differ from the contract without being in the way, a sentence each.
    """

    planned_at: Snapshot
    snapshot: Snapshot
    edit: Changeset
    notes: list[str] = field(default_factory=list)

    @property
    def before(self) -> str | None:
        """The revision that the plan was made at; None if there was no repo."""
        return self.planned_at.revision

    @property
    def after(self) -> str | None:
        """The revision that holds the result; None if there is no repo."""
        return self.snapshot.revision

    @property
    def committed(self) -> bool:
        """Whether a commit was made."""
        return self.before != self.after


def publish(
    hub: RepoClient,
    plan: Plan,
    first_guess: Snapshot,
    *,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> CommitResult:
    """Publish a plan in one commit, whose parent is the revision that the plan was made at.

    Args:
        hub: the repo; created if it is not there.
        plan: what to publish.
        first_guess: the revision to try first, usually the one that the plan's data comes from.
        dry_run: do everything but change the Hub.
        tell: hears in a sentence why a publication waits, and until when.

    Raises:
        HubConflictError: the head moved again and again.
        HubUnavailableError: the Hub stayed busy or broken; nothing was published, or all of it.
        HubDeniedError: the Hub refuses.
        IncompleteCommitError: the Hub would leave something out of the commit, or has.
        ContractError: the result would not load.
        ProofError: readers would see other rows than those that the files bring.
    """
    snapshot = first_guess
    for _ in range(_PLANS):
        check_card_usable(hub, snapshot)  # before the plan's work: what refuses it refuses all of that
        edit = plan.at(snapshot)
        notes = []
        if not edit.empty:
            edit, notes = _whole(hub, snapshot, edit)
        if dry_run or edit.empty:
            head = hub.head()
            if head.revision == snapshot.revision:
                return CommitResult(snapshot, snapshot, edit, notes)
        elif snapshot.revision is None:
            head = hub.head()
            if head.revision is None:
                head = hub.create()
        else:
            try:
                landed = send(hub, snapshot, edit, tell)
            except ParentConflictError:
                head = _moved_head(hub, snapshot)
            else:
                check_rows_seen(hub, landed, edit)
                _keep(hub, landed, edit)
                return CommitResult(snapshot, landed, edit, notes)
        snapshot = head
    raise HubConflictError(f"{hub.repo_id} moved {_PLANS} times while we published to it: try again later.")


def _whole(hub: RepoClient, snapshot: Snapshot, edit: Changeset) -> tuple[Changeset, list[str]]:
    """Add what makes the result load, and leave out what the revision has already: the client would skip it unseen."""
    if edit.like is None:
        check_movable(hub, snapshot)
    edit = replace(edit, delete=edit.delete + empty_files(hub, snapshot, edit))
    notes = check_readable(hub, snapshot, edit)
    card, stale = card_changes(hub, snapshot, edit)
    put = {
        path: content
        for path, content in {**edit.put, **card}.items()
        if path not in snapshot.files or not snapshot.files[path].holds(content)
    }
    copy = tuple(each for each in edit.copy if snapshot.files.get(each.file.path) != each.file)
    return with_rows_seen(hub, snapshot, replace(edit, put=put, delete=edit.delete + stale, copy=copy)), notes


def _moved_head(hub: RepoClient, stale: Snapshot) -> Snapshot:
    """Ask for the head that moved; when the Hub still tells the old one, it lags: give it a moment."""
    head = hub.head()
    if head.revision == stale.revision:
        time.sleep(random.uniform(0.5, 1.5))
        head = hub.head()
    return head


def _keep(hub: RepoClient, landed: Snapshot, edit: Changeset) -> None:
    """Keep what is known of the files that were published, and drop what was kept of files long gone."""
    for path, content in edit.put.items():
        if is_parquet(path):
            keep(hub, landed.files[path], content)
    card = landed.files.get(CARD_PATH)
    hub.kept.prune({file.content for file in (*landed.data_files, *([card] if card else []))})
