"""SQL for the days whose news was created or changed since an earlier reading. Who asks it is `postgres`.

No time alone tells what is new: a row has the time at which its transaction began, and is seen when that has ended, be
it an hour later. So a reading also asks PostgreSQL for the oldest transaction that is not over, and the next reading
takes the rows that this transaction or a later one has written, of the day before the earlier reading and since: each
once, and again only while a transaction stays open. `pg_visible_in_snapshot` would leave those out, but is wrong for
savepoints. What a transaction of more than a day brings, the reconciliation finds.

Where rows do not tell their transaction, as in a view, or tell one of no meaning, as in a foreign table, `updated_at`
is all there is. Then a reading takes what is older than `_LATENCY` and was not yet when the last one was made: each row
once, if its transaction took no longer than that. What took longer, or has no `updated_at`, the reconciliation finds.

Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import TIME_ZONE, Day
from govbr_assets.core.late_rows import Changes, Watermark
from govbr_assets.postgres.catalogue import Catalogue

_TIMES = ("updated_at", "created_at", "extracted_at")
_LATENCY = timedelta(minutes=15)
_DAY = timedelta(days=1)

# Times are literals: a foreign server can be asked for them, and for an expression that is not immutable it cannot.
_CHANGED = f"""
    WITH reading AS (SELECT :reading), changed AS (
        SELECT (n.published_at AT TIME ZONE '{TIME_ZONE}')::date AS day, count(*) AS rows,
            max(n.:changed_at)::timestamptz AS newest
        FROM news n CROSS JOIN reading r
        WHERE n.:changed_at >= :since AND :unseen AND n.published_at >= :first AND n.published_at < :end
        GROUP BY 1
    )
    SELECT r.at, r.xmin, c.day, c.rows, c.newest FROM reading r LEFT JOIN changed c ON true ORDER BY c.day"""

# A row's xmin has the low 32 bits of its transaction's number, which is below xmax. A number of ours that lies above
# xmax is from another server: of that one nothing has been seen yet.
_BY_TRANSACTION = {
    ":reading": """now() AS at, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax""",
    ":unseen": "(:xid > r.xmax OR r.xmax - ((r.xmax - n.xmin::text::bigint) & 4294967295) >= :xid)",
}
_BY_TIME = {
    ":reading": f"now() - interval '{_LATENCY.seconds} seconds' AS at, 0::bigint AS xmin",
    ":unseen": "n.:changed_at < r.at",
}


@dataclass(frozen=True)
class Sight:
    """What a source shows of changes.

    Attributes:
        time: the column that says when a row came or changed; empty if there is none that counts.
        by_transaction: whether rows tell which transaction has written them.
        note: what is missing, and what finds late news instead; empty if nothing is.
    """

    time: str
    by_transaction: bool
    note: str = ""

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Sight":
        """Say what a database shows."""
        readable = [name for name in (*_TIMES, "xmin") if name in catalogue.readable]
        time = next(iter(readable), "")
        if catalogue.kind:
            why = f"`news` is, or has a part that is, a {catalogue.kind}, whose rows do not tell their transaction"
        elif "xmin" not in readable:
            why = "The role of GOVBR_POSTGRES_URL has rights to single columns of `news`, and none to `xmin`"
        elif time != "xmin":
            return cls(time, by_transaction=True)
        else:
            why = f"Table `news` has none of {', '.join(_TIMES)} that the role of GOVBR_POSTGRES_URL may read"
        if time == "updated_at":
            return cls(time, by_transaction=False, note=f"{why}: {_LIMITS}")
        return cls("", by_transaction=False, note=f"{why}, and there is no `updated_at`: {_BLIND}")


_LIMITS = (
    f"late news is found by `updated_at`, {_LATENCY.seconds // 60} minutes late. What a longer transaction brings, or"
    " has no `updated_at`, only the reconciliation finds."
)
_BLIND = "only the reconciliation finds late news. Add that column, or switch late_news_sensor off."


def changed_query(catalogue: Catalogue, sight: Sight, since: Watermark, first: Day, end: Day) -> str:
    """Write the query.

    Args:
        catalogue: of the database.
        sight: what it shows, some time at least.
        since: what was read before.
        first: first day.
        end: the day before which it ends.

    Raises:
        SourceError: the role may not read when a row was published.
    """
    catalogue.require(["published_at"])
    before = _DAY if sight.by_transaction or not since.at else _LATENCY if since.xid else timedelta()
    values = (_BY_TRANSACTION if sight.by_transaction else _BY_TIME) | {
        ":since": f"{_literal(since.at) if since.at else 'r.at'} - interval '{before.total_seconds():.0f} seconds'",
        ":first": _literal(first.start),
        ":end": _literal(end.start),
        ":changed_at": sight.time,
        ":xid": str(since.xid),
    }
    return reduce(lambda sql, value: sql.replace(*value), values.items(), _CHANGED)


def _literal(instant: datetime) -> str:
    return f"timestamptz '{instant.isoformat()}'"


def changes_of(rows: pa.Table) -> Changes:
    """Read the query's answer: [n days x 5], or one row without a day."""
    days = rows.filter(pc.is_valid(rows["day"]))
    mark = Watermark(rows["at"][0].as_py(), rows["xmin"][0].as_py())
    if not days.num_rows:
        return Changes(mark)
    return Changes(mark, tuple(days["day"].to_pylist()), pc.sum(days["rows"]).as_py(), pc.max(days["newest"]).as_py())
