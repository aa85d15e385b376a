"""Which columns differ between rows of PostgreSQL and of the Hub that are in place: counted by digests of each value.

What differs of rows as a whole, such as their day, belongs to `row_differences`. Streaming, partitioning and reading
the values of an example belong to `operations.reconcile.columns`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.digest import row_digests
from govbr_assets.core.identity import hashes
from govbr_assets.core.row_differences import first_of_each, local_days
from govbr_assets.core.spec import DatasetSpec

_BEFORE, _SHOWN = 20, 60  # characters of a text before the first difference, and from there on


@dataclass(frozen=True)
class ColumnDifference:
    """In how many rows a column differs, and one of them.

    Attributes:
        column: its name.
        rows: how many.
        day: of the example.
        unique_id: of the example in PostgreSQL.
        hub: its value on the Hub; of a long text what is around the first difference.
        postgres: its value in PostgreSQL, likewise.
    """

    column: str
    rows: int
    day: date
    unique_id: str
    hub: str
    postgres: str


@dataclass(frozen=True, order=True)
class Example:
    """A row in which a column differs.

    Attributes:
        file: number of the file on the Hub that has it.
        day: its day.
        hub_id: hash of its id there.
        postgres_id: hash of its id in PostgreSQL.
    """

    file: int
    day: date
    hub_id: int
    postgres_id: int


def values_schema(spec: DatasetSpec) -> pa.Schema:
    """Return the schema of rows to compare by columns: id, day, id on its side, number of the file, a digest a column.

    Ids are hashed, as in `row_differences.ROWS_SCHEMA`.
    """
    columns = [(_digest_of(name), pa.int64()) for name in spec.schema.names]
    return pa.schema([("id", pa.int64()), ("day", pa.date32()), ("own", pa.int64()), ("file", pa.int32()), *columns])


def values_of(rows: pa.Table, spec: DatasetSpec, file: int = 0) -> pa.Table:
    """Convert published rows to rows to compare: [n rows x columns] to [n rows x 4 + columns] of `values_schema`."""
    ids = hashes(rows[spec.key])
    fields = [pa.schema([spec.schema.field(name)]) for name in spec.schema.names]
    digests = [row_digests(rows.select(field.names).cast(field), field) for field in fields]
    numbers = pa.array([file] * rows.num_rows, pa.int32())
    return pa.table([ids, local_days(rows[spec.event_time]), ids, numbers, *digests], schema=values_schema(spec))


def differing_columns(postgres: pa.Table, hub: pa.Table, spec: DatasetSpec) -> Iterator[tuple[str, int, Example]]:
    """Count the rows in which columns differ: of those that both sides have under the same day, each once.

    Args:
        postgres: of `values_schema`, with unique ids.
        hub: likewise, with current ids (`row_differences.resolve_legacy_ids`).
        spec: of the dataset; its key is left out, whose changes are told as such.

    Yields:
        A column, how many rows, and the first of them; nothing for columns that differ in none.
    """
    at = pc.index_in(hub["id"].combine_chunks(), value_set=postgres["id"].combine_chunks())
    beside = postgres.take(at)
    in_place = pc.fill_null(pc.equal(hub["day"], beside["day"]), False)
    names = {name: _digest_of(name) for name in spec.schema.names}
    unlike = {name: pc.fill_null(pc.not_equal(hub[each], beside[each]), True) for name, each in names.items()}
    changed = pa.array([False] * hub.num_rows, pa.bool_())
    for differs in unlike.values():
        changed = pc.or_(changed, _whole(differs))
    first = first_of_each(hub["id"], hub["day"].combine_chunks(), _whole(in_place), changed)
    counted = pc.and_(first, _whole(in_place))
    for name, differs in unlike.items():
        mask = pc.and_(counted, _whole(differs))
        found = hub.filter(mask).select(["file", "day", "own", "id"])
        if found.num_rows and name != spec.key:
            yield name, found.num_rows, min(Example(*row.values()) for row in found.to_pylist())


def excerpts(values: Sequence[object]) -> list[str]:
    """Return values as texts in quotes, but `null`; of two long texts what is around the first difference."""
    if not all(isinstance(each, str) for each in values):
        return ["null" if each is None else _cut(f"{each}", 0) for each in values]
    texts = [f"{each}" for each in values]
    letters = enumerate(zip(*texts, strict=False))
    same = next((at for at, each in letters if len({*each}) > 1), min(map(len, texts)))
    return [_cut(text, max(0, same - _BEFORE)) for text in texts]


def _cut(text: str, start: int) -> str:
    end = start + _BEFORE + _SHOWN
    return repr(f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}")


def _digest_of(name: str) -> str:
    return f"digest of {name}"


def _whole(mask: pa.Array | pa.ChunkedArray) -> pa.Array:
    return mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
