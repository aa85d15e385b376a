"""Values of new columns for the rows of a file: of PostgreSQL only ids and these columns are read."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day
from govbr_assets.core.digest import row_digests
from govbr_assets.core.layout import UNDATED
from govbr_assets.io.staged import Rows, tables_of
from govbr_assets.io.staging import RowCollector
from govbr_assets.postgres.news import NewsTable

_LOOKUP_IDS = 10_000  # ids whose rows are looked up at a time, wherever they are

ValuesOf = Callable[[int, pa.Array], Rows]
"""Gives for a month such as 202601, and the ids that a file has in it, [n rows x columns of `values_schema`].

Of an id that PostgreSQL has not there is no row.
"""


def values_schema(key: pa.Field, columns: pa.Schema) -> pa.Schema:
    """Give the schema of values: the id, the new columns, and the digest of both."""
    return pa.schema([key, *columns, pa.field("digest", pa.int64())])


class NewValues:
    """What PostgreSQL says of new columns.

    Args:
        news: the table.
        names: of the new columns.
    """

    def __init__(self, news: NewsTable, names: Sequence[str]) -> None:
        self._spec = news.spec.with_columns(names)
        self._news = news.of(self._spec)
        self._schema = values_schema(self._spec.schema.field(self._spec.key), self._spec.select(names))

    def of(self, month: int, ids: pa.Array) -> Rows:
        """Read the values for the rows of a month: by its days, and by id for ids that are not there.

        They are in memory, or on the disk if they are many.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable, or the connection broke.
            SourceError: PostgreSQL rejects the query.
            ContractError: a value cannot be published; the message names column, row and value.
            NoRoomError: the disk for temporary files is full.
        """
        collector, known = RowCollector(self._schema), [pa.array([], pa.string())]
        for rows in self._of_days(month):
            named = self._by_id(rows, ids)
            known.append(named[self._spec.key].combine_chunks())
            collector.add(named)
        missing = ids.filter(pc.invert(pc.is_in(ids, value_set=pa.concat_arrays(known))))
        for start in range(0, len(missing), _LOOKUP_IDS):
            some = missing.slice(start, _LOOKUP_IDS)
            for rows in tables_of(self._news.lookup(some.to_pylist())):
                collector.add(self._by_id(rows, some))
        return collector.rows()

    def _of_days(self, month: int) -> Iterator[pa.Table]:
        """Read the rows of all days of a month."""
        days = [] if month == UNDATED else _days(month)
        read = self._news.read_days(days)
        return (rows for day in days for rows in tables_of(read(day)))

    def _by_id(self, rows: pa.Table, ids: pa.Array) -> pa.Table:
        """Put values under each id that the Hub may have for their row, if it has, and add digests."""
        spec, schema = self._spec, pa.schema([*self._schema][:-1])
        claimed = rows.set_column(rows.schema.get_field_index(spec.key), spec.schema.field(spec.key), rows[spec.claim])
        both = pa.concat_tables([each.select(schema.names).cast(schema) for each in (rows, claimed)])
        both = both.filter(pc.is_in(both[spec.key], value_set=ids))
        return both.append_column("digest", row_digests(both, schema))


def _days(month: int) -> list[Day]:
    """List the days of a month such as 202601."""
    first = date(month // 100, month % 100, 1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return [Day(first + timedelta(days=number)) for number in range((after - first).days)]
