"""Ticks that end in time, whatever they wait for.

Dagster stops waiting for a tick after a minute, but its thread in the code server, one of a few, goes on waiting: some
such ticks, and no sensor can tick any more. So the body of a tick has a thread of its own.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from govbr_assets.errors import TickTimeoutError
from govbr_assets.io.deadline import Deadline

P = ParamSpec("P")
R = TypeVar("R")


def in_time(seconds: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate the body of a sensor: a tick lasts some seconds at most, and is not begun while an earlier one waits.

    Args:
        seconds: less than the minute after which Dagster gives a tick up.
    """

    def decorate(body: Callable[P, R]) -> Callable[P, R]:
        """Run the body in a thread of its own, until its deadline."""
        deadline: Deadline[R] = Deadline(seconds)

        @wraps(body)
        def tick(*args: P.args, **kwargs: P.kwargs) -> R:
            """Evaluate the body in time."""
            try:
                return deadline.run(lambda: body(*args, **kwargs))
            except TimeoutError:
                raise TickTimeoutError(
                    f"{body.__name__} got no answer within {seconds:g} s: look at the network, and at the servers of"
                    " GOVBR_POSTGRES_URL, GOVBR_STORAGE_URL and GOVBR_ALERT_URL."
                ) from None

        return tick

    return decorate
