"""Columns as they are declared, and the tables beside `news` that they may come from.

Which columns a dataset has says `publications`, which ones it can have `column_rules`, what is made of all of them
`spec`; how their SQL becomes a query is `postgres.row_query`'s business.
"""

import re
from dataclasses import dataclass

import pyarrow as pa

CLAIM = "claimed_legacy_unique_id"
"""The id under which the Hub may know a row besides, in rows of the source where one of that name is published."""

_PLAIN = re.compile(r"([a-z_]\w*)\.([a-z_]\w*)")
_REFERENCE = re.compile(
    r"""(?<![\w.'"])([a-z_]\w*)\s*\.\s*(?:([a-z_]\w*)\b(?!\s*\()|"([^"]+)")""",  # but for a function of a schema
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True)
class Column:
    """A published column.

    Attributes:
        name: on the Hub.
        type: in Arrow and on the Hub: text, a list of texts, a time, or a number of 64 bits.
        sql: an expression of the source query: `n` is `news`, `l1` to `l3` and `ms` are its themes, and others are
            declared as `DatasetSpec.joins`.
        description: one sentence for people.
        dictionary: its values repeat, and each is written once a row group.
        statistics: files say the least and the greatest value of each row group; for short values only.
        since: the version of the schema that brought it. Files of earlier versions lack it until they are migrated.
    """

    name: str
    type: pa.DataType
    sql: str
    description: str
    dictionary: bool = False
    statistics: bool = False
    since: int = 1

    def __post_init__(self) -> None:
        if pa.types.is_list(self.type) and pa.types.is_string(self.type.value_type):
            object.__setattr__(self, "type", pa.list_(pa.field("element", pa.string())))  # as Parquet gives it back

    @property
    def field(self) -> pa.Field:
        """The column in an Arrow schema."""
        return pa.field(self.name, self.type)

    @property
    def parquet_path(self) -> str:
        """The column in a Parquet file, where a list is two levels above its elements."""
        return f"{self.name}.list.element" if pa.types.is_list(self.type) else self.name

    @property
    def source(self) -> tuple[str, str] | None:
        """The alias of a table and the name of its column, if the SQL is no more than that."""
        match = _PLAIN.fullmatch(self.sql)
        return (match[1], match[2]) if match else None

    @property
    def sources(self) -> set[tuple[str, str]]:
        """All aliases and columns that the SQL names."""
        found = _REFERENCE.findall(_QUOTED.sub("''", self.sql))
        return {(alias.lower(), quoted or name.lower()) for alias, name, quoted in found}


def dimensions_of(name: str) -> str:
    """Name the column of a query with the number of dimensions of a list, which the driver would flatten."""
    return f"{name}_dimensions"


@dataclass(frozen=True)
class Join:
    """A table with at most one row for each row of `news`, by its `unique_id`.

    Attributes:
        table: its name in PostgreSQL.
        alias: in the SQL of columns.
        changed: its column with the time of the last change of a row, by which late rows are found.
        on: its column with the `unique_id`; the table has a unique index on it, so that no row is there twice.
    """

    table: str
    alias: str
    changed: str
    on: str = "unique_id"
