"""Calls with a deadline, whatever they wait for.

Sockets have timeouts, but name resolution, a handshake, a server that sends a byte a minute, or a network that drops
packets can exceed all of them. A call runs in a daemon thread, which is abandoned at the deadline and does not block
the process's exit.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadline(Generic[T]):
    """Runs one call at a time, each with a deadline.

    Args:
        seconds: time limit of a call.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._late: threading.Thread | None = None

    def run(self, work: Callable[[], T]) -> T:
        """Call a function and return its result or raise its error.

        Raises:
            TimeoutError: the call did not finish in time, or was not started because an earlier one is still running.
        """
        if self._late and self._late.is_alive():
            raise TimeoutError
        done: list[T] = []
        failed: list[BaseException] = []

        def body() -> None:
            """Call the function; keep its result or its error for the caller."""
            try:
                done.append(work())
            except BaseException as error:  # whatever it is: raised in the caller, or lost with a call that is too late
                failed.append(error)

        thread = threading.Thread(target=copy_context().run, args=(body,), name="deadline", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if failed:
            raise failed[0]
        if not done:
            self._late = thread
            raise TimeoutError
        return done[0]
