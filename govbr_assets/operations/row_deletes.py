"""Rows that go when a file is rewritten: each is found as often as it is to go, or nothing is published."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.errors import ProofError


class Deletes:
    """Rows that are to go, and whether they were there.

    Args:
        rows: [n rows x 2 or more] `unique_id` and `digest`, each as often as it is to go; a null digest stands for
            all versions of the id.
    """

    def __init__(self, rows: pa.Table) -> None:
        self._ids = rows["unique_id"].combine_chunks()
        pairs = zip(rows["unique_id"].to_pylist(), rows["digest"].to_pylist(), strict=True)
        self._waiting = Counter[tuple[str, int | None]](pairs)
        self._all = {unique_id for unique_id, digest in self._waiting if digest is None}

    def mark(self, rows: pa.Table) -> pa.Array:
        """Mark the rows that go, out of some with `unique_id` and `digest`: [n rows] of bool."""
        suspects = pc.indices_nonzero(pc.is_in(rows["unique_id"], self._ids))
        some = rows.select(["unique_id", "digest"]).take(suspects)
        pairs = zip(some["unique_id"].to_pylist(), some["digest"].to_pylist(), strict=True)
        go = [index for index, pair in zip(suspects.to_pylist(), pairs, strict=True) if self._goes(*pair)]
        return pc.is_in(pa.array(range(rows.num_rows), pa.int64()), pa.array(go, pa.int64()))

    def check(self, path: str) -> None:
        """Raise unless all of them were found.

        Raises:
            ProofError: one was not there.
        """
        if missing := next((name for (name, _), count in self._waiting.items() if count > 0), None):
            raise ProofError(f"unique_id {missing!r} is to be deleted from {path} and is not there.")

    def _goes(self, unique_id: str, digest: int) -> bool:
        if unique_id in self._all:
            self._waiting[unique_id, None] = 0
            return True
        self._waiting[unique_id, digest] -= 1
        return self._waiting[unique_id, digest] >= 0
