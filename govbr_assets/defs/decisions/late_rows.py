"""Late rows: closed days that have rows created or changed since the last look are published again."""

from dataclasses import dataclass
from datetime import UTC, datetime

from dagster import DagsterInstance, RunRequest

from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import LateRows
from govbr_assets.defs.decisions.requests import blocked, request
from govbr_assets.defs.metadata.reconciliation import last_reconciliation
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.resources import HubResource
from govbr_assets.postgres.news import NewsTable


def waits_for_compaction(instance: DagsterInstance, repo_id: str) -> str:
    """Say that late rows wait, since no day can be published before a compaction; empty if they do not."""
    files = last_reconciliation(instance, repo_id).uncompacted_files
    return f"{files} files on the Hub are to be compacted first; what comes meanwhile is not lost." if files else ""


def look_for_late_rows(state: LateRows, news: NewsTable) -> LateRows:
    """Read what has changed since the last look; the first look goes a day back.

    Today's rows are left to the schedule that publishes the day.

    Raises:
        SourceUnavailableError, SourceError: PostgreSQL cannot be read.
    """
    return state.with_changes(news.changed_since(state.mark, Day(FIRST_DAY), Day.at(datetime.now(UTC))))


@dataclass(frozen=True)
class LateDaysDecision:
    """Which of the days that wait are published next.

    Attributes:
        requests: the runs.
        state: without their days.
        blocked: why days wait that would be requested; empty if none do.
    """

    requests: list[RunRequest]
    state: LateRows
    blocked: str = ""


def next_late_days(state: LateRows, hub: HubResource, runs: int, by: str) -> LateDaysDecision:
    """Request the oldest of the days that wait.

    Args:
        state: after the last look.
        hub: the repo.
        runs: at most.
        by: who asks.
    """
    wanted, later = state.next_ranges(runs)
    if wanted and (reason := blocked(hub)):
        return LateDaysDecision([], state, reason)
    return LateDaysDecision([request("daily_sync", key, by, span) for span, key in wanted], later)
