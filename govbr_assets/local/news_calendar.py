"""When the sample news happens: how many rows a day gets, at what time they are published, and when they arrive.

The rhythm of newsrooms and scrapers belongs here; what the news says does not (`news`). All instants are aware and in
UTC, all days are calendar days in `America/Sao_Paulo`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from random import Random
from zoneinfo import ZoneInfo

SAO_PAULO = ZoneInfo("America/Sao_Paulo")

HOURS_KNOWN_SINCE = date(2025, 11, 1)
"""Before this day the scrapers mostly knew the day of a row and not its hour, so they put it at local midnight."""

_WEEKDAYS = (0.18, 0.18, 0.19, 0.21, 0.2, 0.025, 0.015)
_GROWTH = 1.36
"""Rows of a year over those of the year before. At this rate 3 to 4% of the old rows are midnights of summer time,
which are 23:00 of the day before under the fixed offset of the published files, as measured there."""
_HOURS = tuple(accumulate((1, 1, 1, 1, 1, 1, 5, 30, 70, 100, 110, 100, 60, 60, 100, 100, 90, 80, 45, 20, 10, 7, 3, 2)))
_MEDIAN_DELAY = timedelta(days=1)
_SPREAD = 0.74
"""Sigma of a log-normal delay: 1% of the rows arrive more than 5.6 days after publication."""


def rows_of_days(rows: int, first_day: date, last_day: date) -> Iterator[tuple[date, int]]:
    """Share rows out over the days of a range, both ends included."""
    days = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
    weights = (_WEEKDAYS[day.weekday()] * _GROWTH ** ((day - first_day).days / 365.25) for day in days)
    cumulated = list(accumulate(weights))
    bounds = [0, *(round(rows * weight / cumulated[-1]) for weight in cumulated)]
    for day, (start, end) in zip(days, pairwise(bounds), strict=True):
        yield day, end - start


def publication_times(day: date, rows: int, seed: int) -> list[datetime]:
    """Draw the times at which the rows of a day were published, earliest first."""
    rng = Random(f"{seed}/{day}")
    hour_known = 0.95 if day >= HOURS_KNOWN_SINCE else 0.05
    return sorted(_at(day, _clock(rng) if rng.random() < hour_known else time()) for _ in range(rows))


def arrival_time(rng: Random, published_at: datetime, latest: datetime) -> datetime:
    """Draw when the scrapers brought a row in: mostly within days, a few rows years later, none after `latest`."""
    delay = _MEDIAN_DELAY * rng.lognormvariate(0, _SPREAD)
    if rng.random() < 0.003:
        delay = timedelta(days=rng.uniform(200, 3000))
    return min(published_at + delay, latest)


def end_of(day: date) -> datetime:
    """Return the first instant after a day."""
    return _at(day + timedelta(days=1), time())


def _clock(rng: Random) -> time:
    hour = rng.choices(range(24), cum_weights=_HOURS)[0]
    return time(hour, rng.randrange(60), rng.choice((0, 0, rng.randrange(60))))


def _at(day: date, clock: time) -> datetime:
    """Put a wall clock on an instant; an hour that a clock change skipped counts as the one after it."""
    return datetime.combine(day, clock, SAO_PAULO).astimezone(UTC)
