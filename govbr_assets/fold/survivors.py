"""Which ids stand several times in all files of a fold, and which of their rows stays.

Only for ids that may stand twice are rows looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.consolidation import Rank, Survivors, ranks
from govbr_assets.fold.buckets import IdBuckets, hashes

Ids = Callable[[], Iterator[pa.Table]]
"""Streams tables with `unique_id` of one file."""


def repeated_ids(files: Sequence[Ids], folder: Path) -> tuple[pa.Array, list[int]]:
    """Find the ids that stand more than once.

    Args:
        files: the ids of each file.
        folder: where files may be made for the time being.

    Returns:
        The ids, and the indexes of the files that hold them.
    """
    with IdBuckets(folder) as buckets:
        for file in files:
            for table in file():
                buckets.add(table["unique_id"])
        suspects = buckets.repeated()
    if not len(suspects):
        return pa.array([], pa.string()), []
    seen: dict[str, int] = {}
    holders: dict[str, set[int]] = {}
    for index, file in enumerate(files):
        for table in file():
            ids = table["unique_id"].combine_chunks()
            for each in ids.filter(pc.is_in(hashes(ids), suspects)).to_pylist():
                seen[each] = seen.get(each, 0) + 1
                holders.setdefault(each, set()).add(index)
    twice = [each for each, count in seen.items() if count > 1]
    return pa.array(twice, pa.string()), sorted(set().union(*(holders[each] for each in twice)))


def survivors(ids: pa.Array, files: Iterable[tuple[int, Iterable[pa.Table]]]) -> tuple[Survivors, set[int]]:
    """Choose which row of each id stays.

    Args:
        ids: the ids that stand more than once.
        files: index and all rows of `SOURCED_SCHEMA` of each file that holds one of them.

    Returns:
        What stays, and the indexes of the files that have a row that goes.
    """
    found: dict[str, list[tuple[Rank, int]]] = {}
    for index, tables in files:
        for table in tables:
            for unique_id, rank in ranks(table.filter(pc.is_in(table["unique_id"], ids))):
                found.setdefault(unique_id, []).append((rank, index))
    best = {unique_id: max(rank for rank, _ in places) for unique_id, places in found.items()}
    losing = {index for each, places in found.items() for rank, index in places if rank != best[each]}
    return Survivors(best), losing
