"""Which rows of a day the Hub already holds at a revision, and where: the viewer's answer, brought up to date.

Sits between the assets and `hub` and `viewer`, and joins the two; what identity means is in `core.dedup`.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core import dedup
from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.core.days import Day
from govbr_assets.core.layout import shard_path
from govbr_assets.hub import Hub, HubFile, Snapshot, file_rows
from govbr_assets.viewer import Viewer


@dataclass(frozen=True)
class Existing:
    """What the Hub holds of a day at one revision.

    Attributes:
        table: [n matches x 3] of `dedup.EXISTING_SCHEMA`.
        snapshot: the revision.
        requests: requests to the viewer.
        seconds: wall time of these requests.
    """

    table: pa.Table
    snapshot: Snapshot
    requests: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class ExistingIds:
    """Finds the rows of a day on the Hub.

    Attributes:
        hub: the repo.
        viewer: its viewer.
    """

    hub: Hub
    viewer: Viewer

    def find(self, rows: pa.Table, day: Day, snapshot: Snapshot) -> Existing:
        """Ask which rows of a day the Hub holds at a revision.

        Args:
            rows: [n rows x 25], the Postgres day.
            day: the day.
            snapshot: the revision; only a tree without data files means that there are no ids.

        Raises:
            ViewerUncertainError: the viewer cannot vouch for its answer at this revision.
        """
        if snapshot.revision is None or not snapshot.data_files:
            return Existing(dedup.existing(rows, [], []), snapshot)
        answer = self.viewer.ids_of(day, snapshot.revision)
        own = self._own_ids(day, snapshot)
        # The viewer cannot say which file a row is in, so what our own shard holds is taken away once.
        elsewhere = dedup.less(answer.ids, own)
        return Existing(dedup.existing(rows, elsewhere, own), snapshot, answer.requests, answer.seconds)

    def carry(self, rows: pa.Table, day: Day, known: Existing, snapshot: Snapshot) -> Existing:
        """Bring an answer from another revision up to date, reading only the files that came since.

        A file that went may have held ids of the answer: then everything is asked again.
        """
        before = {file.path: file for file in known.snapshot.files_for(day)}
        after = {file.path: file for file in snapshot.files_for(day)}
        own = shard_path(day)
        if any(_changed(file, after) for path, file in before.items() if path != own):
            return self.find(rows, day, snapshot)
        came = [file for path, file in after.items() if path != own and _changed(file, before)]
        elsewhere = known.table.filter(pc.invert(known.table["in_own_shard"]))["hub_unique_id"].to_pylist()
        for file in came:
            elsewhere += file_rows(self.hub, snapshot, file, ["unique_id"], day)["unique_id"].to_pylist()
        found = dedup.existing(rows, elsewhere, self._own_ids(day, snapshot))
        return Existing(found, snapshot, known.requests, known.seconds)

    def own_shard(self, day: Day, snapshot: Snapshot) -> pa.Table:
        """Read the day's own shard: [n rows x 24], empty when there is none."""
        file = snapshot.files.get(shard_path(day))
        return file_rows(self.hub, snapshot, file) if file else NEWS_SCHEMA.empty_table()

    def _own_ids(self, day: Day, snapshot: Snapshot) -> list[str]:
        """Read the ids of the day's own shard."""
        file = snapshot.files.get(shard_path(day))
        return file_rows(self.hub, snapshot, file, ["unique_id"], day)["unique_id"].to_pylist() if file else []


def _changed(file: HubFile, others: dict[str, HubFile]) -> bool:
    """Say whether a file is not among the others with the same content."""
    other = others.get(file.path)
    return other is None or other.blob != file.blob
