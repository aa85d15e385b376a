"""The history of a dataset repo: its commits, newest first, and the numbers in the trailers of their messages.

What a trailer means belongs to whoever writes it, mostly `dataset.changeset`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count, islice
from typing import NamedTuple

from huggingface_hub.utils import build_hf_headers, paginate, parse_datetime

from govbr_assets.huggingface.errors import translated_errors

_TRAILER = re.compile(r"^([A-Z][A-Za-z-]+): (\d+)$", re.MULTILINE)


class Commit(NamedTuple):
    """A commit of the repo: its revision, when it was made (aware), and its message without the first line."""

    revision: str
    at: datetime
    message: str

    def trailer(self, name: str) -> int:
        """Read a number that the commit tells of itself, as git's trailers are written; 0 if it does not."""
        return sum(int(number) for told, number in _TRAILER.findall(self.message) if told == name)


def list_commits(endpoint: str, repo_id: str, revision: str, token: Callable[[], str | None]) -> Iterator[Commit]:
    """Go through the commits that lead to a revision, newest first, a page at a time.

    The client's `list_repo_commits` fetches the whole history, of which the last hour is wanted.

    Args:
        endpoint: of the Hub.
        repo_id: the dataset.
        revision: a commit, or the name of a branch.
        token: gives the token, when the first commit is asked for.

    Raises:
        HubUnavailableError: the Hub is out of reach.
        HubDeniedError: there is no such repo or revision, or not for this token.
    """
    address = f"{endpoint}/api/datasets/{repo_id}/commits/{revision}"
    with translated_errors(repo_id, "listing the commits"):
        for commit in paginate(address, params={}, headers=build_hf_headers(token=token())):
            yield Commit(commit["id"], parse_datetime(commit["date"]), commit.get("message") or "")


class Replayed:
    """Commits that can be gone through again and again; each is listed when somebody comes to it first.

    Args:
        listing: lists them from the first one on; called again after a failure, as half of a history is none.
    """

    def __init__(self, listing: Callable[[], Iterator[Commit]]) -> None:
        self._listing, self._coming, self._listed = listing, listing(), list[Commit]()

    def __iter__(self) -> Iterator[Commit]:
        for number in count():
            if number == len(self._listed) and not self._has_next():
                return
            yield self._listed[number]

    def _has_next(self) -> bool:
        """List one more commit, if there is one."""
        before, self._listed, coming, self._coming = self._listed, [], self._coming, self._listing()
        more = [*islice(coming, 1)]
        self._listed, self._coming = before + more, coming
        return bool(more)
