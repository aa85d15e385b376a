"""One commit on its way: inside the repo's hourly limit, sent again to a busy Hub, looked for if its answer is lost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from govbr_assets.errors import HubUnavailableError
from govbr_assets.hub.content import Content, size_of
from govbr_assets.hub.failures import HubBusyError, StaleParentError
from govbr_assets.hub.repo import Hub
from govbr_assets.hub.snapshot import HubFileAt, Snapshot

COMMIT_FILES = 95
"""Files of one commit at most: with the card still under the 100 that a commit should have."""

COMMITS = 120
"""Commits of a repo within `WINDOW`: the Hub refuses from about 128 on, and others commit too."""

WINDOW = timedelta(hours=1)

_TRIES = 5  # how often one commit is sent to a busy or failing Hub

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Edit:
    """What one commit changes.

    Attributes:
        put: content by path, for new and for replaced files.
        delete: paths that go; each is in the snapshot that the edit was made at.
        copy: files that come back as they were at an older revision; nothing of them is uploaded.
        removed: rows that leave the dataset, which the commit tells, so that they can be counted: `Hub.removed_since`.
        lenient: files that break readers are told of and refuse nothing: the commit brings them back, or mends others.
        fresh: of large files that are put, which bytes are new to the Hub, as far as it is known.
        summary: first line of the commit message.
    """

    put: Mapping[str, Content] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    copy: tuple[HubFileAt, ...] = ()
    removed: int = 0
    lenient: bool = False
    fresh: Mapping[str, Sequence[range]] = field(default_factory=dict)
    summary: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.put and not self.delete and not self.copy

    @property
    def size(self) -> int:
        """Bytes of the new and the replaced files."""
        return sum(map(size_of, self.put.values()))


def send(hub: Hub, snapshot: Snapshot, edit: Edit, tell: Tell) -> Snapshot:
    """Make one commit on a revision; before it is sent again, look whether it has landed.

    Returns:
        The new revision.

    Raises:
        StaleParentError: the head is another one.
        HubUnavailableError: the Hub stayed busy or broken, or wants a longer wait than we have patience.
        HubDeniedError: the Hub refuses.
    """
    parent = snapshot.revision or ""
    _check_history(hub, parent, tell)
    retrying = Retrying(
        retry=retry_if_exception_type(HubUnavailableError),
        stop=stop_after_attempt(_TRIES),
        wait=lambda state: _wait(hub, state),
        before_sleep=lambda state: tell(f"{_error(state)} Trying again in {state.upcoming_sleep:.0f} seconds."),
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            landed = _landed(hub, parent, edit) if attempt.retry_state.attempt_number > 1 else None
            if landed:
                hub.follow(parent, landed)
                return hub.at(landed)
            revision = hub.commit(parent, edit.put, edit.delete, edit.summary, edit.copy, edit.removed, edit.fresh)
            return snapshot.with_changes(revision, edit.put, edit.delete, edit.copy)
    raise AssertionError("tenacity either returns or raises")


def _check_history(hub: Hub, parent: str, tell: Tell) -> None:
    """Look at the repo's own history: the parent must be its head, and another commit must fit into the hour.

    The Hub itself refuses a stale parent, but the client does not send what the head has already, and that refusal may
    get lost: only a commit that comes from here on can be taken for ours.
    """
    now, commits = datetime.now(UTC), hub.commits()
    newest = next(commits, None)
    if newest and hub.forward(newest.revision) != parent:
        raise StaleParentError(f"The head of {hub.repo_id} is {newest.revision}, not {parent}.")
    known = [newest] if newest else []
    recent = [each.at for each in takewhile(lambda commit: commit.at > now - WINDOW, chain(known, commits))]
    if len(recent) < COMMITS:
        return
    free_at = recent[COMMITS - 1] + WINDOW
    told = f"{hub.repo_id} has had {len(recent)} commits within the hour, and the Hub takes no more before"
    told += f" {free_at:%H:%M:%S} UTC."
    _check_patience(hub, (free_at - now).total_seconds(), told)
    tell(f"{told} Waiting until then.")
    time.sleep(max(0.0, (free_at - now).total_seconds()))


def _landed(hub: Hub, parent: str, edit: Edit) -> str | None:
    """Find our commit behind an answer that was lost: the one right after the parent, if it holds what we sent."""
    child = None
    for commit in hub.commits():
        if commit.revision == parent:
            break
        child = commit.revision
    else:
        return None
    if child is None:
        return None
    files = hub.at(child).files
    here = all(path in files and files[path].holds(content) for path, content in edit.put.items())
    back = all(files.get(each.file.path) == each.file for each in edit.copy)
    return child if here and back and not any(path in files for path in edit.delete) else None


def _wait(hub: Hub, state: RetryCallState) -> float:
    """Wait as long as the Hub asks for, else longer each time, with jitter."""
    error = _error(state)
    asked = (error.seconds if isinstance(error, HubBusyError) else None) or 0.0
    _check_patience(hub, asked, f"{error} It wants us to wait {asked:.0f} seconds.")
    return asked + wait_random_exponential(multiplier=0.5, max=20)(state)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _check_patience(hub: Hub, seconds: float, told: str) -> None:
    """Raise if a wait is longer than we may."""
    if seconds > hub.patience:
        raise HubUnavailableError(
            f"{told} That is longer than GOVBR_HUB_PATIENCE_MINUTES ({hub.patience / 60:.0f}): try again then."
        )
