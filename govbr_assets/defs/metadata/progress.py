"""How far a run over days is, for its log and for the plan of a dry run."""

import time
from collections import Counter
from dataclasses import dataclass, field

from govbr_assets.core.counting import count
from govbr_assets.core.row_changes import Action
from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.operations.sync.batches import SyncBatch


@dataclass
class SyncProgress:
    """How far a run over days is, in numbers that add up as its commits land.

    Attributes:
        days: how many there are in all.
    """

    days: int
    _done: Counter[str] = field(default_factory=Counter)
    _began: float = field(default_factory=time.monotonic)

    def add(self, batch: SyncBatch) -> None:
        """Add the days of one commit."""
        changeset = batch.result.changeset
        self._done.update(
            days=len(batch.days) + len(batch.rejected),
            refused=len(batch.rejected),
            partly=sum(bool(day.blocked) for day in batch.days.values()),
            files=len(changeset.put),
            rows=sum(shard.changes.count(Action.ADD) for shard in batch.days.values()),
            bytes=changeset.size,
            deletions=len(changeset.delete),
            commits=int(not changeset.empty),
        )

    def __str__(self) -> str:
        done, minutes = self._done, (time.monotonic() - self._began) / 60
        pace = done["days"] / minutes if minutes else 0.0
        left = self.days - done["days"]
        ahead = f", about {count(max(1, round(left / pace)), 'minute')} left" if left and pace else ""
        partly = f", {done['partly']:,} in part" if done["partly"] else ""
        return (
            f"{done['days']:,} of {count(self.days, 'day')}, {done['refused']:,} rejected{partly},"
            f" {count(done['rows'], 'new row')}, {count(done['commits'], 'commit')};"
            f" {count(round(pace), 'day')} a minute{ahead}."
        )

    def to_metadata(self) -> Metadata:
        """Return what a dry run would have published: files, rows, bytes, deletions, commits."""
        wanted = ("files", "rows", "bytes", "deletions", "commits", "refused")
        return {"dry_run": True, **{name: self._done[name] for name in wanted}}
