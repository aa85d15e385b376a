"""What `alert_sensor` remembers from tick to tick."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from dagster import DagsterEventType, DagsterInstance


@dataclass
class AlertCursor:
    """State of the watch; it changes in the course of a tick.

    Attributes:
        failure: number of the last failed run that was looked at.
        since: when the watch began, as ISO 8601.
        failing: sensors and schedules that were reported to fail, and since which of their ticks.
        fresh: whether the newest day was there at the last look.
        missing: the first day that was not, since one was.
    """

    failure: int
    since: str
    failing: dict[str, int] = field(default_factory=dict)
    fresh: bool | None = None
    missing: str = ""

    @classmethod
    def of(cls, cursor: str | None, instance: DagsterInstance, now: datetime) -> "AlertCursor":
        """Read what `dump` has written; without it the watch begins now."""
        return cls(**json.loads(cursor)) if cursor else cls(last_failure(instance), now.isoformat())

    def restart(self, instance: DagsterInstance, now: datetime) -> None:
        """Begin the watch now: failures before are passed over."""
        self.failure, self.since = last_failure(instance), now.isoformat()

    @property
    def began_at(self) -> float:
        """When the watch began, in seconds since 1970."""
        return datetime.fromisoformat(self.since).timestamp()

    def dump(self) -> str:
        """Write it as a cursor."""
        return json.dumps(asdict(self))


def last_failure(instance: DagsterInstance) -> int:
    """Number the last failure of a run; 0 if there was none."""
    last = instance.fetch_run_status_changes(DagsterEventType.RUN_FAILURE, limit=1).records
    return last[0].storage_id if last else 0
