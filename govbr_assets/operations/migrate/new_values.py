"""Values of new columns for the rows of a file: of PostgreSQL only ids and these columns are read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day
from govbr_assets.core.digest import row_digests
from govbr_assets.core.layout import UNDATED
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.io.staged import Rows, table_of, tables_of
from govbr_assets.io.staging import RowCollector
from govbr_assets.operations.old_file import OldFile
from govbr_assets.postgres.news import NewsTable

_LOOKUP_IDS = 10_000  # ids whose rows are looked up at a time, wherever they are


@dataclass(frozen=True)
class NewValues:
    """What PostgreSQL says of new columns.

    Attributes:
        spec: the key and the time of a row, and the new columns.
        by_month: [n rows x columns of `schema`], under each id that the Hub may have.
    """

    spec: DatasetSpec
    by_month: Mapping[int, Rows]

    @property
    def schema(self) -> pa.Schema:
        """The id, the new columns, and the digest of both."""
        return values_schema(self.spec).append(pa.field("digest", pa.int64()))

    def of(self, month: int) -> pa.Table:
        """Give those of a month."""
        return table_of(self.by_month[month]) if month in self.by_month else self.schema.empty_table()


def values_schema(spec: DatasetSpec) -> pa.Schema:
    """Give the schema of the key and the new columns."""
    return pa.schema([field for field in spec.schema if field.name != spec.event_time])


def read_new_values(news: NewsTable, old: OldFile, names: Sequence[str]) -> NewValues:
    """Read the values of new columns for the rows of a file: by their months, and of ids that are not there by id.

    Args:
        news: the table.
        old: the file.
        names: of the new columns.

    Raises:
        SourceUnavailableError: PostgreSQL is unreachable, or the connection broke.
        SourceError: PostgreSQL rejects the query.
        ContractError: a value cannot be published; the message names column, row and value.
    """
    spec = news.spec.with_columns(names)
    narrow, months = news.of(spec), sorted(set(old.months))
    values = NewValues(spec, {})
    collectors = {month: RowCollector(values.schema) for month in months}
    days = [day for month in months if month != UNDATED for day in _days(month)]
    read = narrow.read_days(days)
    for day in days:
        for rows in tables_of(read(day)):
            collectors[day.date.year * 100 + day.date.month].add(_by_id(rows, spec))
    found = {month: collector.rows() for month, collector in collectors.items()}
    missing = {month: _missing(old, month, found[month], spec) for month in months}
    elsewhere = RowCollector(values.schema)
    wanted = pa.concat_arrays([pa.array([], pa.string()), *missing.values()])
    for start in range(0, len(wanted), _LOOKUP_IDS):
        ids = wanted.slice(start, _LOOKUP_IDS)
        for rows in tables_of(narrow.lookup(ids.to_pylist())):
            named = _by_id(rows, spec)
            elsewhere.add(named.filter(pc.is_in(named[spec.key], value_set=ids)))
    rest = elsewhere.rows()
    for month, ids in missing.items():
        if len(ids) and rest.num_rows:
            found[month] = _beside(found[month], rest, ids, values.schema, spec)
    return NewValues(spec, found)


def _by_id(rows: pa.Table, spec: DatasetSpec) -> pa.Table:
    """Put values under each id that the Hub may have for their row, and add digests."""
    schema = values_schema(spec)
    claimed = rows.filter(rows[spec.claim].is_valid())
    claimed = claimed.set_column(
        claimed.schema.get_field_index(spec.key), spec.schema.field(spec.key), claimed[spec.claim]
    )
    both = pa.concat_tables([each.select(schema.names).cast(schema) for each in (rows, claimed)])
    return both.append_column("digest", row_digests(both, schema))


def _missing(old: OldFile, month: int, values: Rows, spec: DatasetSpec) -> pa.Array:
    """List the ids of a month of the file that have no value there."""
    known = values[spec.key].combine_chunks()
    ids = pa.concat_arrays([pa.array([], pa.string()), *_ids(old, month, spec)])
    return ids.filter(pc.invert(pc.is_in(ids, value_set=known)))


def _ids(old: OldFile, month: int, spec: DatasetSpec) -> Iterator[pa.Array]:
    for keys in old.keys(month):
        yield keys[spec.key].combine_chunks()


def _beside(values: Rows, rest: Rows, ids: pa.Array, schema: pa.Schema, spec: DatasetSpec) -> Rows:
    """Add those of some ids."""
    collector = RowCollector(schema)
    for rows in tables_of(values):
        collector.add(rows)
    for rows in tables_of(rest):
        collector.add(rows.filter(pc.is_in(rows[spec.key], value_set=ids)))
    return collector.rows()


def _days(month: int) -> list[Day]:
    """List the days of a month such as 202601."""
    first = date(month // 100, month % 100, 1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return [Day(first + timedelta(days=number)) for number in range((after - first).days)]
