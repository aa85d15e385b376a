"""The one way to make a data file: its old rows, less those that are deleted, with those that are inserted.

Which rows these are is decided by whoever asks. Months without a change are copied byte for byte (`assemble`).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.merge import merge
from govbr_assets.core.periods import in_order
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.errors import ContractError
from govbr_assets.io import memory
from govbr_assets.io.parallel import map_ordered
from govbr_assets.io.staged import Rows, table_of, tables_of
from govbr_assets.operations.assemble import assemble
from govbr_assets.operations.old_file import OldSide, rows_by_month
from govbr_assets.operations.row_deletes import Deletes
from govbr_assets.operations.verify import RowChecksum, verify

MONTH_BYTES = 24 << 20
"""Bytes of a month from which on it is not in memory as a whole, and of the months that are made side by side."""

_AT_ONCE = 3  # months that are made side by side: most of it is compression, for which Arrow needs no Python
DELETE_SCHEMA = pa.schema([("unique_id", pa.string()), ("digest", pa.int64())])


@dataclass(frozen=True)
class FileEdit:
    """What changes in a file.

    Attributes:
        delete: [n rows x 2] `unique_id` and `digest` of rows that go, each as often as it is there; a null digest
            stands for all versions of the id. They must be there.
        insert: rows that come, [n rows x columns] with those of `digested_schema` in any order, by their month.
    """

    delete: pa.Table = field(default_factory=DELETE_SCHEMA.empty_table)
    insert: Mapping[int, Rows] = field(default_factory=dict)

    @classmethod
    def of(cls, delete: Collection[str], insert: Rows, spec: DatasetSpec) -> Self:
        """Delete all versions of some ids, and insert rows, [n rows x columns].

        Raises:
            NoRoomError: the disk for temporary files is full.
        """
        ids = pa.array(delete, pa.string())
        gone = pa.table([ids, pa.nulls(len(ids), pa.int64())], schema=DELETE_SCHEMA)
        return cls(gone, rows_by_month(insert, spec))


@dataclass(frozen=True)
class RewrittenFile:
    """A file that was made and verified.

    Attributes:
        path: on the Hub.
        local: where it lies; None if no row is left.
        rows: how many it has.
        months: of each of its row groups.
        fresh: the bytes of row groups that were made anew, before the upload finds what it knows in them.
        deleted: of the rows that went.
        inserted: of the rows that came.
        found: which of the watched ids are there.
    """

    path: str
    local: Path | None
    rows: int
    months: list[int]
    fresh: list[range]
    deleted: RowChecksum
    inserted: RowChecksum
    found: pa.Array


def rewrite(
    path: str,
    old: OldSide | None,
    edit: FileEdit,
    folder: Path,
    spec: DatasetSpec,
    watched: pa.Array | None = None,
) -> RewrittenFile:
    """Make a file anew, and verify it.

    Args:
        path: of the file on the Hub.
        old: as it stands; None if there is none.
        edit: what changes.
        folder: where files may be made; `new-` begins the name of each.
        spec: of the dataset.
        watched: ids that are looked for in what was made.

    Raises:
        ProofError: a row that is to be deleted is not there, or the rows that were written are not the ones that
            should be.
    """
    changed = set(edit.insert) | (old.changed_by(edit.delete) if old else set())
    made = _Rewrite(path, old, edit, folder, spec, watched)
    try:
        return made.make(changed)
    except ContractError:
        if not old or changed >= set(old.months):
            raise
    made = _Rewrite(path, old, edit, folder, spec, watched)
    return made.make(changed | set(old.months))  # what cannot be copied: others'


@dataclass
class _Month:
    """A month that is made anew: its file, how many rows it has, and what became of old and new ones."""

    month: int
    local: Path
    rows: int = 0
    before: RowChecksum = field(default_factory=RowChecksum)
    inserted: RowChecksum = field(default_factory=RowChecksum)
    deleted: RowChecksum = field(default_factory=RowChecksum)


class _Rewrite:
    """One file in the making; arguments as of `rewrite`."""

    def __init__(
        self,
        path: str,
        old: OldSide | None,
        edit: FileEdit,
        folder: Path,
        spec: DatasetSpec,
        watched: pa.Array | None,
    ) -> None:
        self._path, self._old, self._edit, self._folder = path, old, edit, folder
        self._spec, self._watched = spec, watched
        self._deletes = Deletes(edit.delete)

    def make(self, changed: set[int]) -> RewrittenFile:
        """Make the months that change, copy the others, and verify what was written."""
        months = [_Month(month, self._folder / f"new-month-{month}") for month in sorted(changed)]
        for _ in map_ordered(self._write, months, self._at_once(months)):
            pass
        self._deletes.check(self._path)
        memory.release_free_memory()
        made = assemble(self._local, self._old, {month.month: month.local for month in months if month.rows}, changed)
        for month in months:
            month.local.unlink(missing_ok=True)
        deleted = sum((month.deleted for month in months), RowChecksum())
        inserted = sum((month.inserted for month in months), RowChecksum())
        before = sum((month.before for month in months), RowChecksum())
        expected = before - deleted + inserted
        found = pa.array([], pa.string())
        if made.months:
            whole = [month in changed for month in made.months]
            found = verify(self._local, self._path, whole, expected, self._spec, self._watched)
        else:
            expected.check(RowChecksum(), self._path)
        memory.release_free_memory()
        local = self._local if made.months else None
        return RewrittenFile(self._path, local, made.rows, made.months, made.fresh, deleted, inserted, found)

    @property
    def _local(self) -> Path:
        return self._folder / f"new-{Path(self._path).name}"

    def _at_once(self, months: Sequence[_Month]) -> int:
        """Return how many months are made side by side: together they are no more than one may be."""
        old = self._old.sizes() if self._old else Counter[int]()
        inserted = {month: rows.nbytes for month, rows in self._edit.insert.items()}
        largest = max((old[each.month] + inserted.get(each.month, 0) for each in months), default=1)
        return max(1, min(_AT_ONCE, len(months), MONTH_BYTES // max(1, largest)))

    def _write(self, month: _Month) -> None:
        """Write the file of a month."""
        with month.local.open("wb") as sink:
            rows = merge(self._staying(month), self._coming(month), self._spec)
            month.rows = encode_to(sink, rows, self._spec)

    def _staying(self, month: _Month) -> Iterator[pa.Table]:
        """Stream the old rows of a month that stay."""
        for rows in self._old.rows(month.month) if self._old else ():
            month.before += RowChecksum.of(rows["digest"])
            if self._edit.delete.num_rows:
                goes = self._deletes.mark(rows)
                month.deleted += RowChecksum.of(rows["digest"].filter(goes))
                rows = rows.filter(pc.invert(goes))
            yield rows.select(self._spec.schema.names)

    def _coming(self, month: _Month) -> Iterator[pa.Table]:
        """Stream the new rows of a month."""
        rows = self._edit.insert.get(month.month)
        if rows is not None:
            rows = table_of(rows) if rows.nbytes <= MONTH_BYTES else rows
            month.inserted += RowChecksum.of(rows["digest"])
            yield from tables_of(in_order(rows.select(self._spec.schema.names), self._spec))
