"""One commit on its way: inside the repo's hourly limit, sent again to a busy Hub, looked for if its answer is lost."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from govbr_assets.errors import HubUnavailableError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import HubBusyError, ParentConflictError
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.verification import check_taken, verified

COMMIT_FILES = 95
"""Files of one commit at most: with the card still under the 100 that a commit should have."""

COMMITS = 120
"""Commits of a repo within `WINDOW`: the Hub refuses from about 128 on, and others commit too."""

WINDOW = timedelta(hours=1)

_TRIES = 5  # how often one commit is sent to a busy or failing Hub

Log = Callable[[str], None]


def send_commit(client: RepoClient, parent: Snapshot, changes: FileChanges, log: Log) -> Snapshot:
    """Make one commit; before it is sent again, look whether it has landed.

    Args:
        client: of the repo.
        parent: the revision that it is made on.
        changes: what it changes.
        log: gets a sentence when it waits: why, and until when.

    Returns:
        The new revision.

    Raises:
        ParentConflictError: the head is another one.
        HubUnavailableError: the Hub stayed busy or broken, or wants a longer wait than the client may.
        HubDeniedError: the Hub refuses.
        IncompleteCommitError: the Hub would leave something out of it, or has.
    """
    revision = parent.revision or ""
    _check_head_and_quota(client, revision, log)
    retrying = Retrying(
        retry=retry_if_exception_type(HubUnavailableError),
        stop=stop_after_attempt(_TRIES),
        wait=lambda state: _wait(client, state),
        before_sleep=lambda state: log(f"{_error(state)} Trying again in {state.upcoming_sleep:.0f} seconds."),
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            again = attempt.retry_state.attempt_number > 1
            landed = _find_landed_commit(client, revision, changes) if again else None
            if landed is None:
                check_taken(client, parent, changes.put)
                landed = verified(client, parent, changes, client.commit(revision, changes))
            client.follow(revision, landed.revision or "")
            return landed
    raise AssertionError("tenacity either returns or raises")


def _check_head_and_quota(client: RepoClient, parent: str, log: Log) -> None:
    """Look at the repo's own history: the parent must be its head, and another commit must fit into the hour.

    The Hub itself refuses a stale parent, but the client does not send what the head has already, and that refusal may
    get lost: only a commit that comes from here on can be taken for ours.
    """
    now, commits = datetime.now(UTC), client.commits()
    newest = next(commits, None)
    if newest and client.forward(newest.revision) != parent:
        raise ParentConflictError(f"The head of {client.repo_id} is {newest.revision}, not {parent}.")
    known = [newest] if newest else []
    recent = [each.at for each in takewhile(lambda commit: commit.at > now - WINDOW, chain(known, commits))]
    if len(recent) < COMMITS:
        return
    free_at = recent[COMMITS - 1] + WINDOW
    reason = f"{client.repo_id} has had {len(recent)} commits within the hour, and the Hub takes no more before"
    reason += f" {free_at:%H:%M:%S} UTC."
    _check_patience(client, (free_at - now).total_seconds(), reason)
    log(f"{reason} Waiting until then.")
    time.sleep(max(0.0, (free_at - now).total_seconds()))


def _find_landed_commit(client: RepoClient, parent: str, changes: FileChanges) -> Snapshot | None:
    """Find our commit behind an answer that was lost: the one right after the parent, if it holds what we sent."""
    child = None
    for commit in client.commits():
        if commit.revision == parent:
            break
        child = commit.revision
    else:
        return None
    here = client.at(child) if child else None
    return here if here and not changes.breaches(here.files) else None


def _wait(client: RepoClient, state: RetryCallState) -> float:
    """Wait as long as the Hub asks for, else longer each time, with jitter."""
    error = _error(state)
    asked = (error.seconds if isinstance(error, HubBusyError) else None) or 0.0
    _check_patience(client, asked, f"{error} It wants us to wait {asked:.0f} seconds.")
    return asked + wait_random_exponential(multiplier=0.5, max=20)(state)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _check_patience(client: RepoClient, seconds: float, reason: str) -> None:
    """Raise if a wait is longer than we may."""
    if seconds > client.patience:
        raise HubUnavailableError(
            f"{reason} That is longer than GOVBR_HUB_PATIENCE_MINUTES ({client.patience / 60:.0f}): try again then."
        )
