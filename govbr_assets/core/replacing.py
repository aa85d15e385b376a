"""Rows of a folded file that go and rows that come in their place, with what differs between them.

Which they are is said by `compare`; how the file is made is `fold`'s business.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.diff import differing_columns


class Replaced:
    """Divides the rows of a file, old and new ones, as `consolidation.Survivors` does for doubled ids.

    Args:
        gone: id on the Hub of each old row that goes; beside it the id of the new one in its place, None if it is
            removed or moves to another file. A new row has the `published_at` of the same day.
        tell_columns: hears the id of each new row and the columns in which it differs from the old one.

    Attributes:
        ids: of the old rows that go.
    """

    NEW = "PostgreSQL"
    """The source of new rows."""

    def __init__(self, gone: Mapping[str, str | None], tell_columns: Callable[[str, list[str]], None]) -> None:
        self.ids = pa.array(gone.keys(), pa.string())
        self._new_ids = pa.array(gone.values(), pa.string())
        self._tell_columns = tell_columns

    def of(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Divide rows of `SOURCED_SCHEMA` into those that stay and those that go: all of the same days must be here."""
        goes = pc.and_(pc.is_in(rows["unique_id"], self.ids), pc.not_equal(rows["source"], self.NEW))
        stay, go = rows.filter(pc.invert(goes)), rows.filter(goes)
        places = pc.index_in(self._in_place_of(go), value_set=stay["unique_id"].combine_chunks())
        old, new = go.filter(places.is_valid()), stay.take(places.drop_null())
        published = [name for name in rows.column_names if name not in ("digest", "source")]
        for unique_id, columns in zip(
            new["unique_id"].to_pylist(), differing_columns(old, new, published), strict=True
        ):
            self._tell_columns(unique_id, columns)
        return stay, go

    def lost(self, stay: pa.Table, go: pa.Table) -> pa.Array:
        """List rows that go although the one in their place is not here."""
        wanted = self._in_place_of(go)
        here = pc.is_in(wanted, value_set=stay["unique_id"].combine_chunks())
        return go["unique_id"].combine_chunks().filter(pc.and_(wanted.is_valid(), pc.invert(here)))

    def _in_place_of(self, go: pa.Table) -> pa.Array:
        """Tell the id of the new row for each that goes; null if there is none."""
        return self._new_ids.take(pc.index_in(go["unique_id"].combine_chunks(), value_set=self.ids))
