"""Structs of Thrift's compact protocol as trees, which go back to the very bytes that they were read from.

A struct is read without its definition: what a field means is said where it is used (`splice`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TException, TType
from thrift.transport.TTransport import TMemoryBuffer

from govbr_assets.errors import ContractError

_SCALARS = {
    TType.BOOL: "Bool",
    TType.BYTE: "Byte",
    TType.I16: "I16",
    TType.I32: "I32",
    TType.I64: "I64",
    TType.DOUBLE: "Double",
    TType.STRING: "Binary",
}
"""How the protocol calls a kind of value in the names of its methods."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct.

    Attributes:
        kind: Thrift's number for the type.
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
        """Give the value of a field; None without it."""
        field = self.fields.get(number)
        return None if field is None else field.value

    def put(self, values: Mapping[int, Any]) -> "Struct":
        """Give this struct with other values in fields that it has."""
        return Struct({**self.fields, **{each: replace(self.fields[each], value=values[each]) for each in values}})

    def add(self, numbers: Iterable[int], by: int) -> "Struct":
        """Give this struct with a sum in some fields; those that are not there or zero stay."""
        return self.put({each: self[each] + by for each in numbers if self.get(each)})


def load(data: bytes) -> Struct:
    """Read a struct from its first byte on.

    Raises:
        ContractError: it is none, or has a map, a set or a list of lists, which Parquet has nowhere.
    """
    try:
        return _read(TCompactProtocol(TMemoryBuffer(data)), TType.STRUCT)
    except (TException, EOFError, KeyError, RecursionError) as error:
        raise ContractError(
            f"The metadata of a Parquet file is broken ({error!r}): fetch or write the file anew."
        ) from error


def dump(struct: Struct) -> bytes:
    """Write a struct."""
    buffer = TMemoryBuffer()
    _write(TCompactProtocol(buffer), TType.STRUCT, struct)
    return buffer.getvalue()


def _read(protocol: TCompactProtocol, kind: int) -> Any:
    if kind != TType.STRUCT:
        return getattr(protocol, f"read{_SCALARS[kind]}")()
    fields = {}
    protocol.readStructBegin()
    while (header := protocol.readFieldBegin())[1] != TType.STOP:
        _, kind, number = header
        fields[number] = _read_list(protocol) if kind == TType.LIST else Field(kind, None, _read(protocol, kind))
        protocol.readFieldEnd()
    protocol.readStructEnd()
    return Struct(fields)


def _read_list(protocol: TCompactProtocol) -> Field:
    of, length = protocol.readCollectionBegin()
    elements = [_read(protocol, of) for _ in range(length)]
    protocol.readCollectionEnd()
    return Field(TType.LIST, of, elements)


def _write(protocol: TCompactProtocol, kind: int, value: Any) -> None:
    if kind != TType.STRUCT:
        return getattr(protocol, f"write{_SCALARS[kind]}")(value)
    protocol.writeStructBegin("")
    for number, field in value.fields.items():
        protocol.writeFieldBegin("", field.kind, number)
        if field.of is None:
            _write(protocol, field.kind, field.value)
        else:
            _write_list(protocol, field.of, field.value)
        protocol.writeFieldEnd()
    protocol.writeFieldStop()
    return protocol.writeStructEnd()


def _write_list(protocol: TCompactProtocol, of: int, elements: list[Any]) -> None:
    protocol.writeCollectionBegin(of, len(elements))
    for element in elements:
        _write(protocol, of, element)
    protocol.writeCollectionEnd()
