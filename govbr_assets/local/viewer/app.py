"""The viewer as an ASGI application: who may ask, what was asked, and the answer with its headers."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.access import Tokens
from govbr_assets.local.hub.errors import HubRefusal
from govbr_assets.local.viewer import answers
from govbr_assets.local.viewer.data_files import SPLIT
from govbr_assets.local.viewer.errors import (
    InvalidParameterError,
    MissingParameterError,
    NotFoundError,
    UnauthenticatedError,
    UnexpectedError,
    UriTooLongError,
    ViewerRefusal,
)
from govbr_assets.local.viewer.grammar import Where, parse_order, parse_where
from govbr_assets.local.viewer.index import Index, Snapshot
from govbr_assets.local.viewer.query import Engine, Query

_LONGEST_URL = 8192
_MOST_OFFSET = 2**62

Answer = Callable[[Request, Snapshot], dict[str, Any]]


def viewer_app(index: Index, tokens: Tokens) -> Starlette:
    """Make the application that serves the viewer.

    Args:
        index: what it answers from.
        tokens: who may see private repos.
    """
    engine = Engine()

    def filtered(request: Request, snapshot: Snapshot) -> dict[str, Any]:
        return answers.page(snapshot, *engine.select(snapshot, _query(request)))

    def sized(request: Request, snapshot: Snapshot) -> dict[str, Any]:
        return answers.size(request.query_params["dataset"], snapshot)

    def route(path: str, answer: Answer, *required: str) -> Route:
        """Make a route of what answers a request at a snapshot, and the query parameters that it must have."""

        def respond(request: Request) -> Response:
            """Answer from the snapshot that the index has of the repo, and name its revision."""
            snapshot = index.snapshot(_repo(request, index, tokens, required))
            _check_asked(request, snapshot)
            return JSONResponse(answer(request, snapshot), headers={"X-Revision": snapshot.revision})

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(respond, request)

        return Route(path, endpoint)

    routes = [route("/filter", filtered, "config", "split"), route("/size", sized), Route("/healthcheck", _healthy)]
    return Starlette(routes=routes, exception_handlers={ViewerRefusal: _refused, Exception: _broken})


def _repo(request: Request, index: Index, tokens: Tokens, required: tuple[str, ...]) -> str:
    """Let a request through, and say which repo it is about."""
    if len(request.url.path) + len(request.url.query) > _LONGEST_URL:
        raise UriTooLongError("The address is too long.")
    parameters = request.query_params
    for name in ("dataset", *required):
        if not parameters.get(name):
            raise MissingParameterError(f"Parameter '{name}' is required")
    repo_id = parameters["dataset"]
    try:
        tokens.admit(request, index.store, repo_id, "read")
    except HubRefusal as error:
        if error.status == 404:
            raise NotFoundError("The dataset does not exist.") from error
        raise UnauthenticatedError(
            "The dataset does not exist, or is not accessible without authentication."
        ) from error
    return repo_id


def _check_asked(request: Request, snapshot: Snapshot) -> None:
    """Refuse another config or split than what is indexed."""
    parameters = request.query_params
    if parameters.get("config", snapshot.config) != snapshot.config or parameters.get("split", SPLIT) != SPLIT:
        raise NotFoundError("Not found: the dataset has no such configuration or split.")


def _query(request: Request) -> Query:
    """Read what is asked of the rows."""
    parameters = request.query_params
    where, order = parameters.get("where", ""), parameters.get("orderby", "")
    return Query(
        parse_where(where) if where else Where(),
        parse_order(order) if order else None,
        _number(parameters.get("offset", "0"), "offset", _MOST_OFFSET),
        _number(parameters.get("length", str(answers.PAGE_ROWS)), "length", answers.PAGE_ROWS),
    )


def _number(text: str, name: str, most: int) -> int:
    """Read a number from 0 up to and with `most`."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
        raise InvalidParameterError(f"Parameter '{name}' must be a number from 0 to {most}")
    return int(text)


def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _broken(_request: Request, _error: Exception) -> Response:
    """Answer where something failed that nobody thought of; the server still logs it with its traceback."""
    return JSONResponse({"error": "Unexpected error."}, UnexpectedError.status, {"X-Error-Code": UnexpectedError.code})


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ViewerRefusal):
        raise error
    return JSONResponse({"error": str(error)}, error.status, {"X-Error-Code": error.code})
