"""Thrift's compact protocol, read and written as its own library does, whose bytes come back as they were."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer

from govbr_assets.core.thrift_compact import Struct, dump, load
from govbr_assets.errors import ContractError

Value = tuple[int, Any]
"""A type of the library's, and a value; of a list the type of its elements and those, of a struct its fields."""

SCALARS = {
    TType.BOOL: ("Bool", st.booleans()),
    TType.BYTE: ("Byte", st.integers(-(1 << 7), (1 << 7) - 1)),
    TType.I16: ("I16", st.integers(-(1 << 15), (1 << 15) - 1)),
    TType.I32: ("I32", st.integers(-(1 << 31), (1 << 31) - 1)),
    TType.I64: ("I64", st.integers(-(1 << 63), (1 << 63) - 1)),
    TType.DOUBLE: ("Double", st.floats(allow_nan=False)),
    TType.STRING: ("Binary", st.binary(max_size=300)),
}


def fields(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    numbers = st.integers(1, 40) | st.integers(-(1 << 15), (1 << 15) - 1)
    return st.dictionaries(numbers, values, max_size=20).map(lambda each: (TType.STRUCT, each))


def lists(structs: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    of_structs = st.lists(structs.map(lambda each: each[1]), max_size=20).map(lambda each: (TType.STRUCT, each))
    of_scalars = [st.lists(values, max_size=20).map(lambda each, kind=kind: (kind, each)) for kind, values in KINDS]
    return st.one_of(of_structs, *of_scalars).map(lambda each: (TType.LIST, each))


KINDS = [(kind, values) for kind, (_, values) in SCALARS.items()]
SCALAR = st.one_of([values.map(lambda each, kind=kind: (kind, each)) for kind, values in KINDS])
STRUCTS = fields(st.recursive(SCALAR, lambda inner: fields(inner) | lists(fields(inner)), max_leaves=30))


def written(kind: int, value: Any) -> bytes:
    """Write a value as the library does."""
    buffer = TMemoryBuffer()
    write(TCompactProtocol(buffer), kind, value)
    return buffer.getvalue()


def write(protocol: TCompactProtocol, kind: int, value: Any) -> None:
    if kind == TType.LIST:
        of, elements = value
        protocol.writeListBegin(of, len(elements))
        for element in elements:
            write(protocol, of, element)
        protocol.writeListEnd()
    elif kind == TType.STRUCT:
        protocol.writeStructBegin("")
        for number, (of, each) in value.items():
            protocol.writeFieldBegin("", of, number)
            write(protocol, of, each)
            protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()
    else:
        getattr(protocol, f"write{SCALARS[kind][0]}")(value)


def loaded(kind: int, value: Any, *, element: bool = False) -> Any:
    """Say what `load` makes of a value."""
    if kind == TType.STRUCT:
        return {number: loaded(*each) for number, each in value.items()}
    if kind == TType.LIST:
        return [loaded(value[0], each, element=True) for each in value[1]]
    if kind == TType.BOOL and element:
        return 1 if value else 2
    return {TType.BYTE: lambda: value & 255, TType.DOUBLE: lambda: struct.pack("<d", value)}.get(kind, lambda: value)()


def plain(value: Any) -> Any:
    """Take the values out of a tree."""
    if isinstance(value, Struct):
        return {number: plain(field.value) for number, field in value.fields.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=300, deadline=None)
@given(STRUCTS)
def test_what_the_library_writes_is_read_and_written_again_byte_for_byte(tree: Value):
    data = written(*tree)
    found = load(data)
    assert plain(found) == loaded(*tree)
    assert dump(found) == data
    assert load(data + b"anything after it") == found


@settings(max_examples=300, deadline=None)
@given(STRUCTS, st.data())
def test_a_struct_that_is_cut_anywhere_is_refused(tree: Value, cut: st.DataObject):
    data = written(*tree)
    with pytest.raises(ContractError, match="broken"):
        load(data[: cut.draw(st.integers(0, len(data) - 1))])


def test_lists_of_lists_are_refused():
    data = written(TType.STRUCT, {1: (TType.LIST, (TType.LIST, [(TType.I32, [1])]))})
    with pytest.raises(ContractError, match="of kind 9"):
        load(data)


@pytest.mark.parametrize("kind", [0, 10, 11, 13, 14, 15])
def test_values_of_other_kinds_are_refused(kind: int):
    with pytest.raises(ContractError, match=f"of kind {kind}"):
        load(bytes([1 << 4 | kind, 0, 0]))
