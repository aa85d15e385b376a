"""SQL for the days whose news was created or changed since an earlier reading. Who asks it is `postgres`.

No time alone tells what is new: a row has the time at which its transaction began, and is seen when that has ended, be
it an hour later. So a reading also asks PostgreSQL for the oldest transaction that is not over, and the next reading
takes the rows that this transaction or a later one has written, of the day before the earlier reading and since: each
once, and again only while a transaction stays open. `pg_visible_in_snapshot` would leave those out, but is wrong for
savepoints. What a transaction of more than a day brings, the reconciliation finds.

Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
"""

from collections.abc import Collection
from datetime import datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.changes import Changes, Mark
from govbr_assets.core.days import TIME_ZONE, Day
from govbr_assets.errors import SourceError

_TIMES = ("updated_at", "created_at", "extracted_at")
_ARRIVED = ("created_at", "extracted_at")

# A row's xmin has the low 32 bits of its transaction's number, which is below xmax. A number of ours that lies above
# xmax is from another server: of that one nothing has been seen yet.
_CHANGED = f"""
    WITH reading AS (
        SELECT now() AS at, :since::bigint AS since,
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax
    ), changed AS (
        SELECT (n.published_at AT TIME ZONE '{TIME_ZONE}')::date AS day, count(*) AS rows,
            max(n.:changed_at)::timestamptz AS newest
        FROM news n CROSS JOIN reading r
        WHERE n.:changed_at >= coalesce(nullif(':at', '')::timestamptz, r.at) - interval '1 day'
            AND n.published_at >= ':first'::timestamptz AND n.published_at < ':end'::timestamptz
            AND (r.since > r.xmax OR r.xmax - ((r.xmax - n.xmin::text::bigint) & 4294967295) >= r.since)
        GROUP BY 1
    )
    SELECT r.at, r.xmin, c.day, c.rows, c.newest FROM reading r LEFT JOIN changed c ON true ORDER BY c.day"""


# Backwards through the index on published_at, to the first row that is old enough.
_NEWEST = f"""
    SELECT (max(published_at) AT TIME ZONE '{TIME_ZONE}')::date AS day FROM news
    WHERE published_at < ':end'::timestamptz AND :arrived_at < ':before'::timestamptz"""


def newest_query(columns: Collection[str], last: Day, arrived_before: datetime) -> str:
    """Write the query for the newest day, up to a last one, that has rows which were there at an instant."""
    values = {
        ":arrived_at": next((name for name in _ARRIVED if name in columns), "published_at"),
        ":end": last.end.isoformat(),
        ":before": arrived_before.isoformat(),
    }
    return reduce(lambda sql, value: sql.replace(*value), values.items(), _NEWEST)


def changed_query(columns: Collection[str], since: Mark, first: Day, end: Day) -> str:
    """Write the query for a table with these columns.

    Args:
        columns: of `news`.
        since: what was read before.
        first: first day of the window.
        end: the day before which it ends.

    Raises:
        SourceError: no column says when a row came or changed.
    """
    time = next((name for name in _TIMES if name in columns), None)
    if time is None:
        raise SourceError(f"Table `news` has none of {', '.join(_TIMES)}: add one, or switch late_news_sensor off.")
    values = {
        ":changed_at": time,
        ":at": since.at.isoformat() if since.at else "",
        ":since": str(since.xid),
        ":first": first.start.isoformat(),
        ":end": end.start.isoformat(),
    }
    return reduce(lambda sql, value: sql.replace(*value), values.items(), _CHANGED)


def changes_of(rows: pa.Table) -> Changes:
    """Read the query's answer: [n days x 5], or one row without a day."""
    days = rows.filter(pc.is_valid(rows["day"]))
    mark = Mark(rows["at"][0].as_py(), rows["xmin"][0].as_py())
    if not days.num_rows:
        return Changes(mark)
    return Changes(mark, tuple(days["day"].to_pylist()), pc.sum(days["rows"]).as_py(), pc.max(days["newest"]).as_py())
