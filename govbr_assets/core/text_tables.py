"""Rows out of CSV and JSON files, compressed or not, as who loads the dataset sees them: text, lists of text, or null.

What the library `datasets` reads of such a file is the model, but nothing is guessed: a number stays the text that it
is written as. Rows are converted to the published schema in `conform_file`.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, cast

import pyarrow as pa

from govbr_assets.core.conform_file import PANDAS_INDEX
from govbr_assets.core.contract import is_number
from govbr_assets.core.formats import Format
from govbr_assets.errors import ContractError

READABLE = ("csv", "json")
"""Formats whose rows can be read here."""

_BATCH = 4 << 20  # characters of rows that make a table
_PIECE = 1 << 20  # characters that are read of a JSON array at once
_NULLS = {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"}
_NULLS |= {"NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
"""What pandas reads as null in a CSV file, quoted or not."""

_MAGIC: Mapping[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: cast(IO[bytes], bz2.BZ2File(file)),
    b"\xfd7zXZ\0": lambda file: cast(IO[bytes], lzma.LZMAFile(file)),  # noqa: SIM115 - the file is closed by whoever opened it
    b"\x28\xb5\x2f\xfd": lambda file: cast(IO[bytes], pa.CompressedInputStream(file, "zstd")),
}
_SEPARATORS = ("sep", "delimiter")


def text_tables(
    file: IO[bytes], kind: Format, settings: Mapping[str, Any], source: str, schema: pa.Schema
) -> Iterator[pa.Table]:
    """Stream the rows of a file of text.

    Args:
        file: its bytes.
        kind: CSV or JSON.
        settings: what the card says of the config beside its files.
        source: the path of the file, for messages.
        schema: the published one.

    Returns:
        [n rows x m columns] each: text, or lists of text in the columns that the contract has lists in; a row of the
        file is a row here.

    Raises:
        ContractError: it is no such file, or holds what is no text; names file, row and column.
    """
    buffered = io.BufferedReader(cast(io.RawIOBase, file), 1 << 20) if not hasattr(file, "peek") else file
    start = cast(io.BufferedReader, buffered).peek(6)[:6]
    opened = next((opener(buffered) for magic, opener in _MAGIC.items() if start.startswith(magic)), buffered)
    text = io.TextIOWrapper(cast(IO[bytes], opened), "utf-8-sig", newline="")
    rows = _csv_rows(text, kind, settings, source) if kind.name == "csv" else _json_rows(text, settings, source, schema)
    try:
        yield from _tables(rows, source, schema)
    except (UnicodeDecodeError, EOFError, OSError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        if isinstance(error, OSError) and type(error) not in (OSError, gzip.BadGzipFile):
            raise  # of where the bytes come from
        raise ContractError(f"{source} on the Hub cannot be read as text in UTF-8: {error}.") from error


def _csv_rows(text: IO[str], kind: Format, settings: Mapping[str, Any], source: str) -> Iterator[dict[str, Any]]:
    """Read the rows of a CSV file; texts that stand for null are null."""
    _check_settings(settings, {*_SEPARATORS, "description", "features"}, source)
    separator = next((settings[name] for name in _SEPARATORS if settings.get(name)), kind.separator or ",")
    csv.field_size_limit(sys.maxsize)
    reader, header = csv.reader(text, delimiter=str(separator), strict=True), list[str]()
    try:
        for row in reader:
            if not row:
                continue  # a blank line
            if not header:
                header = [name or (PANDAS_INDEX if not at else f"Unnamed: {at}") for at, name in enumerate(row)]
                if twice := sorted({name for name in header if header.count(name) > 1}):
                    raise ContractError(f"Column {twice[0]} stands several times in {source}: name each column once.")
            elif len(row) != len(header):
                raise ContractError(
                    f"The row that ends in line {reader.line_num} of {source} has {len(row)} columns and not"
                    f" {len(header)}: correct it in the file."
                )
            else:
                yield {name: None if each in _NULLS else each for name, each in zip(header, row, strict=True)}
    except csv.Error as error:
        raise ContractError(f"Line {reader.line_num} of {source} is not CSV: {error}.") from error


def _json_rows(text: IO[str], settings: Mapping[str, Any], source: str, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """Read the rows of a file with an object a line, or with one array of objects."""
    _check_settings(settings, {"description", "features"}, source)
    first = text.readline()
    while first and not first.strip():
        first = text.readline()
    whole = first.lstrip().startswith("[")
    nulls, seen = dict.fromkeys(schema.names), set[str]()
    for number, row in enumerate(_array(first, text, source) if whole else _lines(first, text, source), 1):
        if not isinstance(row, dict):
            raise ContractError(f"Row {number} of {source} is no JSON object: correct it in the file.")
        seen.update(row)
        yield nulls | row  # a key that a row lacks is null where other rows have it
    if seen and (missing := [name for name in nulls if name not in seen]):
        raise ContractError(f"Column {missing[0]} is missing in {source}: write the file anew with that column.")


def _lines(first: str, text: IO[str], source: str) -> Iterator[Any]:
    line, number = first, 1
    while line:
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError as error:
            raise ContractError(f"Line {number} of {source} is no JSON object: {error}.") from error
        line, number = text.readline(), number + 1


def _array(first: str, text: IO[str], source: str) -> Iterator[Any]:
    """Read the values of an array, of which never more than one and a piece of the file are in memory."""
    decoder, rest, number, ended = json.JSONDecoder(), first.lstrip()[1:], 0, False
    while True:
        rest = rest.lstrip(" \t\r\n,")
        if rest.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(rest)
        except ValueError as error:
            if ended:
                raise ContractError(f"Behind row {number} {source} is no JSON array: {error}.") from error
            piece = text.read(max(_PIECE, len(rest)))
            ended, rest = not piece, rest + piece
            continue
        number, rest = number + 1, rest[end:]
        yield value


def _tables(rows: Iterable[dict[str, Any]], source: str, schema: pa.Schema) -> Iterator[pa.Table]:
    """Make tables of rows, some at a time."""
    waiting, size = list[dict[str, Any]](), 0
    for row in rows:
        waiting.append(row)
        size += sum(len(each) if isinstance(each, str) else 8 for each in row.values())
        if size > _BATCH:
            yield _table(waiting, source, schema)
            waiting, size = [], 0
    if waiting:
        yield _table(waiting, source, schema)


def _table(rows: list[dict[str, Any]], source: str, schema: pa.Schema) -> pa.Table:
    names, columns = dict.fromkeys(name for row in rows for name in row), {}
    for name in names:
        field = schema.field(name) if name in schema.names else None
        kind = field.type if field and pa.types.is_list(field.type) else pa.string()
        columns[name] = pa.array([_value(row, name, source, field) for row in rows], kind)
    return pa.table(columns)


def _value(row: Mapping[str, Any], name: str, source: str, field: pa.Field | None) -> Any:
    """Take a value: text where text is published, a list of texts where lists are; no field: it is not published."""
    value, is_list = row.get(name), field is not None and pa.types.is_list(field.type)
    if value is None or (isinstance(value, str) and not is_list):
        return value
    if field is None:
        return json.dumps(value, ensure_ascii=False)  # it has no place in the dataset, and will be named
    found = value
    if is_list and isinstance(value, str):  # as a CSV file may hold one
        try:
            found = json.loads(value)
        except ValueError:
            found = value
    if is_list and isinstance(found, list) and all(isinstance(each, str | None) for each in found):
        return found
    if field is not None and is_number(field.type) and isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    wanted = "a list of texts, which CSV holds as a JSON array" if is_list else "text"
    wanted = "a number" if field is not None and is_number(field.type) else wanted
    raise ContractError(
        f"Column {name} of the row with unique_id {row.get('unique_id')!r} in {source} is {value!r:.100} and should be"
        f" {wanted}: correct it in the file."
    )


def _check_settings(settings: Mapping[str, Any], known: set[str], source: str) -> None:
    """Refuse a file that readers read in a way that is not known here."""
    if strange := sorted({*map(str, settings)} - known):
        raise ContractError(
            f"{source} is read with `{strange[0]}`, which the default config in README.md on the Hub sets: write the"
            " file as Parquet, or without need of it."
        )
