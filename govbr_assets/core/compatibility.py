"""What the schema of a file means to who reads the whole dataset: what is tolerated, and what breaks every reader.

What this project itself writes is `contract`'s business.
"""

import pyarrow as pa

from govbr_assets.core.contract import NEWS_SCHEMA


def reader_incompatibilities(schema: pa.Schema, *, first: bool) -> tuple[list[str], list[str]]:
    """Say how a file's columns differ from the contract, by what readers of the whole dataset make of it.

    Args:
        schema: of a file on the Hub, whoever wrote it.
        first: it is the first data file by name, whose types readers expect of all others.

    Returns:
        What breaks readers, and what they tolerate: a column of type `null` outside the first file, large strings and
        lists, another order. Each names the column and both types.

    Source: measured with polars, pandas, DuckDB, pyarrow and datasets; a column of type `null` in the first file breaks
    all of them as soon as another file has the contract's type.
    """
    breaking, tolerated = [], []
    for field in NEWS_SCHEMA:
        if field.name not in schema.names:
            breaking.append(f"column {field.name} is missing and should be {field.type}")
            continue
        found = schema.field(field.name).type
        if found != field.type:
            mild = _plain(found) == field.type or (pa.types.is_null(found) and not first)
            told = f"column {field.name} is {found} and should be {field.type}"
            (tolerated if mild else breaking).append(told)
    breaking += [
        f"column {name} is {schema.field(name).type} and should not be there"
        for name in schema.names
        if name not in NEWS_SCHEMA.names
    ]
    if not breaking and schema.names != NEWS_SCHEMA.names:
        tolerated.append("another order of columns")
    return breaking, tolerated


def _plain(kind: pa.DataType) -> pa.DataType:
    """Give the type with 32-bit offsets that readers take for the same."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(pa.field("element", _plain(kind.value_type)))
    return kind
