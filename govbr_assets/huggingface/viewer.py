"""The dataset viewer: ids and counts of rows, by `/filter` and `/size`.

A result is complete, from all pages of one revision, or an error; never a part. `viewer_session` sends the requests.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from govbr_assets.core.days import Day
from govbr_assets.errors import ViewerUncertainError
from govbr_assets.huggingface.viewer_session import ViewerSession
from govbr_assets.io.parallel import map_ordered

_PAGE_ROWS = 100
_AT_ONCE = 8  # requests
_WHERE_BYTES = 5_600  # of a condition in a URL of 6 kB
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
        self._session, self.config = ViewerSession(url, repo_id, token), "default"

    def find(
        self, ids: Sequence[str], day: Day, own: Sequence[str], own_of_day: Sequence[str], revision: str
    ) -> ViewerAnswer:
        """Find ids in the dataset outside of the day's own shard, under any day.

        The rows of the day are listed first, then every id is queried, since it may be under another day: some ids in
        each request, and several requests at the same time. If the count equals the number of rows already known, no
        rows are fetched.

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
        began, asked_before = time.monotonic(), self._session.requests
        wanted, known = set(ids), Counter(own)
        known += Counter(self.ids_of_day(day, revision, own_of_day)) - Counter(own_of_day)
        groups = [Counter({each: known[each] for each in group}) for group in _groups(sorted(wanted))]
        for expected, ids in map_ordered(lambda group: (group, self._ids_of(group, revision)), groups, _AT_ONCE):
            found = Counter(ids)
            if expected - found:
                raise ViewerUncertainError("The viewer has a row and does not find it by its id: try again later.")
            known |= found
        elsewhere = Counter({unique_id: known[unique_id] for unique_id in wanted}) - Counter(own)
        return ViewerAnswer(
            sorted(elsewhere.elements()), self._session.requests - asked_before, time.monotonic() - began
        )

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
        size = self._session.get("/size", {"config": self.config}, revision).get("size")
        splits = size.get("splits") if isinstance(size, dict) else None
        found = [split for split in splits if isinstance(split, dict)] if isinstance(splits, list) else []
        counts = [split.get("num_rows") for split in found if split.get("split") == "train"]
        if len(counts) != 1 or not isinstance(counts[0], int):
            raise ViewerUncertainError("The viewer's answer to /size has no rows of train: it has changed its format.")
        return counts[0]

    def _ids_of(self, group: Counter[str], revision: str) -> list[str]:
        """Return the ids of all rows that have one of some ids, which are known to be there so many times."""
        return self._ids(" or ".join(map(_condition, group)), revision, group)

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
        parameters = {
            "config": self.config,
            "where": where,
            "orderby": '"unique_id"',
            "offset": offset,
            "length": length,
        }
        page = self._session.get("/filter", parameters, revision)
        if not isinstance(page.get("rows"), list) or not isinstance(page.get("num_rows_total"), int):
            raise ViewerUncertainError("The viewer's answer to /filter has no rows: it has changed its format.")
        return page


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
