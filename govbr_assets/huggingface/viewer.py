"""The dataset viewer's `/filter` and `/size`, believed only when certain.

An answer counts if it is 200, not partial, from the revision that we ask about, and whole: every page. Anything else
is an error, never an empty set.
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
_ANSWER = 10  # seconds for a whole answer; from a viewer that is slower or away, the files themselves cost less
_MOST_BYTES = 32 << 20  # of an answer; a page of ordinary news has half a megabyte
_NEVER_IN_WHERE = (";", "--", "/*", "*/", "\0")  # refused even inside a quoted value


@dataclass(frozen=True)
class ViewerAnswer:
    """Ids as the viewer told them, and what asking cost.

    Attributes:
        ids: sorted, as often as they stand in the dataset.
        requests: how many.
        seconds: wall time.
    """

    ids: list[str]
    requests: int
    seconds: float


class Viewer:
    """The viewer's view of one dataset.

    Args:
        url: such as `https://datasets-server.huggingface.co`.
        repo_id: `namespace/name` of the dataset.
        token: for private datasets; None asks as a stranger.

    Attributes:
        config: the one that is asked about.
    """

    def __init__(self, url: str, repo_id: str, token: str | None = None) -> None:
        self._url = base_url("GOVBR_VIEWER_URL", url, "https://viewer.example.org")
        if not self._url:
            raise ConfigurationError("GOVBR_VIEWER_URL is empty: write a URL, or leave it out for the public viewer.")
        self._repo_id, self._requests, self.config = repo_id, 0, "default"
        # A gateway's hiccup is worth a retry at once; a 500 is the viewer's own word that it is not ready.
        retry = Retry(connect=1, read=False, other=0, status=3, backoff_factor=0.2, status_forcelist=(502, 503, 504))
        self._session = session(self._url, retry, {"Authorization": f"Bearer {token}"} if token else None)
        self._deadline = Deadline[tuple[requests.Response, bytes]](_ANSWER)
        self._away = ""  # why nobody is asked any more

    def find(
        self, ids: Sequence[str], day: Day, own: Sequence[str], own_of_day: Sequence[str], revision: str
    ) -> ViewerAnswer:
        """Find ids in the dataset outside the day's own shard, whichever day they stand under.

        First the pages of the day's window, then every id by its name: it may stand under another day. Where no more
        rows can be there than are known already, a count says so and no row travels.

        Args:
            ids: what to look for.
            day: the day.
            own: ids of the own shard, which are taken away as often as they stand there.
            own_of_day: those of them that stand under the day, as by contract all do.
            revision: the commit that the answer must come from.

        Raises:
            ViewerUncertainError: the viewer fails, is behind, knows only a part, its pages do not add up, or an id
                cannot be asked for.
            HubDeniedError: the viewer wants a token, or another one.
        """
        began, asked_before = time.monotonic(), self._requests
        wanted, known = set(ids), Counter(own)
        known += Counter(self.ids_of_day(day, revision, own_of_day)) - Counter(own_of_day)
        for group in _groups(sorted(wanted)):
            expected = Counter({each: known[each] for each in group})
            found = Counter(self._ids(" or ".join(map(_named, group)), revision, expected))
            if expected - found:
                raise ViewerUncertainError("The viewer does not find by its name a row that it has: try again later.")
            known |= found
        elsewhere = Counter({each: known[each] for each in wanted}) - Counter(own)
        return ViewerAnswer(sorted(elsewhere.elements()), self._requests - asked_before, time.monotonic() - began)

    def ids_of_day(self, day: Day, revision: str, known: Sequence[str] = ()) -> list[str]:
        """List the ids of all rows of a day at a revision, as often as they stand there, some of which are known.

        Raises:
            ViewerUncertainError, HubDeniedError: as `find`.
        """
        # With their offset, or the viewer would read the bounds in its own zone.
        window = f"\"published_at\">='{day.start.isoformat()}' and \"published_at\"<'{day.end.isoformat()}'"
        return self._ids(window, revision, Counter(known))

    def rows(self, revision: str) -> int:
        """Count the rows of the dataset at a revision.

        Raises:
            ViewerUncertainError, HubDeniedError: as `find`.
        """
        size = self._get("/size", {}, revision).get("size")
        splits = size.get("splits") if isinstance(size, dict) else None
        found = [each for each in splits if isinstance(each, dict)] if isinstance(splits, list) else []
        counts = [each.get("num_rows") for each in found if each.get("split") == "train"]
        if len(counts) != 1 or not isinstance(counts[0], int):
            raise ViewerUncertainError("The viewer's answer to /size has no rows of train: it has changed its format.")
        return counts[0]

    def _ids(self, where: str, revision: str, known: Counter[str]) -> list[str]:
        """List the ids of all rows that fulfil a condition, of which some are known to do so.

        If there are just as many as are known, these are the ones, and a count without a row has told it.
        """
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
        """Ask, and return the answer only if it is certain."""
        parameters = {"dataset": self._repo_id, "config": self.config, "split": "train", **parameters}
        response, content = self._asked(path, parameters)
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

    def _asked(self, path: str, parameters: dict[str, Any]) -> tuple[requests.Response, bytes]:
        """Ask, unless the viewer was found out of reach before: every further try would cost as much."""
        if self._away:
            raise ViewerUncertainError(self._away)
        self._requests += 1
        try:
            return self._deadline.run(lambda: self._answer(path, parameters))
        except TimeoutError:
            self._away = f"The viewer at {self._url} gave no readable answer within {_ANSWER} s."
            raise ViewerUncertainError(self._away) from None
        except (requests.RequestException, OSError) as error:
            told = f"The viewer at {self._url} gave no readable answer: {error}"
            if _is_out_of_reach(error):
                self._away = told
            raise ViewerUncertainError(told) from error

    def _answer(self, path: str, parameters: dict[str, Any]) -> tuple[requests.Response, bytes]:
        """Fetch an answer, no more of it than fits into memory: a page of a hundred long rows can be a gigabyte."""
        with self._session.get(self._url + path, params=parameters, timeout=_ANSWER, stream=True) as response:
            pieces, size = [], 0
            for piece in response.iter_content(1 << 16):
                pieces.append(piece)
                size += len(piece)
                if size > _MOST_BYTES:
                    raise ViewerUncertainError(f"The viewer's answer has more than {_MOST_BYTES / 1e6:.0f} MB.")
            return response, b"".join(pieces)


def _is_out_of_reach(error: Exception) -> bool:
    """Say whether nobody was there to answer, or nobody who could show that he is the viewer."""
    return isinstance(error, requests.Timeout) or any(isinstance(each, MaxRetryError) for each in error.args)


def _groups(ids: Sequence[str]) -> Iterator[list[str]]:
    """Cut ids into groups whose condition fits into a URL."""
    group, size = [], 0
    for each in ids:
        length = len(quote_plus(f" or {_named(each)}"))
        if group and size + length > _WHERE_BYTES:
            yield group
            group, size = [], 0
        group.append(each)
        size += length
    if group:
        yield group


def _named(unique_id: str) -> str:
    """Write the condition for one id.

    Raises:
        ViewerUncertainError: the viewer's grammar refuses it.
    """
    if any(each in unique_id for each in _NEVER_IN_WHERE):
        raise ViewerUncertainError(f"The viewer cannot be asked for unique_id {unique_id!r}: its grammar refuses it.")
    quoted = unique_id.replace("'", "''")
    return f"\"unique_id\"='{quoted}'"


def _unique_id(row: object) -> str:
    """Take the id out of a row of `/filter`, unless it was cut short."""
    cells, cut = (row.get("row"), row.get("truncated_cells", [])) if isinstance(row, dict) else (None, [])
    unique_id = cells.get("unique_id") if isinstance(cells, dict) else None
    if not isinstance(unique_id, str) or not isinstance(cut, list) or "unique_id" in cut:
        raise ViewerUncertainError("The viewer gave a row without a whole unique_id.")
    return unique_id
