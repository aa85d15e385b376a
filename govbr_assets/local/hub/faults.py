"""A hand on the wire of a server: what goes wrong with which request, and a record of all that passed.

A pure ASGI middleware that knows nothing about the application behind it; the Hub and the viewer both stand behind one.
A fault is a request (method, path), an action and a moment: before the application has seen the request, or after it
has done its work and before anybody hears of it.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from govbr_assets.local.hub.actions import Action, after


@dataclass
class Exchange:
    """A request and what came of it; filled in while it happens.

    Attributes:
        method: the HTTP method.
        path: decoded, without the query.
        query: what follows the question mark.
        status: the status that was sent; None if the connection was cut before there was one.
        received: bytes of the request's body that the server read.
        sent: bytes of the response's body that left the server.
        origin: host and port that the request was sent to.
        range: which bytes it asks for, as in its header.
        digest: sha256 of the request's body as far as the server read it, in hex.
        connection: number of the connection, of all of this process's servers.
        began_at: when the request came, in seconds of `time.monotonic`.
        ended_at: when the last byte of the response was about to leave.
    """

    method: str
    path: str
    query: str = ""
    status: int | None = None
    received: int = 0
    sent: int = 0
    origin: str = field(default="", compare=False)
    range: str = field(default="", compare=False)
    digest: str = field(default="", compare=False)
    connection: int = field(default=0, compare=False)
    began_at: float = field(default=0.0, compare=False)
    ended_at: float = field(default=0.0, compare=False)

    @classmethod
    def begin(cls, scope: Scope) -> Self:
        """Begin the record of a request that has come."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return cls(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            origin=headers.get("host", ""),
            range=headers.get("range", ""),
            connection=scope["state"]["connection"].number,
            began_at=time.monotonic(),
        )


@dataclass
class Fault:
    """What goes wrong with which requests.

    Attributes:
        method: an HTTP method, or `*` for any.
        path: a regular expression that is searched for in the decoded path.
        action: what goes wrong; `actions` has the ones there are.
        when: before the application sees the request, or after it has done its work.
        times: how many requests it happens to.
        skip: how many requests that fit are let through first.
    """

    method: str
    path: str
    action: Action
    when: Literal["before", "after"] = "before"
    times: int = 1
    skip: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Return whether a request is meant, leaving aside how many there were."""
        return self.times > 0 and self.method in ("*", method) and re.search(self.path, path) is not None


@dataclass
class Faults:
    """All faults of a server that are still to happen, and the record of its requests. Safe to use from any thread.

    Attributes:
        requests: every request since the start or the last `forget`, in the order of their arrival.
    """

    requests: list[Exchange] = field(default_factory=list)
    _waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *faults: Fault) -> None:
        """Let faults happen from now on: one to a request, and of several that fit the one that was added first."""
        with self._lock:
            self._waiting.extend(faults)

    def clear(self) -> None:
        """Let no fault happen any more."""
        with self._lock:
            self._waiting.clear()

    def forget(self) -> None:
        """Start the record of requests again."""
        self.requests = []

    def seen(self, method: str, path: str) -> list[Exchange]:
        """List the recorded requests of a method (`*` for any) whose path a regular expression is found in."""
        return [each for each in self.requests if method in ("*", each.method) and re.search(path, each.path)]

    def due(self, method: str, path: str) -> Fault | None:
        """Take the fault that happens to a request, if any, and count the request."""
        with self._lock:
            for fault in self._waiting:
                if not fault.fits(method, path):
                    continue
                if fault.skip == 0:
                    fault.times -= 1
                    return fault
                fault.skip -= 1
            return None


class FaultMiddleware:
    """Stands before an ASGI application, records its requests and lets faults happen to them."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, faults included."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange.begin(scope)
        self._faults.requests.append(exchange)
        receive, send = _recording(exchange, receive, send)
        fault = self._faults.due(exchange.method, exchange.path)
        try:
            if fault is None:
                await self._app(scope, receive, send)
                return
            action = after(fault.action) if fault.when == "after" else fault.action
            await action(self._app, scope, receive, send)
        finally:
            exchange.ended_at = exchange.ended_at or time.monotonic()


def _recording(exchange: Exchange, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Give two ends of a connection that record what passes, before it does: who has an answer finds it recorded."""
    digest = sha256()

    async def receiving() -> Message:
        """Receive a message, and count the bytes of its body."""
        message = await receive()
        exchange.received += len(message.get("body", b""))
        digest.update(message.get("body", b""))
        exchange.digest = digest.hexdigest()
        return message

    async def sending(message: Message) -> None:
        """Record status and bytes of a message, and send it."""
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
        exchange.sent += len(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            exchange.ended_at = time.monotonic()
        await send(message)

    return receiving, sending
