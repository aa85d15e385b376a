"""How a data file is written: the Parquet settings that follow from a spec, and the size of row groups.

Which rows a file has is decided by the operations; where it lies, by `core.layout`.
"""

import io
from collections.abc import Iterable, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.layout import ROW_GROUP_BYTES, ROW_GROUP_ROWS
from govbr_assets.core.periods import regrouped
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.io import memory
from govbr_assets.io.sizes import in_pieces


def writer_settings(spec: DatasetSpec) -> dict[str, Any]:
    """Return the settings of `pq.ParquetWriter` for the files of a dataset. Source: design, "Parts chosen"."""
    return {
        "compression": "zstd",
        "compression_level": 3,
        "sorting_columns": pq.SortingColumn.from_ordering(spec.schema, spec.sorted_by) if spec.sorted_by else None,
        "use_content_defined_chunking": True,
        # A dictionary of texts that stand once costs the writer ten times a day's memory.
        "use_dictionary": [column.parquet_path for column in spec.columns if column.dictionary],
        "write_page_index": True,
        "write_statistics": [column.parquet_path for column in spec.columns if column.statistics],
    }


def encode(rows: pa.Table, spec: DatasetSpec) -> bytes:
    """Write rows as a Parquet file: the same rows give the same bytes under one version of pyarrow.

    Args:
        rows: [n rows x columns] with exactly the schema of the spec, in its order.
        spec: of the dataset.

    Returns:
        The file.
    """
    sink = io.BytesIO()
    encode_to(sink, [rows], spec)
    return sink.getvalue()


def encode_to(sink: IO[bytes], tables: Iterable[pa.Table], spec: DatasetSpec, group_rows: Sequence[int] = ()) -> int:
    """Write rows as a Parquet file, of which never more than two row groups and a table are in memory.

    Args:
        sink: takes the file.
        tables: [n rows x columns] each, in the order of the spec one after another.
        spec: of the dataset.
        group_rows: how many rows each row group has; empty makes them as large as they may be.

    Returns:
        How many rows were written; the bytes depend on the rows, not on how tables divide them.
    """
    rows = 0
    with pq.ParquetWriter(sink, spec.schema, **writer_settings(spec)) as writer:
        bounded = in_pieces(tables, ROW_GROUP_ROWS, ROW_GROUP_BYTES)
        for group in regrouped(tables, group_rows) if group_rows else bounded:
            memory.release_free_memory()  # a row group is tens of megabytes, and combined it is as many once more
            rows += group.num_rows
            writer.write_table(group.combine_chunks(), group.num_rows)  # chunks would leave their trace in the pages
            del group
    return rows


def encode_groups(sink: IO[bytes], groups: Iterable[pa.Table], spec: DatasetSpec) -> int:
    """Write rows as a Parquet file whose row groups are given; one that is too large becomes several.

    Args:
        sink: takes the file.
        groups: [n rows x columns] each, the row groups; empty ones are left out.
        spec: of the dataset.

    Returns:
        How many rows were written.
    """
    rows = 0
    with pq.ParquetWriter(sink, spec.schema, **writer_settings(spec)) as writer:
        for group in groups:
            for piece in in_pieces([group], ROW_GROUP_ROWS, ROW_GROUP_BYTES):
                rows += piece.num_rows
                writer.write_table(piece.combine_chunks(), ROW_GROUP_ROWS)
    return rows
