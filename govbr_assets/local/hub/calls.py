"""From an HTTP request to a call that a route can answer: who may, to which repo, with which body.

What comes back is worded in `answers`; what any one route does is in `routes`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from govbr_assets.local.hub.access import Role, Signer, Tokens
from govbr_assets.local.hub.errors import RefusedError
from govbr_assets.local.hub.history import History
from govbr_assets.local.hub.store import HubStore

DATASET = "/api/datasets/{namespace}/{name}"
"""Where the routes of a dataset's API begin."""

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """How much is too much; the defaults are those of the real Hub, as far as they are known.

    Attributes:
        page: entries on a page of a listing.
        regular_bytes: size from which a file must be an LFS file.
        commit_bytes: size of the body of a commit.
        commits_an_hour: to one repo.
    """

    page: int = 1000
    regular_bytes: int = 10 * MEGABYTE
    commit_bytes: int = 64 * MEGABYTE
    commits_an_hour: int = 128


@dataclass(frozen=True)
class Hub:
    """What a Hub consists of, for its routes."""

    store: HubStore
    tokens: Tokens = field(default_factory=Tokens)
    limits: Limits = field(default_factory=Limits)
    signer: Signer = field(default_factory=Signer)


@dataclass(frozen=True)
class Call:
    """A request that was let in, read to its end.

    Attributes:
        request: where headers, path and query are.
        hub: what it is addressed to.
        body: all of its body.
    """

    request: Request
    hub: Hub
    body: bytes

    @property
    def repo_id(self) -> str:
        """The repo in the path, `namespace/name`."""
        return repo_of(self.request)

    @property
    def history(self) -> History:
        """The history of that repo."""
        return self.hub.store.history(self.repo_id)

    @property
    def revision(self) -> str:
        """The revision in the path."""
        return self.request.path_params["revision"]

    @property
    def base(self) -> str:
        """The address that the request was sent to, without a slash at its end."""
        return str(self.request.base_url).rstrip("/")

    @property
    def other_origin(self) -> URL:
        """The same server under another name, for what clients must take for somebody else's server."""
        url = self.request.url
        return url.replace(hostname="127.0.0.1" if url.hostname == "localhost" else "localhost")

    def flag(self, name: str) -> bool:
        """Return whether a query parameter is set."""
        return self.request.query_params.get(name, "").lower() in ("1", "true")

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object.

        Raises:
            RefusedError: it is none.
        """
        return json_object(self.body)


Handler = Callable[[Call], Response]


def hub_of(request: Request) -> Hub:
    """Return the Hub that an application serves."""
    return request.app.state.hub


def repo_of(request: Request) -> str:
    """Return the repo in the path of a request."""
    return "{namespace}/{name}".format(**request.path_params)


def to_repo(handler: Handler, role: Role = "read") -> Callable:
    """Make a route's endpoint of what answers calls to one repo, for those who may.

    Args:
        handler: runs in a thread, so that it may wait for the disk.
        role: what a sender must be allowed to do.
    """

    async def endpoint(request: Request) -> Response:
        """Admit a request to its repo, redirect it if the repo has moved, and have the handler answer it."""
        hub, repo_id = hub_of(request), repo_of(request)
        moved = hub.store.moved_to(repo_id)
        hub.tokens.admit(request, hub.store, moved or repo_id, role)
        if moved:
            await read(request, hub.limits.commit_bytes)  # a sender listens only when it has sent everything
            return _elsewhere(request, repo_id, moved)
        return await run_in_threadpool(handler, Call(request, hub, await read(request, hub.limits.commit_bytes)))

    return endpoint


def _elsewhere(request: Request, repo_id: str, moved: str) -> Response:
    """Send a request on to where its repo is now: as it is, on the same server."""
    path = request.url.path.replace(f"/{repo_id}", f"/{moved}", 1)
    return Response(status_code=307, headers={"Location": f"{path}?{request.url.query}".rstrip("?")})


def to_user(handler: Handler, role: Role | None = None) -> Callable:
    """Make a route's endpoint of what answers calls to no repo in particular.

    Args:
        handler: runs in a thread, so that it may wait for the disk.
        role: what a sender must be allowed to do; None to leave that to the handler.
    """

    async def endpoint(request: Request) -> Response:
        """Admit the sender of a request, and have the handler answer it."""
        hub = hub_of(request)
        if role is not None:
            hub.tokens.admit_user(request, role)
        return await run_in_threadpool(handler, Call(request, hub, await read(request, hub.limits.commit_bytes)))

    return endpoint


async def read(request: Request, most: int) -> bytes:
    """Read a body to its end; what is too much is thrown away, for a sender listens only when it has sent everything.

    Raises:
        RefusedError: it was more than `most` bytes.
    """
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size <= most:
            pieces.append(piece)
    if size > most:
        raise RefusedError(f"A body of {size} bytes is too large: the limit is {most}.", 413)
    return b"".join(pieces)


def json_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        RefusedError: it is none.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RefusedError("The request is not a JSON object.")
    return value
