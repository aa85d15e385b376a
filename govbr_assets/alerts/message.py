"""The contents of alerts, and the alerts for datasets that are out of date. Delivery belongs to `outbox`."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from govbr_assets.redact import redact

_MAX_ERROR_CHARACTERS = 1_000


@dataclass(frozen=True)
class Alert:
    """An alert, which is sent once.

    Attributes:
        key: identifies the event, as a file name; a second alert with the same key is not sent.
        title: one sentence.
        asset: the asset, or the job if no single asset failed.
        partition: the day or days; empty if there is none.
        error: the error message.
        run_id: the run; empty if there is none.
        link: URL of the run.
    """

    key: str
    title: str
    asset: str
    partition: str = ""
    error: str = ""
    run_id: str = ""
    link: str = ""

    def message(self) -> bytes:
        """Return the alert as JSON, with the `text` that Slack and similar services show, and without secrets."""
        error = redact(self.error)
        error = error if len(error) <= _MAX_ERROR_CHARACTERS else f"{error[:_MAX_ERROR_CHARACTERS]} ..."
        lines = [redact(self.title), error, self.link]
        fields = {"asset": self.asset, "partition": self.partition, "error": error, "run_id": self.run_id}
        return json.dumps({"text": "\n".join(filter(None, lines)), **fields, "link": self.link}).encode()


def overdue_alert(asset: str, materialized_at: datetime, now: datetime, within: timedelta) -> Alert | None:
    """Return the alert for an unpartitioned asset that is overdue.

    Args:
        asset: its name.
        materialized_at: its last materialization, aware.
        now: aware.
        within: maximum age of that materialization.

    Returns:
        The alert, with the same key until the asset is materialized again; None if it is not overdue.
    """
    if now - materialized_at < within:
        return None
    days, since = within / timedelta(days=1), f"{materialized_at:%Y-%m-%d %H:%M} UTC"
    title = f"{asset} was not made since {since}, and should be every {days:g} days: look at its runs and schedules."
    return Alert(f"lapse-{asset}-{materialized_at:%Y%m%dT%H%M%S}", title, asset)


def day_missing(asset: str, day: str) -> Alert:
    """Return the alert for a day that should be on the Hub and is not.

    Args:
        asset: its name.
        day: the first day that is missing, which keeps the key the same until a newer day is published.
    """
    title = (
        f"{asset} of {day} is not published, though PostgreSQL has had its rows for a day: look at the runs and"
        " schedules of daily_sync."
    )
    return Alert(f"lapse-{asset}-{day}", title, asset, day)
