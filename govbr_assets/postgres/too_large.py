"""What is told of rows of PostgreSQL that are too large to be published; how they are asked for says `rows`."""

from collections.abc import Mapping, Sequence
from typing import Any

from govbr_assets.core.layout import ROW_BYTES

_EXAMPLES = 5  # rows that are named


def left_out(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say which rows of a day are not published, and why.

    Args:
        rows: of the day, as `rows.too_large_query` gives them.
    """
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
