"""Columns as they are declared, and the tables beside `news` that they may come from.

Which columns a dataset has says `publications`, what is made of all of them `spec`; how their SQL becomes a query is
`postgres.row_query`'s business.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from govbr_assets.errors import ConfigurationError

CLAIM = "claimed_legacy_unique_id"
"""The id under which the Hub may know a row besides, in rows of the source where one of that name is published."""

_PLAIN = re.compile(r"([a-z_]\w*)\.([a-z_]\w*)")
_REFERENCE = re.compile(r"(?<![\w.'\"])([a-z_]\w*)\.([a-z_]\w*)")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_THEMES = ("l1", "l2", "l3", "ms")


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
        return {*_REFERENCE.findall(_QUOTED.sub("''", self.sql))}


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


def check_columns_declared(columns: Sequence[Column], joins: Sequence[Join]) -> None:
    """See that columns can be published together.

    Raises:
        ConfigurationError: they cannot; the message names the column.
    """
    names, aliases = [column.name for column in columns], {"n", *_THEMES, *(join.alias for join in joins)}
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(f"Column {twice} is declared more than once in publications.py: name each once.")
    if len(aliases) < 1 + len(_THEMES) + len(joins):
        raise ConfigurationError("Two tables have one alias in publications.py: give each join one of its own.")
    versions = {column.since for column in columns}
    for column in columns:
        if not _is_published(column.type):
            raise ConfigurationError(
                f"Column {column.name} is declared as {column.type} in publications.py: columns are string,"
                " list<string>, timestamp, double or int64."
            )
        if column.since != 1 and column.since - 1 not in versions:
            raise ConfigurationError(
                f"Column {column.name} is declared with since={column.since} in publications.py, and none with"
                f" since={column.since - 1}: a new column has the number after the greatest one."
            )
        if unknown := sorted({alias for alias, _ in column.sources} - aliases):
            raise ConfigurationError(
                f"Column {column.name} is read from {unknown[0]} in publications.py, which is no alias of a table:"
                f" write one of {', '.join(sorted(aliases))}, or declare a join."
            )


def _is_published(kind: pa.DataType) -> bool:
    """Say whether there are columns of a type."""
    if pa.types.is_list(kind):
        return pa.types.is_string(kind.value_type)
    known = pa.types.is_string, pa.types.is_timestamp, pa.types.is_float64, pa.types.is_int64
    return any(is_known(kind) for is_known in known)
