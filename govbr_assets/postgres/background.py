"""Iterating in a thread of its own: a wait inside the driver hears no signal and knows no end.

The driver's objects live and end in that thread. Whoever takes the items waits where Python does, so SIGTERM is heard
at once and a wait can be given up; the thread is then left behind, and does not keep the process from ending.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SilenceError(Exception):
    """Nothing came in time."""


class _Worker(Generic[T]):
    """Takes the items of a stream in a thread, one for each that is asked for."""

    def __init__(self, stream: Callable[[], Generator[T, Any, Any]]) -> None:
        self._stream = stream
        self._wanted = SimpleQueue[bool]()
        self._items = SimpleQueue[tuple[T] | BaseException | None]()
        Thread(target=self._work, daemon=True, name="postgres").start()

    def next(self, seconds: float) -> tuple[T] | None:
        """Give the next item in a tuple, or nothing after the last."""
        self._wanted.put(True)
        item = self._items.get(timeout=seconds)
        if isinstance(item, BaseException):
            raise item
        return item

    def leave(self) -> None:
        """Let the thread close the stream as soon as what it waits for is over."""
        self._wanted.put(False)

    def _work(self) -> None:
        try:
            with closing(self._stream()) as stream:
                while self._wanted.get():
                    self._items.put(next(zip(stream, strict=False), None))
        except BaseException as error:  # whoever waits raises it
            self._items.put(error)


def in_background(
    stream: Callable[[], Generator[T, Any, Any]], *, silence: float, within: float | None = None
) -> Iterator[T]:
    """Iterate a stream, all of which happens in another thread, without reading ahead.

    Args:
        stream: makes the iterator.
        silence: seconds that one item may take.
        within: seconds that all of them may take together.

    Raises:
        SilenceError: the time is over.
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
        worker.leave()
