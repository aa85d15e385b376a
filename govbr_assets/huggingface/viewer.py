"""Client of the dataset viewer's `/filter` and `/size`, which accepts complete answers only.

An answer is complete if all of its pages have status 200, are not partial, and come from the requested revision. Any
other answer is an error, never an empty set.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import requests
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from govbr_assets.core.days import Day
from govbr_assets.errors import ConfigurationError, HubDeniedError, ViewerUncertainError
from govbr_assets.io.deadline import Deadline
from govbr_assets.io.settings import base_url
from govbr_assets.io.web import session

_PAGE_ROWS = 100
_WHERE_BYTES = 5_600  # of a condition in a URL of 6 kB
_ANSWER_SECONDS = 10  # for one response; if the viewer is slower, reading the files is faster
_MAX_BYTES = 32 << 20  # of a response; a page of ordinary news has half a megabyte
_NEVER_IN_WHERE = (";", "--", "/*", "*/", "\0")  # rejected by the viewer even in a quoted value


@dataclass(frozen=True)
class ViewerAnswer:
    """Ids found by the viewer.

    Attributes:
        ids: sorted, each as often as it occurs in the dataset.
        requests: number of requests.
        seconds: wall time.
    """

    ids: list[str]
    requests: int
    seconds: float


class Viewer:
    """Client of the viewer for one dataset.

    Args:
        url: such as `https://datasets-server.huggingface.co`.
        repo_id: `namespace/name` of the dataset.
        token: for private datasets; None sends no credentials.

    Attributes:
        config: the config that is queried.
    """

    def __init__(self, url: str, repo_id: str, token: str | None = None) -> None:
        self._url = base_url("GOVBR_VIEWER_URL", url, "https://viewer.example.org")
        if not self._url:
            raise ConfigurationError("GOVBR_VIEWER_URL is empty: write a URL, or leave it out for the public viewer.")
        self._repo_id, self._requests, self.config = repo_id, 0, "default"
        # Errors of a gateway are retried at once; with a 500 the viewer says that it is not ready.
        retry = Retry(connect=1, read=False, other=0, status=3, backoff_factor=0.2, status_forcelist=(502, 503, 504))
        self._session = session(self._url, retry, {"Authorization": f"Bearer {token}"} if token else None)
        self._deadline = Deadline[tuple[requests.Response, bytes]](_ANSWER_SECONDS)
        self._unreachable = ""  # the reason, once the viewer was found unreachable

    def find(
        self, ids: Sequence[str], day: Day, own: Sequence[str], own_of_day: Sequence[str], revision: str
    ) -> ViewerAnswer:
        """Find ids in the dataset outside of the day's own shard, under any day.

        The rows of the day are listed first, then every id is queried, since it may be under another day. If the count
        equals the number of rows already known, no rows are fetched.

        Args:
            ids: the ids to find.
            day: the day.
            own: ids in the own shard, each as often as it occurs; subtracted from the result.
            own_of_day: those of them whose rows are under the day, as all should be.
            revision: the commit that the answer must come from.

        Raises:
            ViewerUncertainError: the viewer fails, has another revision or only a part of it, returns inconsistent
                pages, or cannot query an id.
            HubDeniedError: the viewer requires a token, or another one.
        """
        began, asked_before = time.monotonic(), self._requests
        wanted, known = set(ids), Counter(own)
        known += Counter(self.ids_of_day(day, revision, own_of_day)) - Counter(own_of_day)
        for group in _groups(sorted(wanted)):
            expected = Counter({unique_id: known[unique_id] for unique_id in group})
            found = Counter(self._ids(" or ".join(map(_condition, group)), revision, expected))
            if expected - found:
                raise ViewerUncertainError("The viewer has a row and does not find it by its id: try again later.")
            known |= found
        elsewhere = Counter({unique_id: known[unique_id] for unique_id in wanted}) - Counter(own)
        return ViewerAnswer(sorted(elsewhere.elements()), self._requests - asked_before, time.monotonic() - began)

    def ids_of_day(self, day: Day, revision: str, known: Sequence[str] = ()) -> list[str]:
        """Return the ids of all rows of a day at a revision, each as often as it occurs.

        Args:
            day: the day.
            revision: the commit that the answer must come from.
            known: ids known to be under the day; if there are no others, no rows are fetched.

        Raises:
            ViewerUncertainError, HubDeniedError: as `find`.
        """
        # With an offset, since the viewer would take times without one in its own zone.
        window = f"\"published_at\">='{day.start.isoformat()}' and \"published_at\"<'{day.end.isoformat()}'"
        return self._ids(window, revision, Counter(known))

    def rows(self, revision: str) -> int:
        """Return the number of rows of the dataset at a revision.

        Raises:
            ViewerUncertainError, HubDeniedError: as `find`.
        """
        size = self._get("/size", {}, revision).get("size")
        splits = size.get("splits") if isinstance(size, dict) else None
        found = [split for split in splits if isinstance(split, dict)] if isinstance(splits, list) else []
        counts = [split.get("num_rows") for split in found if split.get("split") == "train"]
        if len(counts) != 1 or not isinstance(counts[0], int):
            raise ViewerUncertainError("The viewer's answer to /size has no rows of train: it has changed its format.")
        return counts[0]

    def _ids(self, where: str, revision: str, known: Counter[str]) -> list[str]:
        """Return the ids of all rows that fulfil a condition; if their count equals the known ids, return these."""
        ids: list[str] = []
        total = None
        if known:
            total = self._page(where, 0, 0, revision)["num_rows_total"]
            if total == known.total():
                return list(known.elements())
        while total is None or len(ids) < total:
            page = self._page(where, len(ids), _PAGE_ROWS, revision)
            found = [_unique_id(row) for row in page["rows"]]
            if total not in (None, page["num_rows_total"]) or (not found and len(ids) < page["num_rows_total"]):
                raise ViewerUncertainError("The viewer's pages of one answer do not add up: try again later.")
            total = page["num_rows_total"]
            ids += found
        if len(ids) != total:
            raise ViewerUncertainError(f"The viewer gave {len(ids)} of {total} rows: try again later.")
        return ids

    def _page(self, where: str, offset: int, length: int, revision: str) -> dict[str, Any]:
        """Fetch one page of `/filter`."""
        parameters = {"where": where, "orderby": '"unique_id"', "offset": offset, "length": length}
        page = self._get("/filter", parameters, revision)
        if not isinstance(page.get("rows"), list) or not isinstance(page.get("num_rows_total"), int):
            raise ViewerUncertainError("The viewer's answer to /filter has no rows: it has changed its format.")
        return page

    def _get(self, path: str, parameters: dict[str, Any], revision: str) -> dict[str, Any]:
        """Request a path, and return the answer if it is complete."""
        parameters = {"dataset": self._repo_id, "config": self.config, "split": "train", **parameters}
        response, content = self._request(path, parameters)
        try:
            answer = json.loads(content) if response.status_code == 200 else {}
        except (ValueError, RecursionError) as error:
            raise ViewerUncertainError(f"The viewer at {self._url} gave no readable answer: {error}") from error
        if response.status_code in (401, 403):
            raise HubDeniedError(f"The viewer refuses to show {self._repo_id}: look at HF_TOKEN and its rights.")
        if response.status_code != 200 or not isinstance(answer, dict):
            code = response.headers.get("X-Error-Code", "no code")
            raise ViewerUncertainError(f"The viewer answered {response.status_code} ({code}) for {self._repo_id}.")
        if answer.get("partial") is not False:
            raise ViewerUncertainError(f"The viewer has indexed only a part of {self._repo_id}.")
        if (seen := response.headers.get("X-Revision")) != revision:
            raise ViewerUncertainError(
                f"The viewer answers for revision {seen} of {self._repo_id}, not for {revision}."
            )
        return answer

    def _request(self, path: str, parameters: dict[str, Any]) -> tuple[requests.Response, bytes]:
        """Send a request, unless the viewer was found unreachable before: each further attempt would take as long."""
        if self._unreachable:
            raise ViewerUncertainError(self._unreachable)
        self._requests += 1
        try:
            return self._deadline.run(lambda: self._fetch(path, parameters))
        except TimeoutError:
            self._unreachable = f"The viewer at {self._url} gave no readable answer within {_ANSWER_SECONDS} s."
            raise ViewerUncertainError(self._unreachable) from None
        except (requests.RequestException, OSError) as error:
            reason = f"The viewer at {self._url} gave no readable answer: {error}"
            if _is_unreachable(error):
                self._unreachable = reason
            raise ViewerUncertainError(reason) from error

    def _fetch(self, path: str, parameters: dict[str, Any]) -> tuple[requests.Response, bytes]:
        """Fetch a response of at most `_MAX_BYTES`: a page of a hundred long rows can have a gigabyte."""
        with self._session.get(self._url + path, params=parameters, timeout=_ANSWER_SECONDS, stream=True) as response:
            pieces, size = [], 0
            for piece in response.iter_content(1 << 16):
                pieces.append(piece)
                size += len(piece)
                if size > _MAX_BYTES:
                    raise ViewerUncertainError(f"The viewer's answer has more than {_MAX_BYTES / 1e6:.0f} MB.")
            return response, b"".join(pieces)


def _is_unreachable(error: Exception) -> bool:
    """Return whether no server answered, or none with a valid certificate."""
    return isinstance(error, requests.Timeout) or any(isinstance(cause, MaxRetryError) for cause in error.args)


def _groups(ids: Sequence[str]) -> Iterator[list[str]]:
    """Split ids into groups whose condition fits into a URL."""
    group, size = [], 0
    for unique_id in ids:
        length = len(quote_plus(f" or {_condition(unique_id)}"))
        if group and size + length > _WHERE_BYTES:
            yield group
            group, size = [], 0
        group.append(unique_id)
        size += length
    if group:
        yield group


def _condition(unique_id: str) -> str:
    """Return the condition for one id.

    Raises:
        ViewerUncertainError: the viewer's grammar rejects it.
    """
    if any(sequence in unique_id for sequence in _NEVER_IN_WHERE):
        raise ViewerUncertainError(f"The viewer cannot be asked for unique_id {unique_id!r}: its grammar rejects it.")
    quoted = unique_id.replace("'", "''")
    return f"\"unique_id\"='{quoted}'"


def _unique_id(row: object) -> str:
    """Return the id of a row of `/filter`; raise if it was truncated."""
    cells, cut = (row.get("row"), row.get("truncated_cells", [])) if isinstance(row, dict) else (None, [])
    unique_id = cells.get("unique_id") if isinstance(cells, dict) else None
    if not isinstance(unique_id, str) or not isinstance(cut, list) or "unique_id" in cut:
        raise ViewerUncertainError("The viewer gave a row without a whole unique_id.")
    return unique_id
