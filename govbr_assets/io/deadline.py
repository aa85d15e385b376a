"""Work with a deadline: whoever waits is free again in time, whatever the work waits for.

Sockets have time-outs of their own, but a name server, a handshake, a server that sends a byte a minute, or a network
that swallows packets can outlast all of them together. The work goes on in a thread of its own, which nobody waits for
any more and which does not keep the process from ending.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadline(Generic[T]):
    """Runs one piece of work at a time, each within some seconds.

    Args:
        seconds: how long a caller waits at most.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._late: threading.Thread | None = None

    def run(self, work: Callable[[], T]) -> T:
        """Do the work, and give its result or raise its error.

        Raises:
            TimeoutError: it is not over in time; or an earlier one still is not, and then this one is not begun.
        """
        if self._late and self._late.is_alive():
            raise TimeoutError
        done: list[T] = []
        failed: list[BaseException] = []

        def body() -> None:
            try:
                done.append(work())
            except BaseException as error:  # it is the caller's, and raised there
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
