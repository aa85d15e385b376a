"""SQL for the newest day that has news. Who asks it is `postgres`."""

from collections.abc import Collection
from datetime import datetime

from govbr_assets.core.days import TIME_ZONE, Day

_ARRIVED = ("created_at", "extracted_at")
_FIRST = "0001-01-02 00:00+00"  # what is older, as `-infinity` is, has no day


def newest_query(columns: Collection[str], last: Day, arrived_before: datetime) -> str:
    """Write the query for the newest day, up to a last one, that has rows which were there at an instant.

    Args:
        columns: of `news`, that the role may read.
        last: the last day that counts.
        arrived_before: aware.
    """
    arrived_at = next((name for name in _ARRIVED if name in columns), "published_at")
    # Backwards through the index on published_at, to the first row that is old enough.
    return f"""
        SELECT (max(published_at) AT TIME ZONE '{TIME_ZONE}')::date AS day FROM news
        WHERE published_at >= timestamptz '{_FIRST}' AND published_at < timestamptz '{last.end.isoformat()}'
            AND {arrived_at} < timestamptz '{arrived_before.isoformat()}'"""
