"""What an alert says, and when there is one for a lapse. Who sends it is `alerts`' business."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from govbr_assets.redact import redact

_ERROR_CHARACTERS = 1_000


@dataclass(frozen=True)
class Alert:
    """One alert, which is sent once.

    Attributes:
        key: what it is about, as a file name; of two alerts with one key the second is not sent.
        title: one sentence.
        asset: the asset, or the job if no asset is to blame.
        partition: the day or days; empty if it is about none.
        error: the error's own words.
        run_id: the run; empty if it is about none.
        link: to the run.
    """

    key: str
    title: str
    asset: str
    partition: str = ""
    error: str = ""
    run_id: str = ""
    link: str = ""

    def message(self) -> bytes:
        """Write it as JSON, with the `text` that Slack and its like show, and without a secret."""
        error = redact(self.error)
        error = error if len(error) <= _ERROR_CHARACTERS else f"{error[:_ERROR_CHARACTERS]} ..."
        lines = [redact(self.title), error, self.link]
        told = {"asset": self.asset, "partition": self.partition, "error": error, "run_id": self.run_id}
        return json.dumps({"text": "\n".join(filter(None, lines)), **told, "link": self.link}).encode()


def overdue_alert(asset: str, materialized_at: datetime, now: datetime, within: timedelta) -> Alert | None:
    """Tell whether an asset without days was not made for too long.

    Args:
        asset: its name.
        materialized_at: when it was last, aware.
        now: aware.
        within: how often it has to be.

    Returns:
        The alert, with the same key all through one lapse.
    """
    if now - materialized_at < within:
        return None
    days, since = within / timedelta(days=1), f"{materialized_at:%Y-%m-%d %H:%M} UTC"
    title = f"{asset} was not made since {since}, and should be every {days:g} days: look at its runs and schedules."
    return Alert(f"lapse-{asset}-{materialized_at:%Y%m%dT%H%M%S}", title, asset)


def day_missing(asset: str, day: str) -> Alert:
    """Tell that the newest day that should be on the Hub is not.

    Args:
        asset: its name.
        day: the first such day since one was there: it is the key all through one lapse.
    """
    title = (
        f"{asset} of {day} is not published, though PostgreSQL has had its rows for a day: look at the runs and"
        " schedules of daily_sync."
    )
    return Alert(f"lapse-{asset}-{day}", title, asset, day)
