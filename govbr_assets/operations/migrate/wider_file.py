"""A data file with new columns: its old rows with their values joined on, and the proof that both are as they were."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.digest import row_digests
from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import digested
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ProofError
from govbr_assets.io.sizes import group_sizes
from govbr_assets.operations.migrate.new_values import NewValues, values_schema
from govbr_assets.operations.old_file import OldFile
from govbr_assets.operations.rewrite import FileEdit, RewrittenFile, rewrite
from govbr_assets.operations.verify import RowChecksum

_ROWS, _BYTES = 1_000, 8 << 20  # that are read back at a time


@dataclass(frozen=True)
class Joined:
    """What was joined in a month, or in a file.

    Attributes:
        old: of the old columns as they were read.
        new: of the ids and the new columns as PostgreSQL said them.
        unknown: rows that PostgreSQL has not, whose new columns are null.
    """

    old: RowChecksum = field(default_factory=RowChecksum)
    new: RowChecksum = field(default_factory=RowChecksum)
    unknown: int = 0

    def __add__(self, other: "Joined") -> "Joined":
        return Joined(self.old + other.old, self.new + other.new, self.unknown + other.unknown)


class WiderFile:
    """The old rows of a file with new columns, for `rewrite`; row groups end where they did.

    Args:
        old: the file as it stands.
        values: of the new columns.
        spec: with them.
    """

    def __init__(self, old: OldFile, values: NewValues, spec: DatasetSpec) -> None:
        self._old, self._values, self._spec = old, values, spec
        self._joined: dict[int, Joined] = {}  # by month: they are made side by side

    @property
    def months(self) -> Sequence[int]:
        """The month of each row group."""
        return self._old.months

    @property
    def joined(self) -> Joined:
        """What was joined."""
        return sum(self._joined.values(), Joined())

    def rows(self, month: int) -> Iterator[pa.Table]:
        """Stream the rows of a month: [n rows x columns] each of the `digested_schema` with the new columns."""
        values, self._joined[month] = self._values.of(month), Joined()
        for rows in self._old.rows(month):
            at = pc.index_in(rows[self._spec.key], value_set=values[self._spec.key].combine_chunks()).combine_chunks()
            self._joined[month] += self._counted(rows, values, at)
            taken = {name: values[name].take(at) for name in values.column_names if name != self._spec.key}
            columns = [taken[name] if name in taken else rows[name] for name in self._spec.schema.names]
            yield digested(pa.table(columns, schema=self._spec.schema), self._spec)

    def sizes(self) -> Counter[int]:
        """Count the bytes of each month before they were compressed."""
        sizes = self._old.sizes()
        for month, rows in self._values.by_month.items():
            sizes[month] += rows.nbytes
        return sizes

    def changed_by(self, delete: pa.Table) -> set[int]:
        """Tell the months that change: all."""
        return set(self.months)

    def fixed_groups(self, month: int) -> Sequence[int]:
        """Tell how many rows the row groups of a month have: the pages of its columns stay byte for byte the same."""
        return self._old.group_rows(month)

    def _counted(self, rows: pa.Table, values: pa.Table, at: pa.Array) -> Joined:
        """Count rows by their digest under the old columns, and by that of what PostgreSQL says of the new ones."""
        unknown = rows.filter(at.is_null())
        schema, key = values_schema(self._values.spec), self._spec.key
        empty = [unknown[key] if each.name == key else pa.nulls(unknown.num_rows, each.type) for each in schema]
        said = RowChecksum.of(values["digest"].take(at.drop_null()))
        said += RowChecksum.of(row_digests(pa.table(empty, schema=schema), schema))
        return Joined(RowChecksum.of(rows["digest"]), said, unknown.num_rows)


def widen(path: str, old: OldFile, values: NewValues, folder: Path, spec: DatasetSpec) -> tuple[RewrittenFile, Joined]:
    """Make a file anew with new columns, and prove it.

    Args:
        path: of the file on the Hub.
        old: as it stands.
        values: of the new columns for its rows.
        folder: where files may be made.
        spec: with the new columns.

    Raises:
        ProofError: an old column or a row is not what it was, or a new one not what PostgreSQL said.
    """
    wider = WiderFile(old, values, spec)
    made = rewrite(path, wider, FileEdit(), folder, spec)
    joined = wider.joined
    if joined.old.rows != (rows := pq.read_metadata(old.local).num_rows):
        raise ProofError(f"{path} has {rows} rows, of which {joined.old.rows} were read. Nothing was published.")
    if made.local:
        before, after = _read_back(made.local, old.spec, values_schema(values.spec))
        joined.old.check(before, f"the old columns of {path}")
        joined.new.check(after, f"the new columns of {path}")
    return made, joined


def _read_back(local: Path, old: DatasetSpec, new: pa.Schema) -> tuple[RowChecksum, RowChecksum]:
    """Read a file back: its rows under the old columns, and under the new ones."""
    before, after = RowChecksum(), RowChecksum()
    with pq.ParquetFile(local, pre_buffer=False, buffer_size=1 << 20) as parquet:
        for group, sizes in enumerate(group_sizes(parquet.metadata)):
            at_once = rows_at_once(*sizes, most_rows=_ROWS, most_bytes=_BYTES)
            for batch in parquet.iter_batches(at_once, row_groups=[group], use_threads=False):
                rows = pa.Table.from_batches([batch])
                before += RowChecksum.of(row_digests(rows.select(old.schema.names), old.schema))
                after += RowChecksum.of(row_digests(rows.select(new.names), new))
    return before, after
