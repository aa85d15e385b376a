"""An ASGI application served on 127.0.0.1 by a thread of this process.

Knows nothing about what it serves: the Hub, its viewer and the tests' own applications use it alike.
"""

import asyncio
import socket
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
_PATIENCE = 5
"""Seconds to wait for a thread to start or end, which takes a fraction of one."""

_numbers = count(1)


@dataclass
class Connection:
    """A connection of a client, which the application finds in the state of its requests.

    Attributes:
        number: of it, of all servers of this process.
        used: whether a request came through it before.
    """

    number: int = field(default_factory=lambda: next(_numbers))
    used: bool = False


class LoopbackServer:
    """Serves an application, from `start` to `stop` or as a context manager.

    Args:
        app: what to serve.
        port: where; 0 for a free one, which is kept for the next `start`.
    """

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._app = app
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port; 0 if it was to be a free one and `start` has not looked for it yet."""
        return self._port

    @property
    def endpoint(self) -> str:
        """The address, without a slash at its end."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> Self:
        """Listen, and return when the first request would be answered.

        Raises:
            OSError: somebody else listens on the port.
        """
        if self._server is not None:
            return self
        listening = socket.create_server((HOST, self._port))
        self._port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http=_AbortableProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=60,  # as long as large services: at 5 s a busy client meets the end of its connection
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="loopback", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started:
            if time.monotonic() > deadline:
                raise OSError(f"The server on {self.endpoint} did not start in {_PATIENCE} seconds.")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Drop what is under way and stop listening; may be called twice."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(_PATIENCE)
        self._server = self._thread = None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:  # only `stop` cancels
            await drop(scope, receive)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


async def drop(scope: Scope, receive: Receive) -> None:
    """Cut the connection of a request, for an application that a `LoopbackServer` serves."""
    scope["state"]["abort"]()
    while (await receive())["type"] != "http.disconnect":
        pass


class _AbortableProtocol(H11Protocol):
    """Hands each request its connection, and the means to cut it, which ASGI lacks."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Send without delay on a new connection, and hand its requests the means to abort it."""
        super().connection_made(transport)
        # asyncio does so only for sockets it has made itself; without it many an answer takes 40 ms longer.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "abort": transport.abort, "connection": Connection()}

    def shutdown(self) -> None:
        """Cut the connection if a request is under way: from Python 3.12 on the server would wait for its end."""
        if self.cycle is None or self.cycle.response_complete:
            super().shutdown()
        else:
            self.transport.abort()
