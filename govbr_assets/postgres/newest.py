"""SQL for the newest day that has news."""

from collections.abc import Collection
from datetime import datetime

from govbr_assets.core.days import TIME_ZONE, Day

_ARRIVAL_COLUMNS = ("created_at", "extracted_at")
_EARLIEST = "0001-01-02 00:00+00"  # older times, such as `-infinity`, have no day


def newest_query(columns: Collection[str], last: Day, arrived_before: datetime) -> str:
    """Return the query for the newest day that had rows at an instant.

    Args:
        columns: of `news`, readable for the role.
        last: the last day to consider.
        arrived_before: aware instant.
    """
    arrived_at = next((name for name in _ARRIVAL_COLUMNS if name in columns), "published_at")
    # Backwards through the index on published_at, to the first row that is old enough.
    return f"""
        SELECT (max(published_at) AT TIME ZONE '{TIME_ZONE}')::date AS day FROM news
        WHERE published_at >= timestamptz '{_EARLIEST}' AND published_at < timestamptz '{last.end.isoformat()}'
            AND {arrived_at} < timestamptz '{arrived_before.isoformat()}'"""
