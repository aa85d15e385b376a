"""Which ids stand several times in all files of a fold, and which of their rows stays.

Only for ids that may stand twice are rows looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.identity import hashes
from govbr_assets.core.periods import VersionRank, Winners, version_ranks
from govbr_assets.operations.id_buckets import IdBuckets

Tables = Callable[[], Iterator[pa.Table]]
"""Streams the rows of some files, which `source` names."""


def find_duplicates(streams: Sequence[Tables], folder: Path) -> tuple[pa.Array, set[str]]:
    """Find the ids that stand more than once.

    Args:
        streams: tables with `unique_id` and `source`, together of all files.
        folder: where files may be made for the time being.

    Returns:
        The ids, and the files that hold them.
    """
    with IdBuckets(folder) as buckets:
        for stream in streams:
            for table in stream():
                buckets.add(table["unique_id"])
        suspects = buckets.repeated()
    if not len(suspects):
        return pa.array([], pa.string()), set()
    twice: set[str] = set()  # but for an id whose hash is another's too, which does no harm
    holders: set[str] = set()
    for stream in streams:
        for table in stream():
            found = table.filter(pc.is_in(hashes(table["unique_id"].to_pylist()), suspects))
            twice.update(found["unique_id"].to_pylist())
            holders.update(found["source"].to_pylist())
    return pa.array(twice, pa.string()), holders


def choose_winners(ids: pa.Array, streams: Iterable[Tables]) -> tuple[Winners, set[str]]:
    """Choose which row of each id stays.

    Args:
        ids: the ids that stand more than once.
        streams: all rows of `SOURCED_SCHEMA` of the files that hold one of them.

    Returns:
        What stays, and the files that have a row that goes.
    """
    best: dict[str, VersionRank] = {}
    places: dict[str, set[str]] = {}  # the files that hold the best row
    losing: set[str] = set()
    for stream in streams:
        for table in stream():
            rows = table.filter(pc.is_in(table["unique_id"], ids))
            for (unique_id, rank), source in zip(version_ranks(rows), rows["source"].to_pylist(), strict=True):
                if rank < best.get(unique_id, rank):
                    losing.add(source)
                    continue
                if rank > best.get(unique_id, rank):
                    losing.update(places.pop(unique_id))
                best[unique_id] = rank
                places.setdefault(unique_id, set()).add(source)
    return Winners(best), losing
