"""SQL for whole rows: the published columns of the news in a window, or with some ids.

Conditions are literals in the query: bound parameters would disable COPY and batching, and a session's settings may be
gone, or belong to another client, when the query runs.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from govbr_assets.core.columns import Column, dimensions_of
from govbr_assets.core.layout import ROW_BYTES
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.postgres.catalogue import Catalogue, as_text
from govbr_assets.postgres.catalogue import Column as SourceColumn

_JOINS = {"l1": "theme_l1_id", "l2": "theme_l2_id", "l3": "theme_l3_id", "ms": "most_specific_theme_id"}

_IN_WINDOW = "(n.published_at >= '{}'::timestamptz AND n.published_at < '{}'::timestamptz)"

_IDS = "(SELECT jsonb_array_elements_text({}))"
_NAMED = f"n.unique_id::text IN {_IDS}"

# Each kind of id by its own index: for `OR` PostgreSQL would read the whole table. As an array, since a join might
# compute the columns of other rows first, of which one may fail.
_NAMED_BY_EITHER = f"""n.id = ANY (ARRAY(
        SELECT u.id FROM news u WHERE u.unique_id::text IN {_IDS}
        UNION ALL SELECT u.id FROM news u WHERE u.legacy_unique_id::text IN {_IDS}))"""

# A legacy id counts only if no row has it as its unique_id, and only for the claimant with the lowest id. Ids are
# compared as text, as on the Hub; for varchar and text the cast is free and an index is used.
_CLAIMS = """
    WITH claim AS MATERIALIZED (
        SELECT n.id, n.legacy_unique_id FROM news n WHERE n.legacy_unique_id IS NOT NULL AND :wanted
    ), lost AS (
        SELECT c.id FROM claim c JOIN news o ON o.unique_id::text = c.legacy_unique_id::text
        UNION SELECT c.id FROM claim c
            JOIN news o ON o.legacy_unique_id::text = c.legacy_unique_id::text AND o.id < c.id
    )"""


def rows_query(spec: DatasetSpec, catalogue: Catalogue, wanted: str) -> str:
    """Return the query for rows, ordered by `published_at`, without those that are too large to be published.

    Args:
        spec: the columns.
        catalogue: of the database.
        wanted: a condition from `in_window` or `named`.

    Raises:
        SourceError: the role may not read a column.
    """
    named = {(alias, name) for column in spec.columns for alias, name in column.sources}
    news = [*(name for alias, name in named if alias == "n"), *_JOINS.values(), "id"]
    catalogue.require([*news, *(["legacy_unique_id"] if catalogue.has_legacy else [])], ("id", "label", "code"))
    legacy = as_text("n.legacy_unique_id", catalogue.news.get("legacy_unique_id"))
    legacy = f"CASE WHEN lost.id IS NULL THEN {legacy} END" if catalogue.has_legacy else "NULL::text"
    joined = [join for join in spec.joins if join.alias in dict(named)]
    for join in joined:
        catalogue.require_joined(join, spec.columns)
    tables = {"n": catalogue.news, **dict.fromkeys(_JOINS, catalogue.themes)}
    tables |= {join.alias: catalogue.joined[join.table] for join in joined}
    columns = [
        "n.id::text AS row_id",
        *(f"{_expression(column, tables)} AS {column.name}" for column in spec.columns),
        *(f"{_dimensions(column, tables)} AS {dimensions_of(column.name)}" for column in lists(spec)),
        f"{legacy} AS {spec.claim}",
    ]
    joins = [f"LEFT JOIN themes {alias} ON {alias}.id = n.{column}" for alias, column in _JOINS.items()]
    joins += [f"LEFT JOIN {each.table} {each.alias} ON {each.alias}.{each.on} = n.{spec.key}" for each in joined]
    lost = "LEFT JOIN lost ON lost.id = n.id" if catalogue.has_legacy else ""
    claims = _CLAIMS if catalogue.has_legacy else ""
    sql = f"{claims} SELECT {', '.join(columns)} FROM news n {' '.join(joins)} {lost} WHERE :wanted AND {_fits(spec)}"
    return f"{sql} ORDER BY n.published_at".replace(":wanted", wanted)


def too_large_query(spec: DatasetSpec, catalogue: Catalogue, wanted: str) -> str:
    """Return the query for the rows that are too large: their ids, sizes, and largest columns.

    Raises:
        SourceError: the role may not read a column.
    """
    texts = _texts(spec)
    catalogue.require([*(text.removeprefix("n.") for text in texts), "id", "unique_id", "published_at"])
    legacy = "n.legacy_unique_id::text" if catalogue.has_legacy else "NULL::text"
    sizes = ", ".join(f"('{text.removeprefix('n.')}', {_bytes(text)})" for text in texts)
    return f"""
        SELECT n.id::text AS row_id, n.unique_id::text AS unique_id, {legacy} AS legacy_unique_id, n.published_at,
            {_row_bytes(spec)} AS bytes, largest.name AS largest, largest.bytes AS largest_bytes
        FROM news n CROSS JOIN LATERAL (
            SELECT name, bytes FROM (VALUES {sizes}) AS texts (name, bytes) ORDER BY bytes DESC NULLS LAST LIMIT 1
        ) AS largest
        WHERE {wanted} AND NOT {_fits(spec)} ORDER BY n.published_at, n.id"""


def ids_query(_: DatasetSpec, catalogue: Catalogue, wanted: str) -> str:
    """Return the query for the ids of rows, whatever else these hold.

    Raises:
        SourceError: the role may not read a column.
    """
    catalogue.require(["unique_id", *(["id", "legacy_unique_id"] if catalogue.has_legacy else [])])
    legacy = "n.legacy_unique_id::text" if catalogue.has_legacy else "NULL::text"
    return f"SELECT n.unique_id::text AS unique_id, {legacy} AS legacy_unique_id FROM news n WHERE {wanted}"


def _fits(spec: DatasetSpec) -> str:
    """Return the condition for rows that are not too large."""
    return f"({_row_bytes(spec)} <= {ROW_BYTES})"


def _row_bytes(spec: DatasetSpec) -> str:
    """Return the expression for the size of a row's long texts, in bytes."""
    return " + ".join(map(_bytes, _texts(spec))) or "0"


