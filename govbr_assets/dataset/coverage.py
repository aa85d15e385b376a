"""Coverage of a dataset at the revision that a commit makes: read from the times of its rows, and from nothing else.

The times of a file that is there come from the metadata cache, or from one column of it, eight bytes a row before
compression; those of a file that is to be published from its content.
"""

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.coverage import Coverage
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.snapshot import Snapshot


def coverage_after(
    dataset: Dataset, snapshot: Snapshot, edit: Changeset[object], paths: Collection[str]
) -> Coverage | None:
    """Count the rows that a dataset has after a commit, by day.

    Args:
        dataset: the dataset.
        snapshot: the revision that the commit is planned at.
        edit: the commit.
        paths: its data files after the commit.

    Returns:
        Coverage; None if the dataset has no times, or a file of somebody else has some that cannot be read before a
        compaction.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    if not dataset.spec.event_time:
        return None
    try:
        return Coverage.of(_times(dataset, snapshot, edit, paths))
    except ContractError:
        return None


def _times(
    dataset: Dataset, snapshot: Snapshot, edit: Changeset[object], paths: Collection[str]
) -> Iterator[pa.ChunkedArray]:
    """Stream the times of all rows, a row group at a time."""
    name, coming = dataset.spec.event_time, {each.path: each for each in edit.data_copies}
    for path in sorted(paths):
        if path in edit.put:
            yield from _times_in(edit.put[path], name)
        elif file := coming.get(path) or snapshot.data_file(path):
            for rows in dataset.reader.row_groups(file, [name]):
                yield rows[name]


def _times_in(content: Blob, name: str) -> Iterator[pa.ChunkedArray]:
    """Stream a column of a file that is to be published."""
    with opened(content) as file:
        parquet = pq.ParquetFile(file, pre_buffer=False)
        for group in range(parquet.num_row_groups):
            yield parquet.read_row_group(group, [name], use_threads=False)[name]
