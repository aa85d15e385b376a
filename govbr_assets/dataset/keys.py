"""Which data file holds which id."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.dataset.reader import DatasetReader
from govbr_assets.huggingface.snapshot import DataFile

_LOOK_UP = 10_000  # ids of small files that are looked up together

HOLDING_SCHEMA = pa.schema([("unique_id", pa.string()), ("path", pa.string())])
"""Which file holds which id, once for every time that it stands there."""


def holding(reader: DatasetReader, files: Iterable[DataFile], ids: pa.Array) -> pa.Table:
    """Find ids in files.

    Args:
        reader: of the files.
        files: where to look.
        ids: [n ids], what to look for.

    Returns:
        [n found x 2] of `HOLDING_SCHEMA`. Memory depends on the ids, not on the files.
    """
    found, waiting, rows = [HOLDING_SCHEMA.empty_table()], [], 0
    for file in files:
        for keys in reader.keys(file):
            path = pa.repeat(pa.scalar(file.path), keys.num_rows)
            waiting.append(pa.table([keys["unique_id"], path], schema=HOLDING_SCHEMA))
            rows += keys.num_rows
            if rows >= _LOOK_UP:
                found.append(_only(waiting, ids))
                waiting, rows = [], 0
    return pa.concat_tables([*found, *([_only(waiting, ids)] if waiting else [])])


def _only(tables: list[pa.Table], ids: pa.Array) -> pa.Table:
    """Keep the rows that have one of the ids."""
    rows = pa.concat_tables(tables)
    return rows.filter(pc.is_in(rows["unique_id"], ids))
