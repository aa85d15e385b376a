"""`late_news_sensor`: rows that came or changed after their day was published."""

from hashlib import blake2b

from dagster import SensorEvaluationContext, SensorResult, SkipReason

from govbr_assets.alerts.message import Alert
from govbr_assets.core.late_rows import LateRows
from govbr_assets.defs.decisions.late_rows import look_for_late_rows, next_late_days, waits_for_compaction
from govbr_assets.defs.resources import AlertResource, HubResource, PostgresResource
from govbr_assets.defs.sensors.run_requests import MAX_CONCURRENT_RUNS, active_runs, alert_blocked

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
    if waits := waits_for_compaction(context.instance, hub.dataset().client.repo_id):
        return SkipReason(waits)
    before = LateRows.of(context.cursor)
    news = look_for_late_rows(before, postgres.client())
    busy = active_runs(context.instance, _NAME)
    decision = next_late_days(news, hub, MAX_CONCURRENT_RUNS - busy, _NAME)
    news = decision.state
    alert_blocked(decision.blocked, hub, alerts)
    if news.note and news.note != before.note and (outbox := alerts.client()):
        key = f"late-news-{blake2b(news.note.encode(), digest_size=6).hexdigest()}"
        outbox.enqueue(Alert(key, "Not all late news can be seen as it comes.", "daily_sync", error=news.note))
    none = "No change of a closed day is seen." if news.note else "No closed day has changed."
    why = f"{len(news.waiting)} days wait for {busy} runs under way." if news.waiting else none
    return SensorResult(
        run_requests=decision.requests,
        skip_reason=None if decision.requests else f"{decision.blocked or why} {news.note}".strip(),
        cursor=news.cursor(),
    )
