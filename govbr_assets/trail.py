"""What moved on the Hub from the revisions that days were compared with to the one that is planned at.

What a run itself has published it knows, and reads nothing of it back; of what others committed only the files that
differ are read.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.dedup import Moves
from govbr_assets.hub import Hub, Snapshot, holding

_MOVED_SCHEMA = pa.schema(
    [("unique_id", pa.string()), ("path", pa.dictionary(pa.int32(), pa.string())), ("count", pa.int8())]
)
"""Ids that came into a file (1) or went out of it (-1)."""


class Trail:
    """The way from the revision that a run started at to the one that it has come to.

    Args:
        hub: the repo.
        start: the revision that the run started at.
    """

    def __init__(self, hub: Hub, start: Snapshot) -> None:
        self._hub, self._start, self._end = hub, start, start
        self._ours: list[pa.Table] = []  # of `_MOVED_SCHEMA`, by commit
        self._others: list[tuple[Snapshot, Snapshot]] = []  # what others did between two of ours

    def follow(self, planned_at: Snapshot, landed: Snapshot, shards: Mapping[str, tuple[list[str], list[str]]]) -> None:
        """Go on to a commit of ours.

        Args:
            planned_at: its parent.
            landed: what it made of it.
            shards: by path of each shard that it changed: the ids before and after.
        """
        if planned_at.revision != self._end.revision:
            self._others.append((self._end, planned_at))
        pieces = [
            _moved(path, ids, count)
            for path, (before, after) in shards.items()
            for ids, count in ((before, -1), (after, 1))
        ]
        self._ours.append(pa.concat_tables([_MOVED_SCHEMA.empty_table(), *pieces]))
        self._end = landed

    def moves(self, known: Snapshot, snapshot: Snapshot, ids: pa.Array) -> Moves:
        """Say where ids came and went.

        Args:
            known: the revision that something is known of.
            snapshot: the one that is asked about.
            ids: [n ids], what to look for.
        """
        moves = Moves()
        if known.revision == snapshot.revision:
            return moves
        for before, after in ((known, self._start), *self._others, (self._end, snapshot)):
            if before.revision != after.revision:
                _record_differences(moves, self._hub, before, after, ids)
        for table in self._ours:
            _record(moves, table.filter(pc.is_in(table["unique_id"], ids)))
        return moves


def _record_differences(moves: Moves, hub: Hub, before: Snapshot, after: Snapshot, ids: pa.Array) -> None:
    """Record where ids came and went between two revisions, from the files that differ."""
    for here, there, count in ((after, before, 1), (before, after, -1)):
        changed = [file for file in here.data_files if there.files.get(file.path) != file]
        found = holding(hub, here, changed, ids)
        _record(moves, found.append_column("count", pa.repeat(pa.scalar(count, pa.int8()), found.num_rows)))


def _record(moves: Moves, found: pa.Table) -> None:
    for unique_id, path, count in zip(*(column.to_pylist() for column in found.columns), strict=True):
        moves.record(path, [unique_id], count)


def _moved(path: str, ids: list[str], count: int) -> pa.Table:
    """Write down what came into a file or went out of it."""
    places = pa.repeat(pa.scalar(path), len(ids)).cast(_MOVED_SCHEMA.field("path").type)
    return pa.table([pa.array(ids, pa.string()), places, pa.repeat(pa.scalar(count), len(ids))], schema=_MOVED_SCHEMA)
