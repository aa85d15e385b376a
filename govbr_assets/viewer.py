"""The dataset viewer's `/filter` and `/size`, believed only when certain. The only importer of requests.

An answer counts if it is 200, not partial, from the revision that we ask about, and whole: every page. Anything else
is an error, never an empty set.
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from govbr_assets.core.days import Day
from govbr_assets.errors import ConfigurationError, HubDeniedError, ViewerUncertainError

_PAGE_ROWS = 100
_TIMEOUT = (10, 60)  # seconds to connect, seconds between bytes


@dataclass(frozen=True)
class ViewerAnswer:
    """Ids as the viewer told them, and what asking cost.

    Attributes:
        ids: sorted, as often as they stand in the dataset.
        requests: pages asked for.
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
    """

    def __init__(self, url: str, repo_id: str, token: str | None = None) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise ConfigurationError(f"GOVBR_VIEWER_URL is {url!r}: write a URL such as https://viewer.example.org.")
        self._url, self._repo_id = url.rstrip("/"), repo_id
        self._session = requests.Session()
        # A gateway's hiccup is worth a retry at once; a 500 is the viewer's own word that it is not ready.
        retry = Retry(total=3, backoff_factor=0.2, status_forcelist=(502, 503, 504), raise_on_status=False)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ids_of(self, day: Day, revision: str) -> ViewerAnswer:
        """List the ids of all rows published on a day at a revision.

        Args:
            day: the day; its bounds are sent with their offset, or the viewer would read them in its own zone.
            revision: the commit that the answer must come from.

        Raises:
            ViewerUncertainError: the viewer fails, is behind, knows only a part, or its pages do not add up.
            HubDeniedError: the viewer wants a token, or another one.
        """
        began = time.monotonic()
        where = f"\"published_at\">='{day.start.isoformat()}' and \"published_at\"<'{day.end.isoformat()}'"
        ids: list[str] = []
        total, pages = None, 0
        while total is None or len(ids) < total:
            page = self._page(where, len(ids), revision)
            pages += 1
            found = [_unique_id(row) for row in page["rows"]]
            if total not in (None, page["num_rows_total"]) or (not found and len(ids) < page["num_rows_total"]):
                raise ViewerUncertainError(f"The viewer's pages of {day} do not add up: try again later.")
            total = page["num_rows_total"]
            ids += found
        if len(ids) != total:
            raise ViewerUncertainError(f"The viewer gave {len(ids)} of {total} rows of {day}: try again later.")
        return ViewerAnswer(sorted(ids), pages, time.monotonic() - began)

    def _page(self, where: str, offset: int, revision: str) -> dict[str, Any]:
        """Fetch one page of `/filter`."""
        parameters = {"where": where, "orderby": '"unique_id"', "offset": offset, "length": _PAGE_ROWS}
        page = self._get("/filter", parameters, revision)
        if not isinstance(page.get("rows"), list) or not isinstance(page.get("num_rows_total"), int):
            raise ViewerUncertainError("The viewer's answer to /filter has no rows: it has changed its format.")
        return page

    def _get(self, path: str, parameters: dict[str, Any], revision: str) -> dict[str, Any]:
        """Ask, and return the answer only if it is certain."""
        parameters = {"dataset": self._repo_id, "config": "default", "split": "train", **parameters}
        try:
            response = self._session.get(self._url + path, params=parameters, timeout=_TIMEOUT)
            answer = response.json() if response.status_code == 200 else {}
        except (requests.RequestException, ValueError) as error:
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


def _unique_id(row: dict[str, Any]) -> str:
    """Take the id out of a row of `/filter`, unless it was cut short."""
    unique_id = row.get("row", {}).get("unique_id")
    if not isinstance(unique_id, str) or "unique_id" in row.get("truncated_cells", []):
        raise ViewerUncertainError("The viewer gave a row without a whole unique_id.")
    return unique_id
