"""Where the rows of days are at a revision: from what was known of them at an earlier one, and the files that differ.

Files that are as they were then are looked into only for ids that were known to be in them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import chain

import pyarrow as pa

from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.operations.sync.day_files import DayFiles
from govbr_assets.operations.sync.day_plan import DaySync

Places = dict[str, Counter[str]]
"""By id: how often each file holds it, by path."""


def locate(plans: Collection[DaySync], snapshot: Snapshot, index: KeyIndex[DataFile], files: DayFiles) -> Places:
    """Find the files that hold rows of days.

    Args:
        plans: of the days, each with what was known at some revision.
        snapshot: the revision that is asked about.
        index: of the keys of files; files of other revisions are dropped from it.
        files: that hold days.

    Returns:
        The places of all ids of the days. Two may be missing, as `DayDiff` reads them itself: the day's own shard, and
        its year's file for rows that are there under the day.
    """
    by_revision: dict[str | None, list[DaySync]] = {}
    for plan in plans:
        by_revision.setdefault(plan.known.snapshot.revision, []).append(plan)
    groups = [(group[0].known.snapshot, group) for group in by_revision.values()]
    index.keep_only({file for each in (snapshot, *(known for known, _ in groups)) for file in each.data_files})
    places: Places = {}
    for known, group in groups:
        new, same = list[DataFile](), list[DataFile]()
        for file in snapshot.data_files:
            (same if known.data_file(file.path) == file else new).append(file)
        in_same = _known_to_be_in_same_files(group, snapshot, index, files)
        for ids, among in ((chain.from_iterable(plan.ids.to_pylist() for plan in group), new), (in_same, same)):
            for unique_id, found in index.locate(_array(ids), among).items():
                # The same id may have been asked for by days of another revision, and found in the same file.
                places[unique_id] = places.get(unique_id, Counter()) | Counter(file.path for file in found)
    return places


def _known_to_be_in_same_files(
    group: Sequence[DaySync], snapshot: Snapshot, index: KeyIndex[DataFile], files: DayFiles
) -> set[str]:
    """List ids that were in files that are as they were, without those of which the year's file has all under the day.

    Args:
        group: days of which something was known at the same revision.
        snapshot: the revision that is asked about.
        index: of the keys of files.
        files: that hold days.
    """
    known, suspects, layout = group[0].known.snapshot, set[str](), files.spec.layout
    gone = [file for file in known.data_files if snapshot.data_file(file.path) != file]
    held = [plan.known.elsewhere for plan in group]
    left = index.locate(_array(chain.from_iterable(held)), gone)
    for plan, counts in zip(group, held, strict=True):
        own_path, year_path = layout.day_path(plan.day), layout.compacted_path_for(plan.day)
        counts.subtract([each for each in [*counts] for file in left.get(each, ()) if file.path != own_path])
        if counts and snapshot.data_file(year_path) == known.data_file(year_path):
            with suppress(ContractError):  # the day itself is rejected for it, and no other one
                counts.subtract(files.rows_in_place(snapshot, plan.day)["unique_id"].to_pylist())
        suspects.update(each for each, count in counts.items() if count > 0)
    return suspects


def _array(ids: Iterable[str]) -> pa.Array:
    return pa.array(ids, pa.string())
