"""Work on many things in threads, some of them at once, their results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(function: Callable[[T], R], items: Iterable[T], at_once: int) -> Generator[R, None, None]:
    """Give the results of a function for items one after another, while the next ones are worked on.

    Args:
        function: called in threads.
        items: in their order; never more are taken than one over `at_once` ahead of the results.
        at_once: how many are worked on at the same time.
    """
    with ThreadPoolExecutor(at_once) as pool:
        coming: deque[Future[R]] = deque()
        try:
            for item in items:
                coming.append(pool.submit(function, item))
                if len(coming) > at_once:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for each in coming:
                each.cancel()
