"""How the Hub words what all its routes answer: refusals, pages of a listing, times."""

from typing import TypeVar

from starlette.responses import JSONResponse, Response

from govbr_assets.local.hub.calls import Call
from govbr_assets.local.hub.commits import Commit
from govbr_assets.local.hub.errors import HubRefusal, RefusedError

Entry = TypeVar("Entry")


def refuse(error: HubRefusal) -> Response:
    """Word a refusal as the Hub does: the text in the body and in a header, the kind in another."""
    text = str(error)
    headers = {"X-Error-Message": " ".join(text.encode("ascii", "replace").decode().split())}
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": text}, error.status, headers)


def time_of(commit: Commit) -> str:
    """Write the time of a commit as the Hub does: UTC, milliseconds."""
    return commit.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page(call: Call, entries: list[Entry], most: int | None = None) -> tuple[list[Entry], dict[str, str]]:
    """Cut one page out of a listing.

    Args:
        call: its query may hold `limit`, and the `cursor` that the page before named.
        entries: all there are, in an order that stays.
        most: entries on a page, if that is fewer than for other listings.

    Returns:
        The entries of the page, and the headers that say where the next one is.
    """
    query = call.request.query_params
    try:
        start, limit = int(query.get("cursor", 0)), int(query.get("limit", call.hub.limits.page))
    except ValueError:
        raise RefusedError("`cursor` and `limit` are numbers.") from None
    start = max(0, start)
    end = start + max(1, min(limit, call.hub.limits.page, most or limit))
    if end >= len(entries):
        return entries[start:], {}
    following = call.request.url.include_query_params(cursor=end)
    return entries[start:end], {"Link": f'<{following}>; rel="next"'}
