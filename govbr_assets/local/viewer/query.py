"""Rows out of the files of a snapshot, with DuckDB. The only importer of duckdb in the viewer.

Files whose footers rule them out are not opened. What is asked for comes from `grammar`, names are checked against the
schema here.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import duckdb
import pyarrow as pa

from govbr_assets.local.viewer.errors import InvalidParameterError, UnexpectedError
from govbr_assets.local.viewer.footers import Footer
from govbr_assets.local.viewer.grammar import Where, quoted
from govbr_assets.local.viewer.index import Snapshot

ROW = "__row_idx"
"""The column that says which row of the dataset a row is."""


@dataclass(frozen=True)
class Query:
    """What is asked of the rows.

    Attributes:
        where: which ones.
        order: a column with `ASC` or `DESC`; None for the order of the files.
        offset: how many to leave out first.
        length: how many at most.
    """

    where: Where
    order: tuple[str, str] | None
    offset: int
    length: int


class Engine:
    """A DuckDB without tables, small, in UTC. Safe to use from any thread."""

    def __init__(self) -> None:
        settings = {"memory_limit": "1GB", "threads": 2, "temp_directory": "", "autoinstall_known_extensions": False}
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET lock_configuration = true")
        self._lock = threading.Lock()

    def select(self, snapshot: Snapshot, query: Query) -> tuple[pa.Table, int]:
        """Find rows.

        Returns:
            [up to `length` rows x the schema's columns and `ROW`], and how many there are without `length`.

        Raises:
            InvalidParameterError: a column is unknown, or a value does not fit it.
            UnexpectedError: DuckDB fails.
        """
        _check(snapshot, query)
        files, starts = _candidates(snapshot, query.where)
        values: list[object] = [starts, [str(file.path) for file in files]]
        order = f"{quoted(query.order[0])} {query.order[1]}, " if query.order else ""
        with self._lock:
            types = self._connection.from_arrow(snapshot.schema.empty_table()).types
            source = f"({_source(snapshot.schema, types, files)}) WHERE {query.where.sql}"
            page = f"SELECT * FROM {source} ORDER BY {order}{ROW} LIMIT ? OFFSET ?"
            try:
                ((total,),) = self._connection.execute(f"SELECT count(*) FROM {source}", values).fetchall()
                relation = self._connection.sql(page, params=[*values, query.length, query.offset])
                found = relation.to_arrow_table()
            except (duckdb.DataError, duckdb.ProgrammingError) as error:
                raise InvalidParameterError(f"A query parameter is invalid: {error}") from error
            except duckdb.Error as error:
                raise UnexpectedError(f"Unexpected error: {error}") from error
        return found.cast(snapshot.schema.append(found.schema.field(ROW))), total


def _check(snapshot: Snapshot, query: Query) -> None:
    """Refuse names of columns that are not there."""
    asked = {comparison.column for comparison in query.where.comparisons} | {query.order[0] if query.order else None}
    if unknown := asked - {None, *snapshot.schema.names}:
        raise InvalidParameterError(f"Column {min(map(str, unknown))} does not exist")


def _candidates(snapshot: Snapshot, where: Where) -> tuple[list[Footer], list[int]]:
    """List the files that may hold a row, with the number of their first; at least one, as DuckDB judges values."""
    starts = accumulate((file.rows for file in snapshot.files), initial=0)
    every = list(zip(snapshot.files, starts, strict=False))
    chosen = [pair for pair in every if pair[0].may_hold(where)] or every[:1]
    return [file for file, _ in chosen], [start for _, start in chosen]


def _source(schema: pa.Schema, types: Sequence[object], files: list[Footer]) -> str:
    """Write the query that gives the rows of files under one schema, whichever columns and types each file has."""
    valued = {field.name for each in {file.schema for file in files} for field in each if field.type != pa.null()}
    columns = []
    for field, kind in zip(schema, types, strict=True):
        name = quoted(field.name)
        value = name if field.name in valued else "NULL"
        columns.append(f"{value if field.type == pa.null() else f'CAST({value} AS {kind})'} AS {name}")
    row = f"CAST(? AS BIGINT[])[CAST(file_index AS BIGINT) + 1] + file_row_number AS {ROW}"
    return f"SELECT {', '.join(columns)}, {row} FROM read_parquet(?, union_by_name = true)"