def _texts(spec: DatasetSpec) -> list[str]:
    """Return the columns of `news` that can be long: texts without statistics."""
    texts = (column for column in spec.columns if column.type == pa.string() and not column.statistics)
    return [column.sql for column in texts if column.source and column.source[0] == "n"]


def _bytes(text: str) -> str:
    """Return the expression for the size of a text in bytes, which PostgreSQL knows without reading a long text."""
    return f"coalesce(octet_length({text}::text), 0)::bigint"


def in_window(start: datetime, end: datetime) -> str:
    """Return the condition for rows published in a half-open window."""
    return _IN_WINDOW.format(start.isoformat(), end.isoformat())


def named(catalogue: Catalogue, ids: Sequence[str]) -> str:
    """Return the condition for rows with one of these ids."""
    wanted = _NAMED_BY_EITHER if catalogue.has_legacy else _NAMED
    # Not escaped to ASCII, since a database without an encoding does not decode escapes. The dollar sign is escaped, so
    # that no id can end the literal.
    literal = json.dumps(ids, ensure_ascii=False).replace("$", "\\u0024")
    return wanted.replace("{}", f"$ids${literal}$ids$::jsonb")


def lists(spec: DatasetSpec) -> list[Column]:
    """Return the columns with lists."""
    return [column for column in spec.columns if pa.types.is_list(column.type)]


def _expression(column: Column, tables: Mapping[str, Mapping[str, SourceColumn]]) -> str:
    """Return the SQL of a column, as text if it is a column of a table that is."""
    return as_text(column.sql, _source_column(column, tables))


def _dimensions(column: Column, tables: Mapping[str, Mapping[str, SourceColumn]]) -> str:
    """Return the expression for the number of dimensions of a list."""
    found = _source_column(column, tables)
    is_array = found.depth if found else not column.source  # of an expression PostgreSQL says if it is none
    return f"array_ndims({as_text(column.sql, found)})" if is_array else "NULL::int"


def _source_column(column: Column, tables: Mapping[str, Mapping[str, SourceColumn]]) -> SourceColumn | None:
    """Return the column of PostgreSQL that a column is, if its SQL is no more than that."""
    alias, name = column.source or ("", "")
    return tables[alias].get(name) if alias else None
