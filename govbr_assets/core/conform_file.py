"""Files of any origin: how their rows become rows of the contract, without loss or not at all.

What the contract is belongs to `contract`, whether a number or a time stays the same one to `exact_values`, and how
readers treat such a file on the Hub to `compatibility`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import first_misfit, format_value, is_number
from govbr_assets.core.exact_values import LONG_NUMBER, all_fit, is_exact, ticks_of
from govbr_assets.errors import ContractError

PANDAS_INDEX = "__index_level_0__"


def conform_file(rows: pa.Table, source: str, schema: pa.Schema, *, faulty_keys: bool = False) -> pa.Table:
    """Give rows from a file of any origin the published schema, without loss or not at all.

    Another order of columns, another layout of text, times of any unit and zone or written as in ISO 8601, columns
    without a value, and the index and metadata of pandas cost nothing. A time without a zone counts as UTC.

    Args:
        rows: [n rows x m columns] of the file, all or some.
        source: the path of the file, for the error message.
        schema: the columns that are wanted: all published ones or, of a file of which no others were read, some of
            them; `unique_id` is the first.
        faulty_keys: null ids, and times outside of the years that are allowed if they have the published type, are
            left as they are.

    Returns:
        [n rows x columns of `schema`] with exactly `schema`.

    Raises:
        ContractError: something would be lost or guessed; the message names file, column, row and value.
    """
    check_columns(rows.column_names, source, schema.names)
    file = _File(source, rows["unique_id"] if "unique_id" in rows.column_names else None, faulty_keys)
    columns = [file.cast(field, rows[field.name]) for field in schema]  # the ids first: messages name them
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if name not in (*schema.names, PANDAS_INDEX) and (index := _first(column.is_valid())) >= 0:
            raise file.refusal(name, column, index, "is not among those published", "take it out of the file")
    return pa.table(columns, schema=schema)


def check_columns(found: Sequence[str], source: str, wanted: Collection[str]) -> None:
    """Check that a file has each of some columns once; all that are not are named at once.

    Args:
        found: names of its columns.
        source: the path of the file, for the error message.
        wanted: names.

    Raises:
        ContractError: columns are missing, or are there several times.
    """
    counts = {name: found.count(name) for name in wanted if found.count(name) != 1}
    if counts.get("unique_id") == 0:
        raise ContractError(
            f"{source} has no column unique_id, so that nobody can tell its rows apart: write the file anew with one;"
            " or name another repo, if GOVBR_REPO_ID leads to another dataset, such as the reduced one."
        )
    if len(counts) == 1:
        ((name, number),) = counts.items()
        problem = f"stands {number} times" if number else "is missing"
        raise ContractError(f"Column {name} {problem} in {source}: write the file anew with one such column.")
    if counts:
        named = ", ".join(f"{name} ({f'{number} times' if number else 'missing'})" for name, number in counts.items())
        raise ContractError(
            f"Each column should be once in {source}, and these are not: {named}: write the file anew with them."
        )


@dataclass(frozen=True)
class _File:
    """A file whose columns are cast, and the ids that say which of its rows does not fit."""

    source: str
    ids: pa.ChunkedArray | None
    faulty_keys: bool

    def cast(self, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cast a column to the type of the contract; one without a value may have any, as pandas writes it."""
        if column.null_count == len(column):
            column = pa.chunked_array([pa.nulls(len(column))])
        if pa.types.is_timestamp(field.type) and (_is_text(column.type) or pa.types.is_timestamp(column.type)):
            return self._times(field, column)
        if not (pa.types.is_null(column.type) or _is_like(column.type, field.type)):
            index = _first(column.is_valid())
            raise self.refusal(field.name, column, index, f"has type {column.type} and should be {field.type}")
        if is_number(field.type):
            return self._numbers(field, column)
        cast = self._texts(field.name, column, field.type)
        if field.name == "unique_id" and cast.null_count and not self.faulty_keys:
            raise self.refusal(field.name, column, -1, "is null in at least one row")
        return cast

    def refusal(
        self, name: str, column: pa.ChunkedArray, index: int, why: str, remedy: str = "correct it in the file"
    ) -> ContractError:
        """Build the error that names file, column, row and value; no row if the index is negative."""
        named = index >= 0 and name != "unique_id"
        row = f" of the row with unique_id {format_value(self.ids[index])}" if named and self.ids is not None else ""
        value = f" ({format_value(column[index])})" if index >= 0 else ""
        return ContractError(f"Column {name}{row} in {self.source} {why}{value}: {remedy}.")

    def _texts(self, name: str, column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
        """Cast texts or lists of them, and look whether they are UTF-8: not every writer did."""
        try:
            cast = column.cast(target)
            cast.validate(full=True)
        except pa.ArrowException as error:
            raise self.refusal(name, column, -1, f"cannot be read as {target} ({error})") from None
        return cast

    def _numbers(self, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cast numbers, or texts that CSV and JSON have in their place, if none of them becomes another one."""
        try:
            cast = column.cast(field.type)
        except pa.ArrowInvalid:
            index = first_misfit(column, field.type)
            raise self.refusal(field.name, column, index, f"cannot be read as {field.type}") from None
        if _is_text(column.type) and pa.types.is_floating(field.type):
            for index in pc.indices_nonzero(
                pc.match_substring_regex(column.cast(pa.string()), LONG_NUMBER)
            ).to_pylist():
                if not is_exact(column[index].as_py(), cast[index].as_py()):
                    raise self.refusal(field.name, column, index, f"is another number as {field.type}")
        return cast

    def _times(self, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cast times one by one, unless all are as they should be: Python's numbers neither round nor overflow."""
        if column.type == field.type and (self.faulty_keys or all_fit(column, field.type.unit)):
            return column
        written = self._texts(field.name, column, pa.string()) if _is_text(column.type) else column.cast(pa.int64())
        ticks = []
        for index, value in enumerate(written.to_pylist()):
            try:
                ticks.append(None if value is None else ticks_of(value, column.type, field.type.unit))
            except ValueError as why:
                raise self.refusal(field.name, column, index, str(why)) from None
        return pa.chunked_array([pa.array(ticks, field.type)])


def _is_like(source: pa.DataType, target: pa.DataType) -> bool:
    """Return whether a type is text where text should be, or lists of text where these should be."""
    if is_number(target):
        whole = pa.types.is_integer(source) or _is_text(source)
        return whole or (pa.types.is_floating(source) and pa.types.is_floating(target))
    if not pa.types.is_list(target):
        return pa.types.is_string(target) and _is_text(source)
    lists = pa.types.is_list(source) or pa.types.is_large_list(source)
    return lists and (_is_text(source.value_type) or pa.types.is_null(source.value_type))


def _is_text(kind: pa.DataType) -> bool:
    """Return whether values are text, however they are laid out."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _first(mask: pa.ChunkedArray) -> int:
    """Find the first row that is marked; -1 if there is none."""
    return pc.index(mask, True).as_py()
