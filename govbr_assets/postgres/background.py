"""Iteration in a background thread, because a wait inside the driver can be neither interrupted nor limited.

The driver's objects are created and closed in that thread. The consumer waits in Python, where SIGTERM is handled at
once and a wait can time out; the thread is then abandoned, and being a daemon it does not block the process's exit.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SilenceError(Exception):
    """No item arrived in time."""


class _Worker(Generic[T]):
    """Iterates over a stream in a thread, one item for each request."""

    def __init__(self, stream: Callable[[], Generator[T, Any, Any]]) -> None:
        self._stream = stream
        self._requests = SimpleQueue[bool]()
        self._items = SimpleQueue[tuple[T] | BaseException | None]()
        Thread(target=self._work, daemon=True, name="postgres").start()

    def next(self, seconds: float) -> tuple[T] | None:
        """Return the next item in a tuple, or None after the last one.

        Args:
            seconds: how long to wait for it.
        """
        self._requests.put(True)
        item = self._items.get(timeout=seconds)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """Make the thread close the stream, as soon as its current wait is over."""
        self._requests.put(False)

    def _work(self) -> None:
        try:
            with closing(self._stream()) as stream:
                while self._requests.get():
                    self._items.put(next(zip(stream, strict=False), None))
        except BaseException as error:  # whatever it is: raised in the consumer, which else would wait in vain
            self._items.put(error)


def in_background(
    stream: Callable[[], Generator[T, Any, Any]], *, silence: float, within: float | None = None
) -> Iterator[T]:
    """Iterate over a stream in a background thread, without reading ahead.

    Args:
        stream: returns the iterator; called in the thread.
        silence: seconds to wait for one item.
        within: seconds to wait for all items together; None for no limit.

    Raises:
        SilenceError: a limit has passed.
    """
    end = monotonic() + within if within is not None else float("inf")
    worker = _Worker(stream)
    try:
        while item := worker.next(max(0.0, min(silence, end - monotonic()))):
            yield item[0]
            del item
    except Empty:
        raise SilenceError from None
    finally:
        worker.close()
