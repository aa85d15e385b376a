"""Rows of PostgreSQL as rows of the contract: cast without loss, or named by column, row and value.

What the contract is belongs to `contract`; rows of files on the Hub are converted in `conform_file`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import EARLIEST, LATEST, as_strings, first_misfit, format_value, is_number
from govbr_assets.errors import ContractError

_EXAMPLES = 20
"""Rows that are named."""

_SURROUNDINGS = 20
"""Bytes that are shown on either side of one that is no text."""


@dataclass
class LeftOut:
    """Rows of PostgreSQL that no day can publish.

    Attributes:
        rows: how many there are.
        examples: why, of some of them.
    """

    rows: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, column: str, mask: pa.ChunkedArray, why: str, row_ids: pa.ChunkedArray) -> None:
        """Note rows that are marked."""
        for row in as_strings(row_ids.filter(mask)):
            self.note(f"Column {column} of the row with id {row} in PostgreSQL {why}.")

    def note(self, why: str) -> None:
        """Note a row, with a sentence that names it."""
        self.rows += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(why)


def conform_source_rows(rows: pa.Table, row_ids: pa.ChunkedArray, schema: pa.Schema) -> pa.Table:
    """Cast rows from PostgreSQL to the contract, without loss or not at all.

    Args:
        rows: [n rows x 25], the columns of `schema` under their names, in any castable type.
        row_ids: [n rows], the primary key of each row, for the error message.
        schema: what is wanted, all columns of `DatasetSpec.source_schema` or some.

    Returns:
        [n rows x 25] with exactly `schema`.

    Raises:
        ContractError: a value does not fit; the message names column, row id and value.
    """
    columns = [_cast(rows.column(field.name), field, row_ids) for field in schema]
    return pa.table(columns, schema=schema)


def without_unpublishable(rows: pa.Table, schema: pa.Schema, left_out: LeftOut) -> pa.Table:
    """Take out the rows whose id cannot be published; of the others, a time that no day has and the like become null.

    Args:
        rows: [n rows x 4], keys with the primary key `row_id`, in any castable type.
        schema: of the keys: `DatasetSpec.source_keys_schema`.
        left_out: takes what was found.
    """
    keep = pa.chunked_array([pa.repeat(True, rows.num_rows)])
    for why, faulty in _faults(rows["unique_id"], schema.field("unique_id")):
        left_out.add("unique_id", faulty, why, rows["row_id"])
        keep = pc.and_not(keep, faulty)
    rows = rows.filter(keep)
    if rows["published_at"].null_count:
        left_out.add("published_at", rows["published_at"].is_null(), "is null", rows["row_id"])
    for name in ("legacy_unique_id", "published_at"):
        rows = without_faults(rows, schema.field(name), left_out)
    return rows


def without_faults(rows: pa.Table, field: pa.Field, left_out: LeftOut) -> pa.Table:
    """Take out the values of a column that cannot be published: they become null.

    Args:
        rows: [n rows x any columns] with the primary key `row_id`.
        field: the column of the contract.
        left_out: takes what was found.
    """
    column = rows[field.name]
    for why, faulty in _faults(column, field):
        left_out.add(field.name, faulty, why, rows["row_id"])
        column = pc.if_else(faulty, None, column)
    return rows.set_column(rows.schema.get_field_index(field.name), field.name, column)


def _cast(column: pa.ChunkedArray, field: pa.Field, row_ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast one column, or name the first value that does not fit."""
    if not _same_kind(column.type, field.type):
        first = max(0, pc.index(column.is_valid(), True).as_py())
        remedy = f": cast it to {_sql_type(field.type)} there"
        raise _misfit(field, row_ids, column, first, f"has type {_type_name(column.type)}", remedy)
    for why, faulty in _faults(column, field):
        raise _misfit(field, row_ids, column, pc.index(faulty, True).as_py(), why)
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid:
        index = first_misfit(column, field.type)
        raise _misfit(field, row_ids, column, index, "does not fit") from None


def _faults(column: pa.ChunkedArray, field: pa.Field) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Mark the values of a column that must not be published, each kind that is there with its reason."""
    for why, faulty in _kinds_of_faults(column, field):
        faulty = pc.fill_null(faulty, False)
        if pc.any(faulty).as_py():
            yield why, faulty


def _kinds_of_faults(column: pa.ChunkedArray, field: pa.Field) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Mark values by each kind of fault; null where a value has none."""
    if not _same_kind(column.type, field.type):
        return
    if pa.types.is_timestamp(field.type):
        at = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None))).cast(pa.int64())
        yield "is outside the years 1 to 9999", pc.or_(pc.less(at, EARLIEST), pc.greater(at, LATEST))
        return
    if is_number(field.type):
        return
    trim = pc.utf8_trim_whitespace
    try:
        column.validate(full=True)  # no other kernel looks whether text is text, nor does the Parquet writer
    except pa.ArrowInvalid:
        trim = pc.ascii_trim_whitespace
        yield "is no valid UTF-8", pa.chunked_array([[not _is_text(value) for value in column]], pa.bool_())
    if field.name == "unique_id":
        yield "is null", column.is_null()
        yield "is blank", pc.equal(trim(column.cast(pa.string())), "")


def _is_text(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True


def _same_kind(source: pa.DataType, target: pa.DataType) -> bool:
    """Return whether values of a type may become another: a number is never turned into text, nor text into a time."""
    if pa.types.is_null(source):
        return True
    if pa.types.is_timestamp(target):
        return pa.types.is_timestamp(source)
    if pa.types.is_list(target):
        return (pa.types.is_list(source) or pa.types.is_large_list(source)) and _same_kind(
            source.value_type, target.value_type
        )
    if is_number(target):
        return pa.types.is_integer(source) or (pa.types.is_floating(source) and pa.types.is_floating(target))
    return pa.types.is_string(source) or pa.types.is_large_string(source)


def _misfit(
    field: pa.Field, row_ids: pa.ChunkedArray, column: pa.ChunkedArray, index: int, why: str, remedy: str = ""
) -> ContractError:
    """Build the error that names column, row and value."""
    what = f"cannot be published as {field.type}{remedy}"
    if not len(column):
        return ContractError(f"Column {field.name} in PostgreSQL {why} and {what}.")
    where = f"Column {field.name} of the row with id {as_strings(row_ids.slice(index, 1))[0]} in PostgreSQL"
    return ContractError(f"{where} {why}: {_spell(column[index])} {what}.")


def _spell(value: pa.Scalar) -> str:
    """Spell a value; of bytes that are no text, those around the first one that is none."""
    for each in value.values if isinstance(value, pa.ListScalar) and value.is_valid else [value]:
        try:
            each.as_py()
        except UnicodeDecodeError as error:
            return repr(error.object[max(0, error.start - _SURROUNDINGS) : error.start + _SURROUNDINGS])
        except (OverflowError, ValueError):
            continue  # a time
    return format_value(value)


def _sql_type(kind: pa.DataType) -> str:
    """Return what PostgreSQL's type for values of the contract is."""
    if pa.types.is_timestamp(kind):
        return "timestamptz"
    if is_number(kind):
        return "double precision" if pa.types.is_floating(kind) else "bigint"
    return "text[]" if pa.types.is_list(kind) else "text"


def _type_name(kind: pa.DataType) -> str:
    """Name a type as PostgreSQL does where Arrow has none for it."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind.type_name if isinstance(kind, pa.OpaqueType) else kind.extension_name.rpartition(".")[2]
    return str(kind)
