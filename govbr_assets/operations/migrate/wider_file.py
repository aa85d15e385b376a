"""A data file with new columns: its column chunks byte for byte, those of the new columns behind them, and the proof.

The footer has the columns in their declared order wherever their chunks lie. With Xet there travel the new chunks, and
some 80 kB a file: the footer, and the end of the old data, since Xet cuts a file every 64 kB or so.
"""

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.column_join import join_columns
from govbr_assets.core.digest import row_digests
from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.row_group_copy import splice
from govbr_assets.core.row_groups import row_groups
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset.parquet import encode, encode_to
from govbr_assets.errors import ContractError
from govbr_assets.io import memory
from govbr_assets.io.parallel import map_ordered
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staging import parquet_rows
from govbr_assets.operations.assemble import side_by_side
from govbr_assets.operations.migrate.new_columns import NewColumns
from govbr_assets.operations.migrate.new_values import ValuesOf
from govbr_assets.operations.old_file import OldFile, OldRows
from govbr_assets.operations.rewrite import FileEdit, rewrite
from govbr_assets.operations.verify import RowChecksum, verify, verify_copy

_ROWS, _BYTES = 1_000, 8 << 20  # that are read back at a time


@dataclass(frozen=True)
class WiderFile:
    """A file that was made and proven.

    Attributes:
        local: where it lies.
        rows: how many it has.
        unknown: rows of those that PostgreSQL has not, whose new columns are null.
        fresh: the bytes of its new columns.
    """

    local: Path
    rows: int
    unknown: int
    fresh: Sequence[range]


def widen(path: str, old: OldFile, values: ValuesOf, folder: Path, spec: DatasetSpec) -> WiderFile:
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
    source, narrow, local = _copyable(path, old, folder), folder / "new-columns", folder / f"new-{Path(path).name}"
    columns = NewColumns(source, values, spec)
    with narrow.open("wb") as sink:
        encode_to(sink, columns.tables(), columns.spec, source.group_rows)
    memory.release_free_memory()
    fresh = _join([source.local, narrow], local, spec)
    narrow.unlink()
    if source is not old:
        source.local.unlink()
    _prove(path, old, local, columns, spec)
    return WiderFile(local, columns.said.rows, columns.unknown, fresh)


def _copyable(path: str, old: OldFile, folder: Path) -> OldFile:
    """Take a file as it is, or its rows written anew if somebody else wrote them, so that no other could be beside."""
    try:
        with old.local.open("rb") as file:
            join_columns([row_groups(file)], _empty(old.spec))
        return old
    except ContractError:
        with pq.ParquetFile(old.local) as parquet:
            rows = OldRows(parquet_rows(parquet, old.spec.schema), old.spec)
            made = rewrite(path, rows, FileEdit(), folder, old.spec)
        assert made.local
        return OldFile(made.local.rename(folder / "old-anew"), made.months, old.spec)


def _join(parts: Sequence[Path], local: Path, spec: DatasetSpec) -> Sequence[range]:
    """Put the columns of files into one, each chunk byte for byte, and say where those of the last one are."""
    with ExitStack() as stack:
        files = [stack.enter_context(part.open("rb")) for part in parts]
        groups = join_columns([row_groups(file) for file in files], _empty(spec))
        with local.open("w+b") as sink:
            written = splice(groups, sink)
            for group, new in zip(groups, written, strict=True):
                verify_copy(group, new)
        pairs = (zip(old.chunks, new.chunks, strict=True) for old, new in zip(groups, written, strict=True))
        return side_by_side(new for each in pairs for old, new in each if old.file is files[-1])


def _empty(spec: DatasetSpec) -> io.BytesIO:
    """Write a file without rows."""
    return io.BytesIO(encode(spec.schema.empty_table(), spec))


def _prove(path: str, old: OldFile, local: Path, columns: NewColumns, spec: DatasetSpec) -> None:
    """Read a file back: each row has the old columns that it had, and the new ones that PostgreSQL said."""
    groups = pq.read_metadata(local).num_row_groups
    verify(local, path, [False] * groups, RowChecksum(), spec)
    sides = [(old.local, [old.spec.schema]), (local, [old.spec.schema, columns.said_schema])]
    ((was,), (found, values)) = map_ordered(lambda side: _read_back(*side), sides, len(sides))
    was.check(found, f"the old columns of {path}")
    columns.said.check(values, f"the new columns of {path}")
    memory.release_free_memory()


def _read_back(local: Path, schemas: Sequence[pa.Schema]) -> list[RowChecksum]:
    """Read a file back: its rows under some columns, and under others."""
    found = [RowChecksum() for _ in schemas]
    with pq.ParquetFile(local, pre_buffer=False, buffer_size=1 << 20) as parquet:
        for group, sizes in enumerate(group_sizes(parquet.metadata)):
            at_once = rows_at_once(*sizes, most_rows=_ROWS, most_bytes=_BYTES)
            for batch in parquet.iter_batches(at_once, row_groups=[group], use_threads=False):
                rows = pa.Table.from_batches([batch])
                here = (RowChecksum.of(row_digests(rows.select(each.names), each)) for each in schemas)
                found = [before + more for before, more in zip(found, here, strict=True)]
    return found
