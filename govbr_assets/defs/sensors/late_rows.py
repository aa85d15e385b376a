"""`late_news_sensor`: rows that came or changed after their day was published."""

from datetime import UTC, datetime
from hashlib import blake2b

from dagster import SensorEvaluationContext, SensorResult, SkipReason

from govbr_assets.alerts.message import Alert
from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import LateRows
from govbr_assets.defs.metadata.reconciliation import last_reconciliation
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.resources import AlertResource, HubResource, PostgresResource
from govbr_assets.defs.sensors.run_requests import MAX_CONCURRENT_RUNS, active_runs, blocked, request

_NAME = "late_news_sensor"


def late_news_sensor(
    context: SensorEvaluationContext, postgres: PostgresResource, alerts: AlertResource, hub: HubResource
) -> SensorResult | SkipReason:
    """Publishes closed days again that have rows created or updated in PostgreSQL since the last tick.

    The first tick looks a day back: what is older, the reconciliation finds. After a week without ticks the mark is a
    week old, and so is what the next tick finds. Today's rows are left to the schedule that publishes the day.
    Until new columns are in the files, days are rejected: then they wait for the migration.
    A source that does not show all of its changes is reported in every tick, and by one alert.
    """
    last = last_reconciliation(context.instance)
    if last.repo == hub.dataset().client.repo_id and (files := last.uncompacted_files):
        return SkipReason(f"{files} files on the Hub are to be compacted first; what comes meanwhile is not lost.")
    today = Day.at(datetime.now(UTC))
    before = LateRows.of(context.cursor)
    news = before.with_changes(postgres.client().changed_since(before.mark, Day(FIRST_DAY), today))
    busy = active_runs(context.instance, _NAME)
    wanted, later = news.next_ranges(MAX_CONCURRENT_RUNS - busy)
    reason = blocked(hub, alerts) if wanted else ""
    wanted, news = ([], news) if reason else (wanted, later)
    if news.note and news.note != before.note and (outbox := alerts.client()):
        key = f"late-news-{blake2b(news.note.encode(), digest_size=6).hexdigest()}"
        outbox.enqueue(Alert(key, "Not all late news can be seen as it comes.", "daily_sync", error=news.note))
    none = "No change of a closed day is seen." if news.note else "No closed day has changed."
    why = f"{len(news.waiting)} days wait for {busy} runs under way." if news.waiting else none
    return SensorResult(
        run_requests=[request("daily_sync", key, _NAME, span) for span, key in wanted],
        skip_reason=None if wanted else f"{reason or why} {news.note}".strip(),
        cursor=news.cursor(),
    )
