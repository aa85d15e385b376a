"""What moved on the Hub from the revisions that days were compared with to the one that is planned at.

What a run itself has published it knows, and reads nothing of it back; of what others committed only the files that
differ are read.
"""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.identity import Moves, hashes
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.keys import holding
from govbr_assets.huggingface.snapshot import Snapshot


class Trail:
    """The way from the revision that a run started at to the one that it has come to.

    Of what it published itself it remembers eight bytes an id: whether something may have moved. Only for an id that
    may have are files read.

    Args:
        dataset: the dataset.
        start: the revision that the run started at.
    """

    def __init__(self, dataset: Dataset, start: Snapshot) -> None:
        self._dataset, self._start, self._end = dataset, start, start
        self._ours = pa.chunked_array([], pa.int64())  # hashes of the ids that commits of ours moved
        self._others: list[tuple[Snapshot, Snapshot]] = []  # what others did between two of ours

    def follow(self, planned_at: Snapshot, landed: Snapshot, ids: Iterable[str]) -> None:
        """Go on to a commit of ours.

        Args:
            planned_at: its parent.
            landed: what it made of it.
            ids: all that it may have put somewhere or taken away.
        """
        if planned_at.revision != self._end.revision:
            self._others.append((self._end, planned_at))
        self._ours = pa.chunked_array([*self._ours.chunks, hashes(ids)], pa.int64())
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
        maybe_ours = pc.is_in(hashes(ids.to_pylist()), self._ours.combine_chunks())
        _record_differences(moves, self._dataset, known, snapshot, ids.filter(maybe_ours))
        for before, after in ((known, self._start), *self._others, (self._end, snapshot)):
            if before.revision != after.revision:
                _record_differences(moves, self._dataset, before, after, ids.filter(pc.invert(maybe_ours)))
        return moves


def _record_differences(moves: Moves, dataset: Dataset, before: Snapshot, after: Snapshot, ids: pa.Array) -> None:
    """Record where ids came and went between two revisions, from the files that differ."""
    if not len(ids):
        return
    for here, there, count in ((after, before, 1), (before, after, -1)):
        changed = [file for file in here.data_files if there.files.get(file.path) != file]
        found = holding(dataset.reader, changed, ids)
        for unique_id, path in zip(*(column.to_pylist() for column in found.columns), strict=True):
            moves.record(path, [unique_id], count)
