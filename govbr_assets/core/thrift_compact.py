"""Structs of Thrift's compact protocol as trees, which go back to the very bytes that they were read from.

A struct is read without its definition: what a field means is said where it is used (`splice`). Footers of a year have
a hundred thousand values, for which Thrift's own library takes several times as long, as it calls itself for each byte.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from govbr_assets.errors import ContractError

_TRUE, _FALSE, _BYTE, _I16, _I64, _DOUBLE, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 6, 7, 8, 9, 12
"""Kinds of values by the protocol's numbers; 5 is I32, and of 10, 11 and 13 (set, map, UUID) Parquet has none."""

_BOOLEANS = (_TRUE, _FALSE)
"""The value of such a field is its kind; in a list it is a byte."""

_DOUBLE_BYTES = 8


class Field(NamedTuple):
    """A field of a struct.

    Attributes:
        kind: the protocol's number for the type.
        of: that of its elements; None for what is no list.
        value: a number, bytes, a `Struct`, or a list of such.
    """

    kind: int
    of: int | None
    value: Any


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct: its fields by number, in the order in which they are written."""

    fields: Mapping[int, Field]

    def __contains__(self, number: int) -> bool:
        return number in self.fields

    def __getitem__(self, number: int) -> Any:
        return self.fields[number].value

    def get(self, number: int) -> Any:
        """Return the value of a field; None without it."""
        field = self.fields.get(number)
        return None if field is None else field.value

    def put(self, values: Mapping[int, Any]) -> "Struct":
        """Return this struct with other values in fields that it has."""
        return Struct({**self.fields, **{each: self.fields[each]._replace(value=values[each]) for each in values}})

    def add(self, numbers: Iterable[int], by: int) -> "Struct":
        """Return this struct with a sum in some fields; those that are not there or zero stay."""
        return self.put({each: self[each] + by for each in numbers if self.get(each)})


def load(data: bytes) -> Struct:
    """Read a struct from its first byte on.

    Raises:
        ContractError: it is none, or has a map, a set or a list of lists, which Parquet has nowhere.
    """
    try:
        return _read_struct(data, 0)[0]
    except (IndexError, ValueError, RecursionError) as error:
        raise ContractError(
            f"The metadata of a Parquet file is broken ({error!r}): fetch or write the file anew."
        ) from error


def dump(struct: Struct) -> bytes:
    """Write a struct."""
    sink = bytearray()
    _write_struct(sink, struct)
    return bytes(sink)


def _read_struct(data: bytes, at: int) -> tuple[Struct, int]:
    """Read a struct at a place, and say where it ends."""
    fields, number = {}, 0
    while header := data[at]:
        kind, step, of = header & 15, header >> 4, None
        if step:
            number, at = number + step, at + 1
        else:
            number, at = _read_integer(data, at + 1)
        if kind in _BOOLEANS:
            value = kind == _TRUE
        elif kind == _LIST:
            of, value, at = _read_list(data, at)
        else:
            value, at = _read(data, at, kind)
        fields[number] = Field(kind, of, value)
    return Struct(fields), at + 1


def _read_list(data: bytes, at: int) -> tuple[int, list[Any], int]:
    """Read a list: the kind of its elements, those, and where it ends."""
    of, length, at = data[at] & 15, data[at] >> 4, at + 1
    if length == 15:
        length, at = _read_size(data, at)
    elements = []
    for _ in range(length):
        element, at = _read(data, at, _BYTE if of in _BOOLEANS else of)
        elements.append(element)
    return of, elements, at


def _read(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if _I16 <= kind <= _I64:
        return _read_integer(data, at)
    if kind == _STRUCT:
        return _read_struct(data, at)
    if kind == _BYTE:
        return data[at], at + 1
    if kind == _BINARY:
        size, at = _read_size(data, at)
    elif kind == _DOUBLE:
        size = _DOUBLE_BYTES
    else:
        raise ValueError(f"a value of kind {kind}")
    if at + size > len(data):
        raise IndexError(f"{size} bytes at {at} of {len(data)}")
    return data[at : at + size], at + size


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    """Read a number with a sign, which is the lowest bit."""
    size, at = _read_size(data, at)
    return size >> 1 if not size & 1 else -(size >> 1) - 1, at


def _read_size(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the lowest first."""
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    number, shift = byte & 127, 7
    while True:
        at += 1
        byte = data[at]
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at + 1
        shift += 7


def _write_struct(sink: bytearray, struct: Struct) -> None:
    last = 0
    for number, (kind, of, value) in struct.fields.items():
        if kind in _BOOLEANS:
            kind = _TRUE if value else _FALSE
        step = number - last
        if 0 < step < 16:
            sink.append(step << 4 | kind)
        else:
            sink.append(kind)
            _write_integer(sink, number)
        last = number
        if kind == _LIST:
            _write_list(sink, of or 0, value)
        elif kind not in _BOOLEANS:
            _write(sink, kind, value)
    sink.append(0)


def _write_list(sink: bytearray, of: int, elements: list[Any]) -> None:
    if len(elements) < 15:
        sink.append(len(elements) << 4 | of)
    else:
        sink.append(15 << 4 | of)
        _write_size(sink, len(elements))
    for element in elements:
        _write(sink, _BYTE if of in _BOOLEANS else of, element)


def _write(sink: bytearray, kind: int, value: Any) -> None:
    if _I16 <= kind <= _I64:
        _write_integer(sink, value)
    elif kind == _STRUCT:
        _write_struct(sink, value)
    elif kind == _BYTE:
        sink.append(value)
    else:
        if kind == _BINARY:
            _write_size(sink, len(value))
        sink += value


def _write_integer(sink: bytearray, number: int) -> None:
    _write_size(sink, number << 1 if number >= 0 else (-number << 1) - 1)


def _write_size(sink: bytearray, number: int) -> None:
    while number > 127:
        sink.append(number & 127 | 128)
        number >>= 7
    sink.append(number)
