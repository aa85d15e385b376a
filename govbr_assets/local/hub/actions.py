"""What can go wrong with a request: each action is an ASGI application around another one.

When and to which request it happens is said by a fault in `faults`. An action calls the application inside it: late,
never, or with something changed. After the work was done, what is inside is no more than the answer, held back.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from govbr_assets.local.hub.server import drop

Action = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


def answer(status: int, error: str = "Broken on purpose", headers: Mapping[str, str] | None = None) -> Action:
    """Answer something else.

    Args:
        status: the HTTP status.
        error: the text under `error` in the JSON body, where the Hub and the viewer have theirs.
        headers: more headers, such as `Retry-After` or `X-Error-Code`.
    """

    async def act(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the whole request, then answer it without the application."""
        while (await receive()).get("more_body", False):  # a sender listens only when it has sent everything
            pass
        await JSONResponse({"error": error}, status, headers)(scope, receive, send)

    return act


def say(
    content: bytes,
    media_type: str = "application/json",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Action:
    """Answer any bytes, as whatever stands between a client and a server may: a portal's page, another service's JSON.

    Args:
        content: the body.
        media_type: what it is said to be.
        status: the HTTP status.
        headers: more headers.
    """

    async def act(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the whole request, then answer it without the application."""
        while (await receive()).get("more_body", False):
            pass
        await Response(content, status, headers, media_type)(scope, receive, send)

    return act


def cut(after_bytes: int | None = None) -> Action:
    """Drop the connection.

    Args:
        after_bytes: bytes of the answer's body that get through; None for not even its status.
    """

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Drop the connection at once, or have the application answer until enough bytes are sent."""
        if after_bytes is None:
            await drop(scope, receive)
            return
        left = after_bytes

        async def sending(message: Message) -> None:
            """Send what still gets through, then drop the connection."""
            nonlocal left
            body = message.get("body", b"")
            if left < 0:
                return
            if len(body) <= left:
                left -= len(body)
                await send(message)
                return
            await send({**message, "body": body[:left], "more_body": True})
            await asyncio.sleep(0.05)  # what was sent shall arrive: an abort throws away what is still in the buffer
            left = -1
            await drop(scope, receive)

        await app(scope, receive, sending)

    return act


def wait(seconds: float) -> Action:
    """Be slow."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application some seconds later."""
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return act


def call(function: Callable[[], object]) -> Action:
    """Do something else first: slip in a second writer's commit, kill a process, look around.

    Args:
        function: runs in a thread of the server's, and may send requests to that server.
    """

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the function, then the application."""
        await run_in_threadpool(function)
        await app(scope, receive, send)

    return act


def detour(path: str) -> Action:
    """Answer what another path would.

    Args:
        path: decoded, without a query; it must take the same method.
    """

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with the other path."""
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return act


def rewrite_answer(function: Callable[[Any], Any]) -> Action:
    """Let the work be done, and answer something else than what came of it.

    Args:
        function: makes another JSON value of the one that would have been answered.
    """

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and send another JSON value in place of its answer."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await app(scope, receive, hold)
        body = b"".join(message.get("body", b"") for message in held)
        await JSONResponse(function(json.loads(body)), held[0]["status"])(scope, receive, send)

    return act


def rewrite_request(function: Callable[[bytes], bytes]) -> Action:
    """Do something else than what was asked for, and answer that.

    Args:
        function: makes another body of the one that was sent.
    """

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the whole request, and call the application with another body."""
        pieces, more = [], True
        while more:
            message = await receive()
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = function(b"".join(pieces))
        await app(scope, _read_already(receive, body), send)

    return act


def after(action: Action) -> Action:
    """Let the work be done before an action, which then has only the answer inside it, held back."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, then the action with the answer held back."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        async def done(_scope: Scope, _receive: Receive, send: Send) -> None:
            for message in held:
                await send(message)

        await app(scope, receive, hold)
        await action(done, scope, _read_already(receive), send)

    return act


def _read_already(receive: Receive, body: bytes = b"") -> Receive:
    """Return the receiving end of a request whose body was taken: another one in its place, then what else may come."""
    ended = False

    async def receiving() -> Message:
        """Return the body once, then what the connection brings."""
        nonlocal ended
        if ended:
            return await receive()
        ended = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
