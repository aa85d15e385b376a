"""Whether the newest day that should be on the Hub is there: one rule for the UI's check and for the alert.

Dagster's freshness policies look at the last materialization of any day, which a backfill or a repair of an old day
renews every time, and which says nothing of a Sunday without news. A day should be there if it ended a day ago or more,
after the first publication from here, and PostgreSQL has had rows of it for a day. It is there if it was published
when it had rows.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from govbr_assets.core.days import Day
from govbr_assets.partitions import FIRST_DAY
from govbr_assets.postgres import PostgresNews

_SHARD = AssetKey("hf_parquet_shard")
_LATE = timedelta(days=1)


@dataclass(frozen=True)
class NewestDay:
    """The newest day that should be on the Hub.

    Attributes:
        day: None if none should, for all that is known.
        published: it is there.
    """

    day: date | None = None
    published: bool = True

    def __str__(self) -> str:
        if self.day is None:
            return "No day should be on the Hub by now, or none was ever published from here."
        if self.published:
            return f"{self.day} is published."
        return f"{self.day} is not published, though PostgreSQL has had its rows for a day."


def newest_day(instance: DagsterInstance, postgres: PostgresNews, now: datetime) -> NewestDay:
    """Find the newest day that should be there. PostgreSQL is asked only if Dagster's records leave it open.

    Args:
        instance: Dagster's.
        postgres: has the news.
        now: aware.

    Raises:
        SourceUnavailableError, SourceError: PostgreSQL does not answer.
    """
    first = instance.fetch_materializations(_SHARD, limit=1, ascending=True).records
    if not first:
        return NewestDay()
    due = Day(Day.at(now - _LATE).date - timedelta(days=1))
    if _is_published(instance, due.date):
        return NewestDay(due.date)
    wanted = postgres.newest_day(due, now - _LATE)
    began = datetime.fromtimestamp(first[0].timestamp, UTC)
    if wanted is None or wanted < FIRST_DAY or Day(wanted).end <= began:
        return NewestDay()
    return NewestDay(wanted, _is_published(instance, wanted))


def _is_published(instance: DagsterInstance, day: date) -> bool:
    """Say whether a day was published when it had rows."""
    wanted = AssetRecordsFilter(_SHARD, asset_partitions=[day.isoformat()])
    for record in instance.fetch_materializations(wanted, limit=1).records:
        if event := record.asset_materialization:
            rows = event.metadata.get("postgres_rows")
            return rows is None or bool(rows.value)  # without: reported by hand
    return False
