"""The news table of one PostgreSQL database: whole rows by day or by id, and the keys of all rows.

Which columns are read, and their types, belong to the spec; when to read belongs to the caller.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.columns import dimensions_of
from govbr_assets.core.conform import LeftOut, conform_source_rows, without_faults
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
from govbr_assets.postgres.day_reader import DayReader, split_by_day
from govbr_assets.postgres.errors import UnspellableError
from govbr_assets.postgres.key_query import HASH_JOINS, as_keys, keys_query
from govbr_assets.postgres.late_rows import ChangeTracking, changed_query, changes_of
from govbr_assets.postgres.newest import newest_query
from govbr_assets.postgres.row_query import ids_query, in_window, lists, named, rows_query, too_large_query
from govbr_assets.postgres.too_large import LargeRows, by_day, left_out, named_by_size

_LOOKUP_IDS = 1_000  # ids of one query

BuildQuery = Callable[[DatasetSpec, Catalogue, str], str]
"""Returns the SQL for the rows that a condition selects."""


class NewsTable:
    """The news table of one PostgreSQL database, read only.

    Args:
        url: a libpq URI or `key=value` pairs; a driver in the scheme (`+psycopg2`) is ignored.
        spec: the columns to read, and their types.
    """

    def __init__(self, url: str, spec: DatasetSpec) -> None:
        self._database, self.spec = Database(url), spec

    def of(self, spec: DatasetSpec) -> "NewsTable":
        """Give the same table with other columns to read."""
        if spec == self.spec:
            return self
        other = copy(self)
        other.spec = spec
        return other

    def read_days(self, days: Sequence[Day]) -> Callable[[Day], Rows]:
        """Return a function that reads the rows of a day; one query serves all days as long as none fails.

        Args:
            days: in order, gaps allowed; nothing is queried before the first one is read.

        Returns:
            A function from a day to [n rows x 25] of `spec.source_schema`, sorted by `published_at, unique_id`,
            without the rows that are `too_large`. It raises

            - SourceUnavailableError: PostgreSQL is unreachable, or the connection broke.
            - SourceError: PostgreSQL rejects the query, for this day or, without another query, for all days.
            - ContractError: the published schema cannot hold a value; later days can still be read.
        """
        reader = DayReader(days, self._query_days)
        return lambda day: self._conform(reader.read(day))

    def day(self, day: Day) -> Rows:
        """Read the rows of one day, as `read_days` does."""
        return self.read_days([day])(day)

    def lookup(self, ids: Sequence[str]) -> Rows:
        """Read the rows that have one of these ids, whatever their day.

        Args:
            ids: [n ids] from the Hub, each a `unique_id` or a `legacy_unique_id`.

        Returns:
            [m rows x 25] of `spec.source_schema`, without the rows that are `too_large`; a time that no day has, such
            as `infinity`, is null.

        Raises:
            SourceUnavailableError, SourceError, ContractError: as `read_days`.
        """
        time = self.spec.source_schema.field("published_at")
        batches = (without_faults(rows, time, LeftOut()) for rows in self._lookup(rows_query, ids))
        first = next(batches, None)
        if first is None:
            return self.spec.source_schema.empty_table()
        return self._conform(collected(batches, first.schema))

    def too_large(self, days: Sequence[Day]) -> Callable[[Day], str]:
        """Return a function that names the rows of a day that are too large to be published.

        Args:
            days: in order, gaps allowed; nothing is queried before the first one is read.

        Returns:
            A function from a day to a message, empty if the day has no such rows; it raises as `read_days` does.
        """
        reader = DayReader(days, self._query_too_large)
        return lambda day: left_out(reader.read(day))

    def too_large_ids(self, days: Sequence[Day], note: LeftOut) -> list[str]:
        """Return the ids of rows that are too large to be published; days that cannot be read are skipped.

        Args:
            days: in order, gaps allowed.
            note: collects a message for each of these rows.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable, or the connection broke.
        """
        reader, found = DayReader(days, self._query_too_large), list[str]()
        for day in days:
            with suppress(SourceError):  # reading the day itself reports the reason
                for row in reader.read(day):
                    note.note(f"In PostgreSQL {named_by_size(row)}: a row may have {ROW_BYTES / 1e6:,.1f} MB.")
                    found += [row["unique_id"]] if row["unique_id"] else []
        return found

    def too_large_among(self, ids: Sequence[str]) -> set[str]:
        """Return those of some ids from the Hub whose rows are too large to be published.

        Raises:
            SourceUnavailableError, SourceError: as `read_days`.
        """
        return self._among(too_large_query, ids)

    def existing_among(self, ids: Sequence[str]) -> set[str]:
        """Return those of some ids from the Hub that a row has, under either id, whatever its day and its size.

        Raises:
            SourceUnavailableError, SourceError: as `read_days`.
        """
        return self._among(ids_query, ids)

    def changed_since(self, since: Watermark, first: Day, end: Day) -> Changes:
        """Return the days of a window that have rows created or changed since an earlier read.

        Args:
            since: watermark of that read; an empty one covers the last day.
            first: first day of the window.
            end: day after the window.

        Raises:
            SourceUnavailableError, SourceError: as `read_days`.
        """
        tracking = ChangeTracking.of(self._catalogue)
        if not tracking.time:
            return Changes(since, note=tracking.note)
        joins, note = tracking.joins(self._catalogue, self.spec)
        found = self._database.read(changed_query(self._catalogue, tracking, since, first, end, joins))
        return replace(changes_of(found), note=" ".join(each for each in (tracking.note, note) if each))

    def newest_day(self, last: Day, arrived_before: datetime) -> date | None:
        """Return the newest day that had rows at an instant.

        Args:
            last: the last day to consider.
            arrived_before: aware instant.

        Returns:
            None if no day had any.

        Raises:
            SourceUnavailableError, SourceError: as `read_days`.
        """
        sql = newest_query(self._catalogue.readable, last, arrived_before)
        return self._database.read(sql)["day"][0].as_py()

    def check_columns(self) -> None:
        """Check that PostgreSQL has what is published, and that the role may read it; no row is read.

        Raises:
            SourceUnavailableError, SourceError: as `read_days`.
        """
        for _ in self._batches("false"):
            pass

    def keys(self, left_out: LeftOut) -> Iterator[pa.Table]:
        """Stream the keys of all rows ordered by `published_at`, in batches of about 1 MB.

        Args:
            left_out: collects the rows that no day can publish; those with an id are yielded with a null time.

        Yields:
            [n rows x 3] of `spec.source_keys_schema`; a legacy id only on the row that may claim it.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable, or the connection broke.
            SourceError: PostgreSQL rejects the query.
            ContractError: a key has a type that cannot be published.
        """
        for rows in self._database.rows(keys_query(self._catalogue), self._catalogue.settings | HASH_JOINS):
            yield as_keys(self.spec, rows, left_out)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue.of(self._database, self.spec.joins)

    def _among(self, build: BuildQuery, ids: Sequence[str]) -> set[str]:
        """Return those of some ids that a query finds rows of."""
        batches, names = self._lookup(build, ids), ("unique_id", "legacy_unique_id")
        return set(ids).intersection(id_ for rows in batches for name in names for id_ in as_strings(rows[name]))

    def _lookup(self, build: BuildQuery, ids: Sequence[str]) -> Iterator[pa.Table]:
        """Stream the rows that have one of these ids, some ids a query."""
        for start in range(0, len(ids), _LOOKUP_IDS):
            yield from self._lookup_some(build, ids[start : start + _LOOKUP_IDS])

    def _lookup_some(self, build: BuildQuery, ids: Sequence[str]) -> Iterator[pa.Table]:
        """Stream the rows of one query; ids that the database cannot encode, as with a NUL, have no row."""
        batches = self._batches(named(self._catalogue, ids), build)
        try:
            columns = next(batches)
        except UnspellableError:  # raised for the query's own text, since no row has come yet
            half = len(ids) // 2
            for part in (ids[:half], ids[half:]) if half else ():
                yield from self._lookup_some(build, part)
            return
        yield columns
        yield from batches

    def _query_days(self, days: Sequence[Day]) -> Iterator[tuple[Day, Rows]]:
        return split_by_day(self._batches(in_window(days[0].start, days[-1].end)), days)

    def _query_too_large(self, days: Sequence[Day]) -> Iterator[tuple[Day, LargeRows]]:
        found = by_day(self._batches(in_window(days[0].start, days[-1].end), too_large_query))
        return ((day, found.get(day, [])) for day in days)

    def _batches(self, condition: str, build: BuildQuery = rows_query) -> Iterator[pa.Table]:
        """Stream rows ordered by `published_at`, in batches of about 1 MB; the first batch is empty."""
        return self._database.rows(build(self.spec, self._catalogue, condition), self._catalogue.settings)

    def _conform(self, rows: Rows) -> Rows:
        """Cast rows to the schema of the spec and sort them."""
        schema = self.spec.source_schema
        cast = (_cast(table, self.spec) for table in tables_of(rows))
        return ordered(collected(cast, schema), self.spec.sorted_by)


def _cast(rows: pa.Table, spec: DatasetSpec) -> pa.Table:
    """Cast rows of a query to the schema of the source."""
    for name in (column.name for column in lists(spec)):
        nested = rows.filter(pc.greater(rows[dimensions_of(name)], 1))
        if nested.num_rows:  # the driver has flattened them already
            raise ContractError(
                f"Column {name} of the row with id {as_strings(nested['row_id'])[0]} in PostgreSQL has several"
                f" dimensions: {format_value(nested[name][0])} cannot be published as list<string>: put its elements"
                " into one dimension."
            )
    return conform_source_rows(rows, rows["row_id"], spec.source_schema)
