"""The one way to publish: a plan made at a revision becomes one commit on that revision, or is made again.

This loop owns the parent, the moved head, the busy Hub and the lost answer. What a commit holds is the plan's business.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from govbr_assets.core.card import appendable_card
from govbr_assets.core.layout import CARD_PATH, STALE_INFO_PATH
from govbr_assets.errors import HubConflictError, HubUnavailableError
from govbr_assets.hub.failures import HubBusyError, StaleParentError
from govbr_assets.hub.repo import Hub, HubFile, Snapshot

_PLANS = 5  # how often a head may move under us before Dagster's retry takes over
_TRIES = 5  # how often one commit is sent to a busy or failing Hub
_PATIENCE = 60.0  # seconds that a busy Hub may ask for before Dagster's retry takes over


@dataclass(frozen=True)
class Edit:
    """What one commit changes.

    Attributes:
        put: content by path, for new and for replaced files.
        delete: paths that go; each is in the snapshot that the edit was made at.
        summary: first line of the commit message.
    """

    put: Mapping[str, bytes] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    summary: str = ""


class Plan(Protocol):
    """What to publish, as a function of the revision."""

    def at(self, snapshot: Snapshot) -> Edit:
        """Make the edit for a revision, from the rows at hand and what the Hub holds there."""
        ...


@dataclass(frozen=True)
class Publication:
    """What became of a plan.

    Attributes:
        before: the revision that the plan was made at; None if the repo was not there.
        after: the revision that holds its result, the same if nothing had to change.
        edit: what was changed.
    """

    before: str | None
    after: str | None
    edit: Edit

    @property
    def committed(self) -> bool:
        """Whether a commit was made."""
        return self.before != self.after


def publish(hub: Hub, plan: Plan, first_guess: Snapshot) -> Publication:
    """Publish a plan in one commit, whose parent is the revision that the plan was made at.

    Args:
        hub: the repo; created if it is not there.
        plan: what to publish.
        first_guess: the revision to try first, usually the one that the plan's data comes from.

    Raises:
        HubConflictError: the head moved again and again.
        HubUnavailableError: the Hub stayed busy or broken; nothing was published, or all of it.
        HubDeniedError: the Hub refuses.
    """
    snapshot = first_guess
    for _ in range(_PLANS):
        edit = plan.at(snapshot)
        if not edit.put and not edit.delete:
            head = hub.head()
            if head.revision == snapshot.revision:
                return Publication(snapshot.revision, snapshot.revision, edit)
        elif snapshot.revision is None:
            head = hub.head()
            if head.revision is None:
                head = hub.create()
        else:
            whole = _with_card(hub, snapshot, edit)
            try:
                return Publication(snapshot.revision, _commit(hub, snapshot, whole), whole)
            except StaleParentError:
                head = hub.head()
        snapshot = head
    raise HubConflictError(f"{hub.repo_id} moved {_PLANS} times while we published to it: try again later.")


def _with_card(hub: Hub, snapshot: Snapshot, edit: Edit) -> Edit:
    """Add what makes the result load: the card's pattern, and no stale sizes anywhere."""
    old = hub.text(snapshot, CARD_PATH)
    card = appendable_card(old)
    put = {**edit.put, CARD_PATH: card.encode()} if card != old else edit.put
    stale = (STALE_INFO_PATH,) if STALE_INFO_PATH in snapshot.files else ()
    return Edit(put, edit.delete + stale, edit.summary)


def _commit(hub: Hub, snapshot: Snapshot, edit: Edit) -> str:
    """Send one commit; before it is sent again, look whether it has landed."""
    parent = snapshot.revision or ""
    retrying = Retrying(
        retry=retry_if_exception_type(HubUnavailableError),
        stop=stop_after_attempt(_TRIES),
        wait=_wait,
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            if attempt.retry_state.attempt_number > 1:
                head = hub.head()
                if head.revision != parent and _holds(head, edit):
                    return head.revision or ""
            return hub.commit(parent, edit.put, list(edit.delete), edit.summary)
    raise AssertionError("tenacity either returns or raises")


def _wait(state: RetryCallState) -> float:
    """Wait as long as the Hub asks for, else longer each time, with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, HubBusyError) else None
    if asked is not None and asked > _PATIENCE:
        raise HubUnavailableError(f"{error} It wants us to wait {asked:.0f} seconds: try again then.")
    return (asked or 0.0) + wait_random_exponential(multiplier=0.5, max=20)(state)


def _holds(head: Snapshot, edit: Edit) -> bool:
    """Say whether a revision already shows all that an edit changes."""
    here = all(_is(head.files.get(path), content) for path, content in edit.put.items())
    return here and not any(path in head.files for path in edit.delete)


def _is(file: HubFile | None, content: bytes) -> bool:
    """Compare a file on the Hub with a content, by digest."""
    if file is None:
        return False
    if file.sha256 is not None:
        return file.sha256 == hashlib.sha256(content).hexdigest()
    header = f"blob {len(content)}\0".encode()  # how git names a content
    return file.blob == hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
