"""Which ids stand several times in all files of a fold, and which of their rows stays.

Only for ids that may stand twice are rows looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.consolidation import Rank, Survivors, ranks
from govbr_assets.core.dedup import hashes
from govbr_assets.fold.buckets import IdBuckets

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
    twice: set[str] = set()  # but for an id whose hash is another's too, which does no harm
    holders: list[int] = []
    for index, file in enumerate(files):
        before = len(holders)
        for table in file():
            ids = table["unique_id"].combine_chunks()
            found = ids.filter(pc.is_in(hashes(ids.to_pylist()), suspects)).to_pylist()
            twice.update(found)
            holders += [index] if found and len(holders) == before else []
    return pa.array(twice, pa.string()), holders


def survivors(ids: pa.Array, files: Iterable[tuple[int, Iterable[pa.Table]]]) -> tuple[Survivors, set[int]]:
    """Choose which row of each id stays.

    Args:
        ids: the ids that stand more than once.
        files: index and all rows of `SOURCED_SCHEMA` of each file that holds one of them.

    Returns:
        What stays, and the indexes of the files that have a row that goes.
    """
    best: dict[str, Rank] = {}
    places: dict[str, tuple[int, ...]] = {}  # the files that hold the best row
    losing: set[int] = set()
    for index, tables in files:
        for table in tables:
            for unique_id, rank in ranks(table.filter(pc.is_in(table["unique_id"], ids))):
                if rank < best.get(unique_id, rank):
                    losing.add(index)
                    continue
                if rank > best.get(unique_id, rank):
                    losing.update(places.pop(unique_id))
                best[unique_id] = rank
                places[unique_id] = (*places.get(unique_id, ()), index)
    return Survivors(best), losing
