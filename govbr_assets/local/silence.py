"""A network that goes silent: a TCP proxy in front of PostgreSQL's socket, which swallows every packet from a byte on.

A proxy that merely stops copying would not do: its kernel goes on acknowledging, and who waits beyond it could think
of an answer that is only late. Here the kernel is told to drop whatever arrives. Linux only.
"""

import ctypes
import socket
import struct
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from threading import Thread

_SO_ATTACH_FILTER, _SIOCOUTQ = 26, 0x5411
_KEEP_NOTHING = struct.pack("HBBI", 6, 0, 0, 0)  # a packet filter of one instruction


class SilentNetwork:
    """The way from a port of this machine to a server.

    Args:
        server: the server's Unix socket.
        after: bytes that the server may send through one connection before all goes silent; None for never.

    Attributes:
        port: of 127.0.0.1.
        silent: whether it is.
    """

    def __init__(self, server: Path, after: int | None) -> None:
        self._server, self._after = server, after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        self.silent = False

    def serve(self) -> None:
        """Take connections until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self._open += [client, server]
                server.connect(str(self._server))
                Thread(target=self._carry, args=(client, server, None), daemon=True).start()
                Thread(target=self._carry, args=(server, client, self._after), daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _carry(self, source: socket.socket, target: socket.socket, left: int | None) -> None:
        with suppress(OSError):  # one of the two has ended, and so does the other
            while data := source.recv(4096):
                if left is not None and (left := left - len(data)) < 0:
                    self._go_silent(target)
                    return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _go_silent(self, client: socket.socket) -> None:
        while ioctl(client, _SIOCOUTQ, unsent := array("i", [0])) or unsent[0]:
            time.sleep(0.001)  # what was sent has to be acknowledged, or it would be sent again and again
        _swallow(client)
        _swallow(self._listener)  # new connections get no answer either
        self.silent = True


def is_available() -> bool:
    """Return whether the kernel drops packets for this user: some allow it to root only."""
    with suppress(OSError), socket.socket() as own:
        _swallow(own)
        return True
    return False


@contextmanager
def silent_network(server: Path, after: int | None = None) -> Iterator[SilentNetwork]:
    """Run a proxy to a server's Unix socket."""
    network = SilentNetwork(server, after)
    Thread(target=network.serve, daemon=True).start()
    try:
        yield network
    finally:
        network.close()


def _swallow(listening: socket.socket) -> None:
    """Let the kernel drop every packet that comes for a socket."""
    code = ctypes.create_string_buffer(_KEEP_NOTHING)
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(code)))
