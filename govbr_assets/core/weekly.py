"""A time of the week: Mondays, as the weeks of the one time zone begin."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from govbr_assets.core.days import TIME_ZONE


@dataclass(frozen=True)
class WeeklyTime:
    """A time of day on Mondays in America/Sao_Paulo.

    Attributes:
        hour: 0 to 23.
        minute: 0 to 59.
    """

    hour: int
    minute: int = 0

    @property
    def cron(self) -> str:
        """The time as a line of cron, such as `30 6 * * 1`."""
        return f"{self.minute} {self.hour} * * 1"

    def latest(self, now: datetime) -> datetime:
        """Return the last such time that is not after an instant, both aware."""
        local = now.astimezone(ZoneInfo(TIME_ZONE))
        monday = local.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        monday -= timedelta(days=local.weekday())
        return monday if monday <= local else monday - timedelta(days=7)
