"""SQL for the days with rows created or changed since an earlier read.

A timestamp alone does not identify new rows: it is the start of the row's transaction, and the row becomes visible at
its commit, perhaps an hour later. So a read also returns the oldest transaction still open, and the next read selects
the rows written by this transaction or a later one, with times from one day before the earlier read on: each once, and
repeatedly only while a transaction stays open. `pg_visible_in_snapshot` would exclude the repetitions, but is wrong for
savepoints. Rows of a transaction longer than a day are found by the reconciliation.

Where rows have no `xmin`, as in a view, or a meaningless one, as in a foreign table, only `updated_at` is left. A read
then selects the rows that have become older than `_LATENCY` since the last read: each once, if its transaction was
shorter than that. Rows of longer transactions, or without `updated_at`, are found by the reconciliation.

Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.columns import Join
from govbr_assets.core.days import TIME_ZONE, Day
from govbr_assets.core.late_rows import Changes, Watermark
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.postgres.catalogue import Catalogue

_TIMES = ("updated_at", "created_at", "extracted_at")
_LATENCY = timedelta(minutes=15)
_DAY = timedelta(days=1)

# Times are literals, because a condition is only pushed down to a foreign server if it is immutable.
_CHANGED = f"""
    WITH reading AS (SELECT :reading), changed AS (
        SELECT (published_at AT TIME ZONE '{TIME_ZONE}')::date AS day, count(*) AS rows, max(changed_at) AS newest
        FROM (:tables) AS tables GROUP BY 1
    )
    SELECT r.at, r.xmin, c.day, c.rows, c.newest FROM reading r LEFT JOIN changed c ON true ORDER BY c.day"""

_TABLE = """
    SELECT n.published_at, :alias.:changed_at::timestamptz AS changed_at FROM :from CROSS JOIN reading r
    WHERE :alias.:changed_at >= :since AND :unseen AND n.published_at >= :first AND n.published_at < :end"""

# A row's xmin is the low 32 bits of its transaction id, which is below xmax. A watermark above xmax comes from another
# server, of which nothing has been read yet.
_BY_TRANSACTION = {
    ":reading": """now() AS at, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax""",
    ":unseen": "(:xid > r.xmax OR r.xmax - ((r.xmax - :alias.xmin::text::bigint) & 4294967295) >= :xid)",
}
_BY_TIME = {
    ":reading": f"now() - interval '{_LATENCY.seconds} seconds' AS at, 0::bigint AS xmin",
    ":unseen": ":alias.:changed_at < r.at",
}


@dataclass(frozen=True)
class ChangeTracking:
    """How changed rows of a source can be found.

    Attributes:
        time: the column with the time of the last change; empty if changes cannot be found.
        by_transaction: whether rows have the id of the transaction that wrote them.
        note: what cannot be found, and what finds it instead; empty if everything can.
    """

    time: str
    by_transaction: bool
    note: str = ""

    @classmethod
    def of(cls, catalogue: Catalogue) -> "ChangeTracking":
        """Determine it from the columns of a database."""
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

    def joins(self, catalogue: Catalogue, spec: DatasetSpec) -> tuple[list[Join], str]:
        """Return the joined tables whose changed rows can be found, and a note on the others.

        Raises:
            SourceError: a table is missing, or the role may not read it.
        """
        used = {alias for column in spec.columns for alias, _ in column.sources}
        found, others = list[Join](), list[str]()
        for join in (each for each in spec.joins if each.alias in used):
            catalogue.require_joined(join, spec.columns)
            xmin = catalogue.joined[join.table].get("xmin")
            seen = not self.by_transaction or (xmin is not None and xmin.readable and xmin.in_heap)
            found += [join] if seen else []
            others += [] if seen else [f"`{join.table}`"]
        note = (
            f"Rows of {', '.join(others)} do not tell their transaction: only the reconciliation finds their changes."
        )
        return found, note if others else ""


_LIMITS = (
    f"late news is found by `updated_at`, {_LATENCY.seconds // 60} minutes late. What a longer transaction brings, or"
    " has no `updated_at`, only the reconciliation finds."
)
_BLIND = "only the reconciliation finds late news. Add that column, or switch late_news_sensor off."


def changed_query(
    catalogue: Catalogue,
    tracking: ChangeTracking,
    since: Watermark,
    first: Day,
    end: Day,
    joins: Sequence[Join] = (),
) -> str:
    """Return the query for the days with changed rows.

    Args:
        catalogue: of the database.
        tracking: how changes are found; with a time column.
        since: watermark of the last read.
        first: first day.
        end: day after the last one.
        joins: tables whose changed rows count as changes of their row of `news`.

    Raises:
        SourceError: the role may not read `published_at`.
    """
    catalogue.require(["published_at"])
    before = _DAY if tracking.by_transaction or not since.at else _LATENCY if since.xid else timedelta()
    values = (_BY_TRANSACTION if tracking.by_transaction else _BY_TIME) | {
        ":since": f"{_literal(since.at) if since.at else 'r.at'} - interval '{before.total_seconds():.0f} seconds'",
        ":first": _literal(first.start),
        ":end": _literal(end.start),
        ":xid": str(since.xid),
    }
    tables = [{":from": "news n", ":alias": "n", ":changed_at": tracking.time}]
    for join in joins:
        source = f"{join.table} {join.alias} JOIN news n ON n.unique_id = {join.alias}.{join.on}"
        tables.append({":from": source, ":alias": join.alias, ":changed_at": join.changed})
    selects = [_filled(_filled(_TABLE, {":unseen": values[":unseen"]}), table) for table in tables]
    return _filled(_CHANGED, {":tables": " UNION ALL ".join(selects)} | values)


def _filled(sql: str, values: Mapping[str, str]) -> str:
    """Return SQL with values in the place of their names."""
    return reduce(lambda text, value: text.replace(*value), values.items(), sql)


def _literal(instant: datetime) -> str:
    return f"timestamptz '{instant.isoformat()}'"


def changes_of(rows: pa.Table) -> Changes:
    """Return the changes that a result of `changed_query` describes.

    Args:
        rows: [n days x 5], or one row without a day.
    """
    days = rows.filter(pc.is_valid(rows["day"]))
    mark = Watermark(rows["at"][0].as_py(), rows["xmin"][0].as_py())
    if not days.num_rows:
        return Changes(mark)
    return Changes(mark, tuple(days["day"].to_pylist()), pc.sum(days["rows"]).as_py(), pc.max(days["newest"]).as_py())
