"""What days have, one after another: by one query as long as it goes well, and around what PostgreSQL fails at.

How a query is written and its answer cut into days is `news`' business.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from govbr_assets.core.days import Day
from govbr_assets.errors import SourceError, SourceRowsError

T = TypeVar("T")


class Reading(Generic[T]):
    """Days that are to be taken, each whole.

    A query of many days that fails at some rows may fail before its first row, and does not tell the day. So the days
    are asked for one by one then, and for twice as many with every query that goes well.

    Args:
        days: in order, also with gaps.
        ask: streams some of them.
    """

    def __init__(self, days: Sequence[Day], ask: Callable[[Sequence[Day]], Iterator[tuple[Day, T]]]) -> None:
        self._days, self._ask = list(days), ask
        self._stretch = len(self._days)  # days of the next query
        self._asked = 0  # days of the last one
        self._stream: Iterator[tuple[Day, T]] = iter(())
        self._refusal = ""  # why no day can be had

    def take(self, day: Day) -> T:
        """Give what a day has: at no cost if the query under way has it ahead, else by another query.

        Raises:
            SourceUnavailableError: PostgreSQL is away, or went away in the middle.
            SourceError: PostgreSQL refuses every day, and is not asked again.
            SourceRowsError: PostgreSQL fails at this day; others can be taken all the same.
        """
        if self._refusal:
            raise SourceError(self._refusal)
        while True:
            try:
                return self._next(day)
            except SourceRowsError:
                self._stretch = 1
                if self._asked == 1:
                    raise
            except SourceError as error:
                self._refusal = str(error)
                raise

    def _next(self, day: Day) -> T:
        """Go on to a day."""
        for each, found in self._stream:
            if each == day:
                return found
        at = self._days.index(day) if day in self._days else None
        ahead = [day] if at is None else self._days[at : at + self._stretch]
        self._asked, self._stretch = len(ahead), self._stretch * 2
        self._stream = self._ask(ahead)
        return next(self._stream)[1]
