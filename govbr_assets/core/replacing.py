"""Rows of a file that go because a day says so: which they are is said by `diff`."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc


class Replaced:
    """Divides the rows of a file, old and new ones, as `consolidation.Survivors` does for duplicates.

    Args:
        delete: ids on the Hub of the old rows that go.

    Attributes:
        ids: the same.
    """

    NEW = "PostgreSQL"
    """The source of new rows."""

    def __init__(self, delete: Collection[str]) -> None:
        self.ids = pa.array(delete, pa.string())

    def of(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Divide rows of `SOURCED_SCHEMA` into those that stay and those that go: all of the same days must be here."""
        goes = pc.and_(pc.is_in(rows["unique_id"], self.ids), pc.not_equal(rows["source"], self.NEW))
        return rows.filter(pc.invert(goes)), rows.filter(goes)

    def lost(self, stay: pa.Table, go: pa.Table) -> pa.Array:
        """List rows that go although nobody said so."""
        ids = go["unique_id"].combine_chunks()
        return ids.filter(pc.invert(pc.is_in(ids, value_set=self.ids)))
