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


def lapse(
    asset: str, materialized_at: datetime | None, watched_since: datetime, now: datetime, within: timedelta
) -> Alert | None:
    """Tell whether nothing was published for too long.

    Args:
        asset: its name.
        materialized_at: when it was last, aware; None if it never was.
        watched_since: since when there is somebody to tell, aware: what was never made is late from then on.
        now: aware.
        within: how often it has to be.

    Returns:
        The alert, with the same key all through one lapse.
    """
    last = materialized_at or watched_since
    if now - last < within:
        return None
    days = within / timedelta(days=1)
    since = f"since {last:%Y-%m-%d %H:%M} UTC" if materialized_at else "ever"
    title = f"{asset} was not published {since}, and should be every {days:g} days: look at its runs and schedules."
    return Alert(f"lapse-{asset}-{last:%Y%m%dT%H%M%S}", title, asset)
