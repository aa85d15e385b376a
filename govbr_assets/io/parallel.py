"""An ordered parallel map over threads, and two calls at the same time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")


def map_ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Generator[R, None, None]:
    """Apply a function to items in threads, and yield the results in the order of the items.

    Args:
        function: called in the threads.
        items: consumed as results are taken, at most `workers` + 1 ahead.
        workers: number of threads; with less than two, nothing is called in a thread and nothing ahead.
    """
    if workers < 2:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[R]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def at_once(one: Callable[[], R], other: Callable[[], S]) -> tuple[R, S]:
    """Call two functions at the same time, the second one in a thread; if both fail, the error is that of the first."""
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(other)
        return one(), later.result()
