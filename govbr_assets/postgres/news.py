"""The news of one PostgreSQL database: whole rows by days, and the keys of all rows.

What the columns must be is the contract's business (`core.contract`); when to read is the asset's.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.changes import Changes, Mark
from govbr_assets.core.contract import POSTGRES_SCHEMA, to_contract
from govbr_assets.core.days import Day
from govbr_assets.core.layout import SORTED_BY
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.postgres.changed import changed_query, changes_of, newest_query
from govbr_assets.postgres.connection import Database
from govbr_assets.postgres.keys import HASH_JOINS, KEYS_WITH_LEGACY, KEYS_WITHOUT_LEGACY, as_keys
from govbr_assets.postgres.rows import in_window, named, rows_query

_NAMED_AT_ONCE = 1_000  # ids of one query

_CATALOGUE = """
    SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
    WHERE attrelid = to_regclass('news') AND attnum > 0 AND NOT attisdropped"""


class PostgresNews:
    """The news of one PostgreSQL database, read only.

    Args:
        url: what libpq takes, a URI or `key=value` pairs; a driver in the scheme (`+psycopg2`) is ignored.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def reading(self, days: Sequence[Day]) -> Callable[[Day], pa.Table]:
        """Promise the rows of some days, which one query streams in order.

        Args:
            days: in order, also with gaps; nothing is asked before the first one is taken.

        Returns:
            A function that gives the rows of the next day, once: [n rows x 25] of `POSTGRES_SCHEMA`, sorted by
            `published_at, unique_id`; no rows give an empty table. It raises

            - SourceUnavailableError: PostgreSQL is away, or went away in the middle.
            - SourceError: PostgreSQL refuses the query.
            - ContractError: a value that the published schema cannot hold; the days after it can be taken all the same.
        """
        stream = self._by_day(days)

        def take(day: Day) -> pa.Table:
            for read, rows in stream:
                if read == day:
                    return _as_contract(rows)
            raise ValueError(f"{day} is not among the days still to be read")

        return take

    def day(self, day: Day) -> pa.Table:
        """Read the rows of one day, as `reading` does."""
        return self.reading([day])(day)

    def find(self, ids: Sequence[str]) -> pa.Table:
        """Read the rows that some ids from the Hub name, whatever day they were published on.

        Args:
            ids: [n ids], current ones or those that the Hub knew a row by.

        Returns:
            [n rows x 25] of `POSTGRES_SCHEMA`; an id that names no row gives none.

        Raises:
            SourceUnavailableError, SourceError, ContractError: as `reading`.
        """
        groups = [ids[start : start + _NAMED_AT_ONCE] for start in range(0, len(ids), _NAMED_AT_ONCE)]
        found = [batch for group in groups for batch in self._batches(named(self._columns, group))]
        return _as_contract(pa.concat_tables(found)) if found else POSTGRES_SCHEMA.empty_table()

    def changed_since(self, since: Mark, first: Day, end: Day) -> Changes:
        """Tell the days of a window that have rows created or changed since an earlier reading.

        Args:
            since: up to where that one went; the empty one begins a day ago.
            first: first day of the window.
            end: the day before which it ends.

        Raises:
            SourceUnavailableError, SourceError: as `reading`.
        """
        return changes_of(self._database.read(changed_query(self._columns, since, first, end)))

    def newest_day(self, last: Day, arrived_before: datetime) -> date | None:
        """Tell the newest day, up to a last one, that has rows which were there at an instant.

        Args:
            last: the last day that counts.
            arrived_before: aware.

        Returns:
            None if there is none.

        Raises:
            SourceUnavailableError, SourceError: as `reading`.
        """
        sql = newest_query(self._columns, last, arrived_before)
        return self._database.read(sql)["day"][0].as_py()

    def keys(self) -> Iterator[pa.Table]:
        """Stream the keys of all rows in order of `published_at`, of whatever day, some 1 MB at a time.

        Returns:
            [n rows x 3] each of `POSTGRES_KEYS_SCHEMA`; a legacy id only where it counts.

        Raises:
            SourceUnavailableError: PostgreSQL is away, or went away in the middle.
            SourceError: PostgreSQL refuses the query.
            ContractError: a row has a time that no day has.
        """
        keys = KEYS_WITH_LEGACY if "legacy_unique_id" in self._columns else KEYS_WITHOUT_LEGACY
        yield from map(as_keys, self._database.rows(keys, HASH_JOINS))

    @cached_property
    def _columns(self) -> dict[str, str]:
        """The columns of `news` with their types, asked of the catalogue once."""
        found = {row["name"]: row["type"] for row in self._database.read(_CATALOGUE).to_pylist()}
        if not found:
            raise SourceError("PostgreSQL has no table `news`: point GOVBR_POSTGRES_URL at the database that has it.")
        return found

    def _by_day(self, days: Sequence[Day]) -> Iterator[tuple[Day, pa.Table]]:
        """Cut the stream of batches into days."""
        start, end = days[0].start, days[-1].end
        batches = (_within(batch, start, end) for batch in self._batches(in_window(start, end)))
        rest = next(batches)
        for day in days:
            parts = []
            while True:
                before = _rows_before(rest, day.end)
                parts.append(rest.slice(0, before))
                rest = rest.slice(before)
                if rest.num_rows or (batch := next(batches, None)) is None:
                    break
                rest = batch
            rows = pa.concat_tables(parts)
            yield day, rows.slice(_rows_before(rows, day.start))  # what lies between two days belongs to neither

    def _batches(self, wanted: str) -> Iterator[pa.Table]:
        """Stream rows in order of `published_at`, some 1 MB at a time; first of all a table without rows."""
        return self._database.rows(rows_query(self._columns, wanted))


def _within(rows: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Let rows pass that were published in a window: whatever else an answer holds, it is not the query's."""
    if _rows_before(rows, start) or _rows_before(rows, end) < rows.num_rows:
        text = f"PostgreSQL has answered a query for {start} to {end} with rows of other times"
        raise SourceError(f"{text}: look at what stands at GOVBR_POSTGRES_URL.")
    return rows


def _rows_before(rows: pa.Table, instant: datetime) -> int:
    """Count the rows published before an instant; a time without a zone is UTC."""
    times = rows["published_at"].cast(pa.timestamp("us", "UTC"))
    return pc.sum(pc.less(times, pa.scalar(instant, times.type)), min_count=0).as_py()


def _as_contract(rows: pa.Table) -> pa.Table:
    """Cast a day to the contract and sort it."""
    nested = rows.filter(pc.greater(rows["tags_dimensions"], 1))
    if nested.num_rows:  # the driver has flattened them already
        raise ContractError(
            f"Column tags of the row with id {nested['row_id'][0]} in PostgreSQL has several dimensions:"
            f" {nested['tags'][0].as_py()} cannot be published as list<string>."
        )
    return to_contract(rows, rows["row_id"]).sort_by(SORTED_BY)
