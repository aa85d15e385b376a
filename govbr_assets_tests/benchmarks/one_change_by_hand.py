"""One row changed in a year's file as a short script would do it: fetched, changed, written, uploaded, nothing proven.

pyarrow cuts pages by what has come before in the same writer, in other row groups too: a file by hand is like the one
by hand before it, and less like the compaction's. So the first change by hand is `nothing`, which nobody measures.

A program: `python -m govbr_assets_tests.benchmarks.one_change_by_hand WAY REPO PATH UNIQUE_ID CHANGE FOLDER`. Which Hub
that is, is said by the environment.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem

from govbr_assets.core.days import Day
from govbr_assets.core.layout import ROW_GROUP_ROWS
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import WRITER_SETTINGS

SUFFIX = " (atualizado)"
"""What a changed title has more."""
NOTHING = "nothing"
"""The change by which the file only becomes one by hand."""
SHIFT = timedelta(days=60)
"""How far a row moves: later in the first half of the year, earlier in the second."""


def _by_groups(old: pq.ParquetFile) -> Iterator[pa.Table]:
    """Read a row group at a time, and leave their ends where they are."""
    return (old.read_row_group(index) for index in range(old.num_row_groups))


WAYS: dict[str, Callable[[pq.ParquetFile], Iterator[pa.Table]]] = {
    "whole": lambda old: iter([old.read().combine_chunks()]),
    "by groups": _by_groups,
}
"""How the file may be read and written."""


def shifted(day: Day) -> timedelta:
    """Tell by how much a row of a day moves."""
    return SHIFT if day.date.month < 7 else -SHIFT


def main(way: str, repo_id: str, path: str, unique_id: str, change: str, folder: str) -> None:
    """Do it.

    Raises:
        RuntimeError: the row that is to change is not there once.
    """
    source, target = Path(folder) / "old.parquet", Path(folder) / "new.parquet"
    HfFileSystem().get_file(f"datasets/{repo_id}/{path}", str(source))
    found = []
    with (
        pq.ParquetFile(source) as old,
        pq.ParquetWriter(target, old.schema_arrow, **WRITER_SETTINGS) as writer,
    ):
        for rows in WAYS[way](old):
            here = pc.equal(rows["unique_id"], unique_id)
            if pc.any(here).as_py():
                found.append(rows.filter(here))
                rows = _retitled(rows, here) if change == "title" else rows.filter(pc.invert(here))
            writer.write_table(rows.combine_chunks(), ROW_GROUP_ROWS)
    if sum(rows.num_rows for rows in found) != (change != NOTHING):
        raise RuntimeError(f"{unique_id} does not stand once in {path}.")
    operations = [CommitOperationAdd(path, target)]
    if change == "moved":
        operations.append(_shard(found[0], Path(folder)))
    HfApi().create_commit(repo_id, operations, commit_message="Change a row", repo_type="dataset")


def _retitled(rows: pa.Table, here: pa.ChunkedArray) -> pa.Table:
    index = rows.schema.get_field_index("title")
    titles = pc.if_else(here, pc.binary_join_element_wise(rows["title"], SUFFIX, ""), rows["title"])
    return rows.set_column(index, rows.schema.field(index), titles)


def _shard(row: pa.Table, folder: Path) -> CommitOperationAdd:
    """Write the shard of the day that the row moves to, which has none yet."""
    index, field = row.schema.get_field_index("published_at"), row.schema.field("published_at")
    before = row["published_at"][0].as_py()
    after = before + shifted(Day.at(before))
    pq.write_table(row.set_column(index, field, pa.array([after], field.type)), folder / "shard", **WRITER_SETTINGS)
    return CommitOperationAdd(NEWS.layout.day_path(Day.at(after)), folder / "shard")


if __name__ == "__main__":
    main(*sys.argv[1:])
