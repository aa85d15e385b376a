"""Sample news: rows for the table `news` that look like the real ones, as many as wanted.

How many rows, for which days and in which batches belongs here; what stands in a row does not (`news_row`), and
neither does PostgreSQL (`load`).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from random import Random

import pyarrow as pa

from govbr_assets.local.news_calendar import arrival_time, end_of, publication_times, rows_of_days
from govbr_assets.local.news_row import IDS, NEWS_ROW_SCHEMA, make_row

_LATE = IDS // 2
"""Row numbers from here on are for late news, so that no id of theirs is one of the sample's."""


def sample_news(
    rows: int, first_day: date, last_day: date, seed: int = 0, batch_rows: int = 10_000
) -> Iterator[pa.RecordBatch]:
    """Make news for a range of days, oldest first.

    Days get their share by weekday, and by year if the range is that long. What a row says depends on the seed and on
    its place in the run alone, and so does its id: to add to an earlier run, take another seed.

    Args:
        rows: how many in all.
        first_day: calendar day in `America/Sao_Paulo`.
        last_day: likewise, included.
        seed: same arguments, same bytes.
        batch_rows: rows held in memory at a time, some 4 kB each.

    Returns:
        Batches of [up to `batch_rows` rows x 23] with `NEWS_ROW_SCHEMA`, sorted by `published_at`.

    Raises:
        ValueError: a range without a day, or more rows than ids.
    """
    if last_day < first_day:
        raise ValueError(f"There is no day from {first_day} to {last_day}.")
    if rows > _LATE:
        raise ValueError(f"There are ids for {_LATE} rows, not for {rows}.")
    made = _rows(rows, first_day, last_day, seed)
    return (_encoded(islice(made, batch_rows)) for _ in range(0, rows, batch_rows))


def late_news(day: date, rows: int, seed: int = 0, arrived_at: datetime | None = None) -> pa.RecordBatch:
    """Make news of one day that arrives only now.

    Args:
        day: calendar day in `America/Sao_Paulo`.
        rows: how many; none has an id that `sample_news` makes, whatever its seed.
        seed: another one makes other rows for the same day.
        arrived_at: when they arrive, aware; by default at the moment of the call.

    Returns:
        [n rows x 23] with `NEWS_ROW_SCHEMA`, sorted by `published_at`.
    """
    arrived_at = arrived_at or datetime.now(UTC)
    first = int.from_bytes(blake2b(f"{seed}/{day}".encode(), digest_size=4).digest(), "big")
    made = []
    for place, published_at in enumerate(publication_times(day, rows, seed)):
        number = _LATE + (first + place) % _LATE
        made.append(make_row(Random(f"{seed}/{number}"), number, published_at, arrived_at))
    return pa.RecordBatch.from_pylist(made, schema=NEWS_ROW_SCHEMA)


def _rows(rows: int, first_day: date, last_day: date, seed: int) -> Iterator[dict[str, object]]:
    latest = end_of(last_day) + timedelta(days=7)  # the sample is the table as it stands a week later
    number = 0
    for day, count in rows_of_days(rows, first_day, last_day):
        for published_at in publication_times(day, count, seed):
            rng = Random(f"{seed}/{number}")
            yield make_row(rng, number, published_at, arrival_time(rng, published_at, latest))
            number += 1


def _encoded(rows: Iterator[dict[str, object]]) -> pa.RecordBatch:
    """Turn rows into Arrow, a few at a time: as Python objects they take twice the room and are slow to collect."""
    parts = iter(lambda: list(islice(rows, 500)), [])
    return pa.concat_batches([pa.RecordBatch.from_pylist(part, schema=NEWS_ROW_SCHEMA) for part in parts])
