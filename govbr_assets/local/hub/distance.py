"""A distance between the product and the local servers, and what the record of their requests says of it.

Each request waits before it is served, as one to a server far away does, and the first one of a connection as long
again for its handshake. What the requests ask for is not known here.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from govbr_assets.local.hub.faults import Exchange

_PARTS = (
    (re.compile(r"(?<=/datasets/)[^/]+/[^/.]+"), "{repo}"),
    (re.compile(r"(?<=/resolve/)([^/]+)/.+"), r"\1/{path}"),
    (re.compile(r"(?<=/xet/)[^/]+"), "{storage}"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "{id}"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "{revision}"),
)
"""What differs between requests of one kind."""


class Distance:
    """Stands before an ASGI application and lets its requests wait; without seconds nobody waits.

    Args:
        app: the application.
        seconds: that a request travels, there and back.

    Attributes:
        seconds: may be changed at any time.
    """

    def __init__(self, app: ASGIApp, seconds: float = 0.0) -> None:
        self._app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when it has arrived."""
        if self.seconds and scope["type"] == "http":
            connection = scope["state"]["connection"]
            is_first, connection.used = not connection.used, True
            await asyncio.sleep(self.seconds * (2 if is_first else 1))
        await self._app(scope, receive, send)


def kind_of(exchange: Exchange) -> str:
    """Name what kind of request one is: its method, and its path without what differs between two of one kind."""
    path = exchange.path
    for pattern, name in _PARTS:
        path = pattern.sub(name, path)
    return f"{exchange.method} {path}"


def by_kind(exchanges: Iterable[Exchange]) -> Counter[str]:
    """Count requests by their kinds."""
    return Counter(map(kind_of, exchanges))


def in_sequence(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Find the longest chain of requests of which each began when the one before had ended: the critical path.

    Requests of several servers may be told together, as one clock has timed them.
    """
    chain: list[Exchange] = []
    for each in sorted(exchanges, key=lambda exchange: exchange.ended_at):  # of disjoint intervals, this takes the most
        if not chain or each.began_at >= chain[-1].ended_at:
            chain.append(each)
    return chain


def connections(exchanges: Iterable[Exchange]) -> int:
    """Count the connections that requests came through."""
    return len({(each.origin, each.connection) for each in exchanges})


def repeated(exchanges: Iterable[Exchange]) -> list[str]:
    """List what was asked more than once: the same method, address, range and body."""
    asked = Counter((each.method, f"{each.path}?{each.query} {each.range}", each.digest) for each in exchanges)
    return [f"{method} {address}" for (method, address, _), times in asked.items() if times > 1]
