"""What is told of rows of PostgreSQL that are too large to be published; how they are asked for says `rows`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa

from govbr_assets.core.contract import as_strings
from govbr_assets.core.days import Day
from govbr_assets.core.layout import ROW_BYTES

_EXAMPLES = 5  # rows that are named

LargeRows = Sequence[Mapping[str, Any]]
"""Rows, each with its ids and sizes as `rows.too_large_query` gives them."""


def by_day(batches: Iterable[pa.Table]) -> dict[Day, LargeRows]:
    """Put the rows of some days, as `rows.too_large_query` gives them, to their days."""
    rows: dict[Day, list[Mapping[str, Any]]] = {}
    for batch in batches:
        names = zip(*(as_strings(batch[name]) for name in ("row_id", "unique_id")), strict=True)
        sizes = batch.select(["published_at", "bytes", "largest", "largest_bytes"]).to_pylist()
        for (row_id, unique_id), row in zip(names, sizes, strict=True):
            day = Day.at(row["published_at"].replace(tzinfo=UTC))
            rows.setdefault(day, []).append(row | {"row_id": row_id, "unique_id": unique_id})
    return {**rows}


def left_out(rows: LargeRows) -> str:
    """Say which rows of a day are not published, and why; nothing if there are none."""
    if not rows:
        return ""
    told = "; ".join(map(named_by_size, rows[:_EXAMPLES]))
    more = f"; and {len(rows) - _EXAMPLES} more" if len(rows) > _EXAMPLES else ""
    return (
        f"{len(rows)} of the day's rows in PostgreSQL are over {ROW_BYTES / 1e6:,.1f} MB and are left out, the others"
        f" are published: {told}{more}. Shorten them; what the Hub has of them stays as it is."
    )


def named_by_size(row: Mapping[str, Any]) -> str:
    """Name a row, and say how large it is and because of which column."""
    return (
        f"the row with id {row['row_id']} (unique_id {row['unique_id']!r}) has {row['bytes'] / 1e6:,.1f} MB, of which"
        f" column {row['largest']} has {row['largest_bytes'] / 1e6:,.1f} MB"
    )
