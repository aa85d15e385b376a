# pyright: reportMissingImports=false
"""The compaction of delta-rs: the same files, as a Delta table, into files of 100 MB; rows keep their order.

A program with an environment of its own: `compaction_delta.py make FOLDER TABLE` makes a table of the files in a
folder, which it links, and `compaction_delta.py compact TABLE ROWS` compacts it. pyiceberg has no compaction.
"""

import os
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema, WriterProperties
from deltalake.transaction import AddAction, create_table_with_add_actions

_WRITER = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=10_000)


def make(folder: str, table: str) -> None:
    """Make a table of the files in a folder, in the order of their names."""
    files = sorted(Path(folder).iterdir())
    actions = []
    for file in files:
        os.link(file, Path(table) / file.name)
        rows = f'{{"numRecords": {pq.read_metadata(file).num_rows}}}'
        actions.append(AddAction(file.name, file.stat().st_size, {}, int(time.time() * 1000), True, rows))
    schema = pa.schema([field.with_type(_in_delta(field.type)) for field in pq.read_schema(files[-1])])
    create_table_with_add_actions(table, Schema.from_arrow(schema), actions, partition_by=[])


def _in_delta(of: pa.DataType) -> pa.DataType:
    """Return the type that a Delta table has for a type: it knows times in microseconds only, in UTC or naive."""
    return pa.timestamp("us", of.tz and "UTC") if pa.types.is_timestamp(of) else of


def compact(table: str, rows: str) -> None:
    """Compact a table.

    Raises:
        RuntimeError: it does not have as many rows then as it should have, or as many files as before.
    """
    before = len(DeltaTable(table).file_uris())
    DeltaTable(table).optimize.compact(writer_properties=_WRITER)
    after = DeltaTable(table).file_uris()
    found = sum(pq.read_metadata(file.removeprefix("file://")).num_rows for file in after)
    if found != int(rows) or len(after) >= before:
        raise RuntimeError(f"The table has {found} rows in {len(after)} files, not {rows} rows in fewer than {before}.")


if __name__ == "__main__":
    {"make": make, "compact": compact}[sys.argv[1]](*sys.argv[2:])
