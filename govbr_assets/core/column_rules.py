"""Which columns can be published together: under which names, of which types and versions, out of which tables.

What a column can say of itself belongs to `columns`.
"""

import re
from collections.abc import Sequence

import pyarrow as pa

from govbr_assets.core.columns import CLAIM, Column, Join, dimensions_of
from govbr_assets.errors import ConfigurationError

_THEMES = ("l1", "l2", "l3", "ms")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,49}")  # PostgreSQL gives others back in another form, and cuts longer ones
_TAKEN = {"row_id", "digest", "source", CLAIM}  # that stand beside the columns in queries and in rows on the disk
_TAKEN_ALIAS = "lost"


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
    _check_aliases(joins)
    _check_names(columns)
    versions = {column.since for column in columns}
    for column in columns:
        if not _is_published(column.type):
            raise ConfigurationError(
                f"Column {column.name} is declared as {column.type} in publications.py: columns are string,"
                " list<string>, timestamp of milliseconds or finer, double or int64."
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


def _check_aliases(joins: Sequence[Join]) -> None:
    """See that each join can have its alias in a query.

    Raises:
        ConfigurationError: one cannot.
    """
    for join in joins:
        if join.alias == _TAKEN_ALIAS or not _NAME.fullmatch(join.alias):
            raise ConfigurationError(
                f"The join of {join.table} in publications.py has the alias {join.alias!r}, which a query cannot have:"
                " write another one, of small letters and digits."
            )


def _check_names(columns: Sequence[Column]) -> None:
    """See that each column can have its name, in PostgreSQL, in Parquet and for every reader.

    Raises:
        ConfigurationError: one cannot.
    """
    taken = _TAKEN | {dimensions_of(column.name) for column in columns if pa.types.is_list(column.type)}
    for column in columns:
        if column.name in taken:
            raise ConfigurationError(
                f"Column {column.name} in publications.py has a name that queries and temporary files need for"
                f" themselves: write another one, such as news_{column.name}."
            )
        if not _NAME.fullmatch(column.name):
            raise ConfigurationError(
                f"Column {column.name!r} in publications.py has a name that cannot be published: write up to 50 small"
                " letters, digits and underscores, the first one no digit."
            )


def _is_published(kind: pa.DataType) -> bool:
    """Say whether there are columns of a type."""
    if pa.types.is_list(kind):
        return pa.types.is_string(kind.value_type)
    if pa.types.is_timestamp(kind):
        return kind.unit != "s"  # which Parquet has not
    known = pa.types.is_string, pa.types.is_float64, pa.types.is_int64
    return any(is_known(kind) for is_known in known)
