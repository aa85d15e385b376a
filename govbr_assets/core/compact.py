"""Structs of Thrift's compact protocol as trees, which go back to the very bytes that they were read from.

A struct is read without its definition: what a field means is said where it is used (`splice`). The library for Thrift
reads those too, a method for every byte: that took longer than all else about a row group that is copied.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from govbr_assets.errors import ContractError

_TRUE, _FALSE, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LIST, _STRUCT = 1, 2, 3, (4, 5, 6), 7, 8, 9, 12
"""The protocol's numbers for kinds of values."""

_LONGEST = 64  # bits of a number


class Field(NamedTuple):
    """A field of a struct.

    Attributes:
        kind: the protocol's number for the type.
        of: that of its elements; None for what is no list.
        value: a number, bytes (also of what is no whole number), a `Struct`, or a list of such.
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
        """Give the value of a field; None without it."""
        field = self.fields.get(number)
        return None if field is None else field.value

    def put(self, values: Mapping[int, Any]) -> "Struct":
        """Give this struct with other values in fields that it has."""
        return Struct({**self.fields, **{each: self.fields[each]._replace(value=values[each]) for each in values}})

    def add(self, numbers: Iterable[int], by: int) -> "Struct":
        """Give this struct with a sum in some fields; those that are not there or zero stay."""
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
    out = bytearray()
    _write(out, _STRUCT, struct)
    return bytes(out)


def _read_struct(data: bytes, at: int) -> tuple[Struct, int]:
    """Read the fields of a struct; say where it ends, as all of these do."""
    fields, number = {}, 0
    while header := data[at]:
        kind, at = header & 15, at + 1
        if header >> 4:
            number += header >> 4
        else:
            number, at = _read_integer(data, at)
        if kind == _LIST:
            fields[number], at = _read_list(data, at)
        elif kind in (_TRUE, _FALSE):  # the kind is the value
            fields[number] = Field(kind, None, kind == _TRUE)
        else:
            value, at = _read(data, at, kind)
            fields[number] = Field(kind, None, value)
    return Struct(fields), at + 1


def _read_list(data: bytes, at: int) -> tuple[Field, int]:
    of, length, at = data[at] & 15, data[at] >> 4, at + 1
    if length == 15:
        length, at = _read_varint(data, at)
    elements = []
    for _ in range(length):
        value, at = _read(data, at, _BYTE if of in (_TRUE, _FALSE) else of)
        elements.append(value)
    return Field(_LIST, of, elements), at


def _read(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in _INTEGERS:
        return _read_integer(data, at)
    if kind == _STRUCT:
        return _read_struct(data, at)
    if kind == _BYTE:
        return data[at], at + 1
    if kind not in (_BINARY, _DOUBLE):
        raise ValueError(f"kind {kind} of a value")
    length, at = _read_varint(data, at) if kind == _BINARY else (8, at)
    if at + length > len(data):
        raise ValueError("a value that ends behind the end")
    return data[at : at + length], at + length


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    number, at = _read_varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    number, bits = byte & 127, 7
    while byte > 127:
        at += 1
        byte = data[at]
        number |= (byte & 127) << bits
        bits += 7
        if bits > _LONGEST + 7:
            raise ValueError("a number that is too long")
    return number, at + 1


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _write_integer(out, value)
    elif kind == _STRUCT:
        _write_struct(out, value)
    elif kind in (_TRUE, _FALSE, _BYTE):
        out.append(value)
    else:
        if kind == _BINARY:
            _write_varint(out, len(value))
        out += value


def _write_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, (kind, of, value) in struct.fields.items():
        if kind in (_TRUE, _FALSE):
            kind = _TRUE if value else _FALSE
        if 0 < number - last < 16:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _write_integer(out, number)
        last = number
        if of is not None:
            _write_list(out, of, value)
        elif kind not in (_TRUE, _FALSE):
            _write(out, kind, value)
    out.append(0)


def _write_list(out: bytearray, of: int, elements: list[Any]) -> None:
    if len(elements) < 15:
        out.append(len(elements) << 4 | of)
    else:
        out.append(0xF0 | of)
        _write_varint(out, len(elements))
    for element in elements:
        _write(out, of, element)


def _write_integer(out: bytearray, number: int) -> None:
    _write_varint(out, number << 1 if number >= 0 else (-number << 1) - 1)


def _write_varint(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
