"""The JSON of the viewer's answers."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa

from govbr_assets.local.viewer.data_files import SPLIT
from govbr_assets.local.viewer.index import Snapshot
from govbr_assets.local.viewer.query import ROW

PAGE_ROWS = 100


def page(snapshot: Snapshot, found: pa.Table, total: int) -> dict[str, Any]:
    """Word the answer to `/filter`.

    Args:
        snapshot: what was searched.
        found: [n rows x the schema's columns and `ROW`], the rows of this page.
        total: rows on all pages.
    """
    rows = _readable(found).to_pylist()
    return {
        "features": [
            {"feature_idx": number, "name": field.name, "type": _feature(field.type)}
            for number, field in enumerate(snapshot.schema)
        ],
        "rows": [{"row_idx": row.pop(ROW), "row": _plain(row), "truncated_cells": []} for row in rows],
        "num_rows_total": total,
        "num_rows_per_page": PAGE_ROWS,
        "partial": snapshot.partial,
    }


def size(repo_id: str, snapshot: Snapshot) -> dict[str, Any]:
    """Word the answer to `/size`."""
    file_bytes = sum(file.file_bytes for file in snapshot.files)
    numbers = {
        "num_bytes_parquet_files": file_bytes,
        "num_bytes_memory": sum(file.data_bytes for file in snapshot.files),
        "num_rows": snapshot.rows,
    }
    config = {"dataset": repo_id, "config": snapshot.config}
    wide = {"num_columns": len(snapshot.schema), "estimated_num_rows": None}
    whole = {"num_bytes_original_files": file_bytes, **numbers}
    return {
        "size": {
            "dataset": {"dataset": repo_id, **whole, "estimated_num_rows": None},
            "configs": [{**config, **whole, **wide}],
            "splits": [{**config, "split": SPLIT, **numbers, **wide}],
        },
        "pending": [],
        "failed": [],
        "partial": snapshot.partial,
    }


def _readable(found: pa.Table) -> pa.Table:
    """Bring nanoseconds to microseconds, which are what a `datetime` can hold."""
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns"
        else field
        for field in found.schema
    ]
    return found.cast(pa.schema(fields), safe=False)


def _plain(value: Any) -> Any:
    """Turn a value into what JSON knows; an instant keeps the offset of its column."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | bytes) else value


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Describe a type as `datasets` does."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    names = {pa.float64(): "float64", pa.float32(): "float32"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}
