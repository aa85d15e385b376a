"""Whether the newest day that should be on the Hub is there: one rule for the UI's check and for the alert.

Dagster's freshness policies look at the last materialization of any day, which a backfill or a repair of an old day
renews every time, and which says nothing of a Sunday without news. A day should be there if it ended a day ago or more,
after the first publication from here to this repo, and PostgreSQL has had rows of it for a day. It is there if it was
published when it had rows.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from govbr_assets.core.days import Day
from govbr_assets.defs.metadata.daily import DayRecord
from govbr_assets.defs.metadata.events import materializations
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.postgres.news import NewsTable

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


def newest_day(instance: DagsterInstance, postgres: NewsTable, repo_id: str, now: datetime) -> NewestDay:
    """Find the newest day that should be there. PostgreSQL is asked only if Dagster's events leave it open.

    Args:
        instance: Dagster's.
        postgres: has the news.
        repo_id: of the Hub.
        now: aware.

    Raises:
        SourceUnavailableError, SourceError: PostgreSQL does not answer.
    """
    due = Day(Day.at(now - _LATE).date - timedelta(days=1))
    if _is_published(instance, repo_id, due):
        return NewestDay(due.date)
    if not _had_begun(instance, repo_id, due):
        return NewestDay()
    wanted = postgres.newest_day(due, now - _LATE)
    if wanted is None or wanted < FIRST_DAY or not _had_begun(instance, repo_id, Day(wanted)):
        return NewestDay()
    return NewestDay(wanted, _is_published(instance, repo_id, Day(wanted)))


def _is_published(instance: DagsterInstance, repo_id: str, day: Day) -> bool:
    """Return whether a day was published when it had rows."""
    last = _last(instance, repo_id, AssetRecordsFilter(_SHARD, asset_partitions=[str(day)]))
    return last is not None and last.postgres_rows != 0


def _had_begun(instance: DagsterInstance, repo_id: str, day: Day) -> bool:
    """Return whether anything was published to this repo before a day was over."""
    return _last(instance, repo_id, AssetRecordsFilter(_SHARD, before_timestamp=day.end.timestamp())) is not None


def _last(instance: DagsterInstance, repo_id: str, wanted: AssetRecordsFilter) -> DayRecord | None:
    """Read the last of some publications that was to this repo, or was reported by hand."""
    records = (DayRecord.from_event(each.asset_materialization) for each in materializations(instance, wanted))
    return next((each for each in records if each.postgres_rows is None or each.repo == repo_id), None)
