"""The new columns of a file: PostgreSQL's values in the order of the rows, and a checksum of what it said."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.digest import row_digests
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.io.staged import joined, tables_of
from govbr_assets.operations.migrate.new_values import ValuesOf, values_schema
from govbr_assets.operations.old_file import OldFile
from govbr_assets.operations.verify import RowChecksum


class NewColumns:
    """New columns for the rows of a file.

    Args:
        old: the file as it stands.
        values: of the new columns for its rows.
        spec: with the new columns.

    Attributes:
        spec: the new columns alone: rows are told apart by their place.
        said: of the ids and the new columns of the rows that were streamed, as PostgreSQL said them.
        unknown: how many of these rows PostgreSQL has not; their new columns are null.
    """

    def __init__(self, old: OldFile, values: ValuesOf, spec: DatasetSpec) -> None:
        self._old, self._values, self._key = old, values, old.spec.schema.field(old.spec.key)
        columns = tuple(replace(each, since=1) for each in spec.columns if each.name not in old.spec.schema.names)
        self.spec = replace(spec, columns=columns, key="", event_time="", newest_by=())
        self.said, self.unknown = RowChecksum(), 0

    @property
    def said_schema(self) -> pa.Schema:
        """What `said` is a checksum of: the id and the new columns."""
        return pa.schema([self._key, *self.spec.schema])

    def tables(self) -> Iterator[pa.Table]:
        """Stream them: [n rows x new columns] each. A month of many values is on the disk, but for its ids."""
        schema = values_schema(self._key, self.spec.schema)
        nothing = pa.table([pa.nulls(1, each.type) for each in schema], schema=schema)
        for month in dict.fromkeys(self._old.months):
            ids = pa.concat_arrays([keys[self._key.name].combine_chunks() for keys in self._old.keys(month)])
            found = self._values(month, ids)
            at = pc.index_in(ids, value_set=found[self._key.name].combine_chunks())
            self._count(ids, found["digest"].combine_chunks(), at)
            rows = joined(found, nothing).select(self.spec.schema.names)
            yield from tables_of(rows.take(pc.fill_null(at, found.num_rows)))

    def _count(self, ids: pa.Array, digests: pa.Array, at: pa.Array) -> None:
        """Count rows by the digest of what PostgreSQL says of them, and those of which it says nothing."""
        unknown = ids.filter(at.is_null())
        empty = [unknown, *(pa.nulls(len(unknown), each.type) for each in self.spec.schema)]
        self.said += RowChecksum.of(digests.take(at.drop_null()))
        self.said += RowChecksum.of(row_digests(pa.table(empty, schema=self.said_schema), self.said_schema))
        self.unknown += len(unknown)
