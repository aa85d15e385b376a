"""Messages about rows of PostgreSQL that exceed the size limit. `row_query.too_large_query` selects them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa

from govbr_assets.core.contract import as_strings
from govbr_assets.core.days import Day
from govbr_assets.core.layout import ROW_BYTES

_EXAMPLES = 5  # rows named in a message

LargeRows = Sequence[Mapping[str, Any]]
"""Rows with their ids and sizes, as selected by `row_query.too_large_query`."""


def by_day(batches: Iterable[pa.Table]) -> dict[Day, LargeRows]:
    """Group rows by day.

    Args:
        batches: [n rows x 7] each, results of `row_query.too_large_query`.
    """
    rows: dict[Day, list[Mapping[str, Any]]] = {}
    for batch in batches:
        ids = zip(*(as_strings(batch[name]) for name in ("row_id", "unique_id")), strict=True)
        sizes = batch.select(["published_at", "bytes", "largest", "largest_bytes"]).to_pylist()
        for (row_id, unique_id), row in zip(ids, sizes, strict=True):
            day = Day.at(row["published_at"].replace(tzinfo=UTC))
            rows.setdefault(day, []).append(row | {"row_id": row_id, "unique_id": unique_id})
    return {**rows}


def left_out(rows: LargeRows) -> str:
    """Return the message for the rows of a day that are not published; empty if there are none."""
    if not rows:
        return ""
    examples = "; ".join(map(named_by_size, rows[:_EXAMPLES]))
    more = f"; and {len(rows) - _EXAMPLES} more" if len(rows) > _EXAMPLES else ""
    return (
        f"{len(rows)} of the day's rows in PostgreSQL are over {ROW_BYTES / 1e6:,.1f} MB and are left out, the others"
        f" are published: {examples}{more}. Shorten them; their versions on the Hub stay as they are."
    )


def named_by_size(row: Mapping[str, Any]) -> str:
    """Describe a row by its ids, its size and its largest column."""
    return (
        f"the row with id {row['row_id']} (unique_id {row['unique_id']!r}) has {row['bytes'] / 1e6:,.1f} MB, of which"
        f" column {row['largest']} has {row['largest_bytes'] / 1e6:,.1f} MB"
    )
