"""The news of one PostgreSQL database: whole rows by days, and the keys of all rows.

What the columns must be is the contract's business (`core.contract`); when to read is the asset's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.conform import LeftOut, conform_source_rows
from govbr_assets.core.contract import as_strings, format_value
from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import Changes, Watermark
from govbr_assets.core.layout import ROW_BYTES
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.io.staged import Rows, ordered, tables_of
from govbr_assets.io.staging import collected
from govbr_assets.postgres.catalogue import Catalogue
from govbr_assets.postgres.connection import Database
from govbr_assets.postgres.errors import UnspellableError
from govbr_assets.postgres.key_query import HASH_JOINS, as_keys, keys_query
from govbr_assets.postgres.late_rows import Sight, changed_query, changes_of
from govbr_assets.postgres.newest import newest_query
from govbr_assets.postgres.reading import Reading
from govbr_assets.postgres.row_query import in_window, named, rows_query, too_large_query
from govbr_assets.postgres.too_large import LargeRows, by_day, left_out, named_by_size

_NAMED_AT_ONCE = 1_000  # ids of one query

Ask = Callable[[DatasetSpec, Catalogue, str], str]
"""Writes a query for some rows."""


class NewsTable:
    """The news of one PostgreSQL database, read only.

    Args:
        url: what libpq takes, a URI or `key=value` pairs; a driver in the scheme (`+psycopg2`) is ignored.
        spec: which columns are read, and what they become.
    """

    def __init__(self, url: str, spec: DatasetSpec) -> None:
        self._database, self._spec = Database(url), spec

    def reading(self, days: Sequence[Day]) -> Callable[[Day], Rows]:
        """Promise the rows of some days, which one query streams in order as long as all goes well.

        Args:
            days: in order, also with gaps; nothing is asked before the first one is taken.

        Returns:
            A function that gives the rows of a day: [n rows x 25] of `spec.source_schema`, sorted by
            `published_at, unique_id`, without those that are `too_large`; no rows give an empty table. It raises

            - SourceUnavailableError: PostgreSQL is away, or went away in the middle.
            - SourceError: PostgreSQL refuses the query, for this day or, without being asked again, for every other.
            - ContractError: a value that the published schema cannot hold; the days after it can be taken all the same.
        """
        reading = Reading(days, self._by_day)
        return lambda day: self._conform(reading.take(day))

    def day(self, day: Day) -> Rows:
        """Read the rows of one day, as `reading` does."""
        return self.reading([day])(day)

    def find(self, ids: Sequence[str]) -> Rows:
        """Read the rows that some ids from the Hub name, whatever day they were published on.

        Args:
            ids: [n ids], current ones or those that the Hub knew a row by.

        Returns:
            [n rows x 25] of `spec.source_schema`; an id that names no row gives none, nor does one of a row that is
            `too_large`.

        Raises:
            SourceUnavailableError, SourceError, ContractError: as `reading`.
        """
        batches = self._named(rows_query, ids)
        first = next(batches, None)
        if first is None:
            return self._spec.source_schema.empty_table()
        return self._conform(collected(batches, first.schema))

    def too_large(self, days: Sequence[Day]) -> Callable[[Day], str]:
        """Promise to name the rows of some days that are too large to be published.

        Args:
            days: in order, also with gaps; nothing is asked before the first one is taken.

        Returns:
            A function that gives a sentence for a day, empty if it has no such rows, and raises what that of `reading`
            does.
        """
        reading = Reading(days, self._too_large_by_day)
        return lambda day: left_out(reading.take(day))

    def too_large_ids(self, days: Sequence[Day], note: LeftOut) -> list[str]:
        """List the ids of rows of some days that are too large to be published, but for days that cannot be read.

        Args:
            days: in order, also with gaps.
            note: takes these rows.

        Raises:
            SourceUnavailableError: PostgreSQL is away, or went away in the middle.
        """
        reading, found = Reading(days, self._too_large_by_day), list[str]()
        for day in days:
            with suppress(SourceError):  # reading the day itself tells why
                for row in reading.take(day):
                    note.note(f"In PostgreSQL {named_by_size(row)}: a row may have {ROW_BYTES / 1e6:,.1f} MB.")
                    found += [row["unique_id"]] if row["unique_id"] else []
        return found

    def too_large_among(self, ids: Sequence[str]) -> set[str]:
        """Tell which ids from the Hub name rows that are too large to be published.

        Raises:
            SourceUnavailableError, SourceError: as `reading`.
        """
        batches, names = self._named(too_large_query, ids), ("unique_id", "legacy_unique_id")
        return set(ids).intersection(each for rows in batches for name in names for each in as_strings(rows[name]))

    def changed_since(self, since: Watermark, first: Day, end: Day) -> Changes:
        """Tell the days of a window that have rows created or changed since an earlier reading.

        Args:
            since: up to where that one went; the empty one begins a day ago.
            first: first day of the window.
            end: the day before which it ends.

        Raises:
            SourceUnavailableError, SourceError: as `reading`.
        """
        sight = Sight.of(self._catalogue)
        if not sight.time:
            return Changes(since, note=sight.note)
        found = self._database.read(changed_query(self._catalogue, sight, since, first, end))
        return replace(changes_of(found), note=sight.note)

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
        sql = newest_query(self._catalogue.readable, last, arrived_before)
        return self._database.read(sql)["day"][0].as_py()

    def keys(self, left_out: LeftOut) -> Iterator[pa.Table]:
        """Stream the keys of all rows in order of `published_at`, of whatever day, some 1 MB at a time.

        Args:
            left_out: takes the rows that no day can publish; those that have an id are given all the same, without a
                time.

        Returns:
            [n rows x 3] each of `spec.source_keys_schema`; a legacy id only where it counts.

        Raises:
            SourceUnavailableError: PostgreSQL is away, or went away in the middle.
            SourceError: PostgreSQL refuses the query.
            ContractError: a key has a type that cannot be published.
        """
        for rows in self._database.rows(keys_query(self._catalogue), self._catalogue.settings | HASH_JOINS):
            yield as_keys(self._spec, rows, left_out)

    @cached_property
    def _catalogue(self) -> Catalogue:
        """What the database has, asked once."""
        return Catalogue.of(self._database)

    def _named(self, ask: Ask, ids: Sequence[str]) -> Iterator[pa.Table]:
        """Ask for the rows that ids name; one that the database cannot spell, as with a NUL in it, names none."""
        for start in range(0, len(ids), _NAMED_AT_ONCE):
            yield from self._some_named(ask, ids[start : start + _NAMED_AT_ONCE])

    def _some_named(self, ask: Ask, ids: Sequence[str]) -> Iterator[pa.Table]:
        """Ask for the rows that ids of one query name."""
        batches = self._batches(named(self._catalogue, ids), ask)
        try:
            columns = next(batches)
        except UnspellableError:  # the query's own text, for no row has come yet
            half = len(ids) // 2
            for part in (ids[:half], ids[half:]) if half else ():
                yield from self._some_named(ask, part)
            return
        yield columns
        yield from batches

    def _by_day(self, days: Sequence[Day]) -> Iterator[tuple[Day, Rows]]:
        """Cut the stream of batches into days."""
        start, end = days[0].start, days[-1].end
        batches = (_within(batch, start, end) for batch in self._batches(in_window(start, end)))
        rest = next(batches)

        def until(end: datetime) -> Iterator[pa.Table]:
            """Stream the rows before an instant."""
            nonlocal rest
            while True:
                before = _rows_before(rest, end)
                yield rest.slice(0, before)
                rest = rest.slice(before)
                if rest.num_rows or (batch := next(batches, None)) is None:
                    break
                rest = batch

        for day in days:
            rows = collected(until(day.end), rest.schema)
            yield day, rows.slice(_rows_before(rows, day.start))  # what lies between two days belongs to neither

    def _too_large_by_day(self, days: Sequence[Day]) -> Iterator[tuple[Day, LargeRows]]:
        """Tell the rows of each day that are too large."""
        found = by_day(self._batches(in_window(days[0].start, days[-1].end), too_large_query))
        return ((day, found.get(day, [])) for day in days)

    def _batches(self, wanted: str, ask: Ask = rows_query) -> Iterator[pa.Table]:
        """Stream rows in order of `published_at`, some 1 MB at a time; first of all a table without rows."""
        return self._database.rows(ask(self._spec, self._catalogue, wanted), self._catalogue.settings)

    def _conform(self, rows: Rows) -> Rows:
        """Cast rows to what is published and sort them."""
        schema = self._spec.source_schema
        return ordered(collected((_cast(each, schema) for each in tables_of(rows)), schema), self._spec.sorted_by)


def _within(rows: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Let rows pass that were published in a window: whatever else an answer holds, it is not the query's."""
    if _rows_before(rows, start) or _rows_before(rows, end) < rows.num_rows:
        text = f"PostgreSQL has answered a query for {start} to {end} with rows of other times"
        raise SourceError(f"{text}: look at what stands at GOVBR_POSTGRES_URL.")
    return rows


def _rows_before(rows: Rows, instant: datetime) -> int:
    """Count the rows published before an instant; a time without a zone is UTC."""
    times = rows["published_at"].cast(pa.timestamp("us", "UTC"))
    return pc.sum(pc.less(times, pa.scalar(instant, times.type)), min_count=0).as_py()


def _cast(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast rows to what is published."""
    nested = rows.filter(pc.greater(rows["tags_dimensions"], 1))
    if nested.num_rows:  # the driver has flattened them already
        raise ContractError(
            f"Column tags of the row with id {as_strings(nested['row_id'])[0]} in PostgreSQL has several dimensions:"
            f" {format_value(nested['tags'][0])} cannot be published as list<string>: its elements belong into one"
            " dimension."
        )
    return conform_source_rows(rows, rows["row_id"], schema)
