"""Sending of one commit, within the hourly quota, with retries, and without repeating one whose response was lost."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from govbr_assets.core.counting import count
from govbr_assets.errors import HubUnavailableError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import HubBusyError, ParentConflictError
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.history import Commit
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.upload import TakenFile
from govbr_assets.huggingface.verification import check_taken, verified
from govbr_assets.io.parallel import at_once

COMMIT_FILES = 95
"""Maximum number of files of a commit: with the card below the 100 that the Hub recommends."""

COMMITS = 120
"""Maximum number of commits of a repo within `WINDOW`: the Hub rejects more than about 128, and others commit too."""

WINDOW = timedelta(hours=1)

_MAX_ATTEMPTS = 5

Log = Callable[[str], None]


def send_commit(client: RepoClient, parent: Snapshot, changes: FileChanges, log: Log) -> Snapshot:
    """Send a commit, and verify it; before each retry, check whether it has landed.

    Args:
        client: of the repo.
        parent: the snapshot that the commit is based on.
        changes: the files to change.
        log: takes messages about waits and retries.

    Returns:
        The snapshot of the new revision.

    Raises:
        ParentConflictError: the head is another commit than the parent.
        HubUnavailableError: the Hub stayed busy or failing, or asks for a longer wait than the limit.
        HubDeniedError: the Hub denies access.
        IncompleteCommitError: the Hub would leave files out of the commit, or has.
    """
    revision = parent.revision or ""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(check_taken, client, parent, changes.put)
        _check_head_and_quota(client, revision, log)
    retrying = Retrying(
        retry=retry_if_exception_type(HubUnavailableError),
        stop=stop_after_attempt(_MAX_ATTEMPTS),
        wait=lambda state: _wait(client, state),
        before_sleep=lambda state: log(
            f"{_error(state)} Trying again in {count(round(state.upcoming_sleep), 'second')}."
        ),
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            again = attempt.retry_state.attempt_number > 1
            landed = _find_landed_commit(client, revision, changes) if again else None
            if landed is None:
                taken = check_taken(client, parent, changes.put) if again else asked.result()
                landed = _sent(client, parent, changes, taken)
            client.revisions.follow(revision, landed)
            return landed
    raise AssertionError("tenacity either returns or raises")


def _sent(client: RepoClient, parent: Snapshot, changes: FileChanges, taken: Mapping[str, TakenFile]) -> Snapshot:
    """Make the commit and verify it, and ask at the same time whether it is the head still."""
    revision = client.commit(parent.revision or "", changes, taken)
    landed, _ = at_once(lambda: verified(client, parent, changes, revision), client.look_for_head)
    return landed


def commits_left(client: RepoClient, now: datetime) -> int:
    """Count how many commits we would still make at once, by the history: the Hub tells nobody how many it takes.

    Args:
        client: of the repo.
        now: aware.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    return max(0, COMMITS - len(_within_window(client.commits(), now)))


def _within_window(commits: Iterable[Commit], now: datetime) -> list[datetime]:
    """Take the times of the commits within the window; the newest commit comes first."""
    return [commit.at for commit in takewhile(lambda commit: commit.at > now - WINDOW, commits)]


def _check_head_and_quota(client: RepoClient, parent: str, log: Log) -> None:
    """Check that the parent is the head of the repo, and wait until the hourly quota allows another commit.

    The Hub rejects a stale parent too. But the client omits a commit whose files the head has already, and the
    rejection may be lost; after this check, a child of the parent that has our files can only be our commit.
    """
    now, commits = datetime.now(UTC), client.commits()
    newest = next(commits, None)
    if newest and client.forward(newest.revision) != parent:
        raise ParentConflictError(f"The head of {client.repo_id} is {newest.revision}, not {parent}.")
    recent = _within_window(chain([newest] if newest else [], commits), now)
    if len(recent) < COMMITS:
        return
    free_at = recent[COMMITS - 1] + WINDOW
    reason = (
        f"{client.repo_id} has had {count(len(recent), 'commit')} within the hour, and the Hub takes no more before"
    )
    reason += f" {free_at:%H:%M:%S} UTC."
    _check_wait(client, (free_at - now).total_seconds(), reason)
    log(f"{reason} Waiting until then.")
    time.sleep(max(0.0, (free_at - now).total_seconds()))


def _find_landed_commit(client: RepoClient, parent: str, changes: FileChanges) -> Snapshot | None:
    """Return the snapshot of our commit if it has landed: the child of the parent, if it has the files sent."""
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
    """Return the seconds to wait: as the Hub asks, plus exponential backoff with jitter."""
    error = _error(state)
    asked = (error.seconds if isinstance(error, HubBusyError) else None) or 0.0
    _check_wait(client, asked, f"{error} It asks to wait {asked:.0f} seconds.")
    return asked + wait_random_exponential(multiplier=0.5, max=20)(state)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _check_wait(client: RepoClient, seconds: float, reason: str) -> None:
    """Raise if a wait exceeds the limit."""
    if seconds > client.patience:
        raise HubUnavailableError(
            f"{reason} That is longer than GOVBR_HUB_PATIENCE_MINUTES ({client.patience / 60:.0f}): try again then."
        )
