"""SQL for whole rows: the published columns of the news of a window, or of those that ids name.

A query is completed with what the database has of columns, and with what is wanted: bound parameters would switch off
COPY and batching, and what is set in a session may be gone, or somebody else's, when the query comes.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from govbr_assets.core.layout import ROW_BYTES
from govbr_assets.postgres.catalogue import Catalogue, as_text

_NEWS = {
    "agency": "agency_key",
    "image": "image_url",
    **{
        name: name
        for name in (
            "unique_id", "published_at", "updated_datetime", "extracted_at", "title", "subtitle", "editorial_lead",
            "url", "content", "video_url", "category", "tags", "summary",
        )
    },
}  # fmt: skip
"""The columns of `news`, by their published name."""

_THEMES = {
    "theme_1_level_1": ("l1", "label"),
    "theme_1_level_1_code": ("l1", "code"),
    "theme_1_level_1_label": ("l1", "label"),
    "theme_1_level_2_code": ("l2", "code"),
    "theme_1_level_2_label": ("l2", "label"),
    "theme_1_level_3_code": ("l3", "code"),
    "theme_1_level_3_label": ("l3", "label"),
    "most_specific_theme_code": ("ms", "code"),
    "most_specific_theme_label": ("ms", "label"),
}
"""Where the columns of themes come from, by their published name."""

_JOINS = {"l1": "theme_l1_id", "l2": "theme_l2_id", "l3": "theme_l3_id", "ms": "most_specific_theme_id"}

_IN_WINDOW = "(n.published_at >= '{}'::timestamptz AND n.published_at < '{}'::timestamptz)"

_IDS = "(SELECT jsonb_array_elements_text({}))"
_NAMED = f"n.unique_id::text IN {_IDS}"
_NAMED_BY_EITHER = f"({_NAMED} OR n.legacy_unique_id::text IN {_IDS})"

# A legacy id counts only if no row owns it as its unique_id, and of several claimants the lowest id has it. As text,
# for that is what ids on the Hub are; with varchar and text it is the same and an index serves.
_CLAIMS = """
    WITH claim AS MATERIALIZED (
        SELECT n.id, n.legacy_unique_id FROM news n WHERE n.legacy_unique_id IS NOT NULL AND :wanted
    ), lost AS (
        SELECT c.id FROM claim c JOIN news o ON o.unique_id::text = c.legacy_unique_id::text
        UNION SELECT c.id FROM claim c
            JOIN news o ON o.legacy_unique_id::text = c.legacy_unique_id::text AND o.id < c.id
    )"""


def rows_query(catalogue: Catalogue, wanted: str) -> str:
    """Ask for rows in order of `published_at`, but for those that are too large to be published.

    Args:
        catalogue: of the database.
        wanted: what `in_window` or `named` gives.

    Raises:
        SourceError: the role may not read a column.
    """
    news = [*_NEWS.values(), *_JOINS.values(), "id", *(["legacy_unique_id"] if catalogue.has_legacy else [])]
    catalogue.require(news, ("id", "label", "code"))
    legacy = as_text("n.legacy_unique_id", catalogue.news.get("legacy_unique_id"))
    legacy = f"CASE WHEN lost.id IS NULL THEN {legacy} END" if catalogue.has_legacy else "NULL::text"
    columns = [
        "n.id::text AS row_id",
        *(f"{as_text(f'n.{column}', catalogue.news.get(column))} AS {name}" for name, column in _NEWS.items()),
        *(
            f"{as_text(f'{alias}.{column}', catalogue.themes.get(column))} AS {name}"
            for name, (alias, column) in _THEMES.items()
        ),
        f"{_dimensions(catalogue)} AS tags_dimensions",
        f"{legacy} AS legacy_unique_id",
    ]
    joins = [f"LEFT JOIN themes {alias} ON {alias}.id = n.{column}" for alias, column in _JOINS.items()]
    lost = "LEFT JOIN lost ON lost.id = n.id" if catalogue.has_legacy else ""
    claims = _CLAIMS if catalogue.has_legacy else ""
    sql = f"{claims} SELECT {', '.join(columns)} FROM news n {' '.join(joins)} {lost} WHERE :wanted AND {_FITS}"
    return f"{sql} ORDER BY n.published_at".replace(":wanted", wanted)


def too_large_query(catalogue: Catalogue, wanted: str) -> str:
    """Ask for the rows that are too large: what names each, how large it is, and its largest column with its bytes.

    Raises:
        SourceError: the role may not read a column.
    """
    catalogue.require([*_TEXTS, "id", "unique_id", "published_at"])
    legacy = "n.legacy_unique_id::text" if catalogue.has_legacy else "NULL::text"
    return f"""
        SELECT n.id::text AS row_id, n.unique_id::text AS unique_id, {legacy} AS legacy_unique_id, n.published_at,
            {_BYTES} AS bytes, largest.name AS largest, largest.bytes AS largest_bytes
        FROM news n CROSS JOIN LATERAL (
            SELECT name, bytes FROM (VALUES {", ".join(f"('{name}', {_bytes(name)})" for name in _TEXTS)})
                AS texts (name, bytes) ORDER BY bytes DESC NULLS LAST LIMIT 1
        ) AS largest
        WHERE {wanted} AND NOT {_FITS} ORDER BY n.published_at, n.id"""


def _bytes(column: str) -> str:
    """Count the bytes of a text, which PostgreSQL knows of a long one without reading it."""
    return f"coalesce(octet_length(n.{column}::text), 0)::bigint"


_TEXTS = ("title", "subtitle", "editorial_lead", "url", "content", "image_url", "video_url", "category", "summary")
_BYTES = " + ".join(map(_bytes, _TEXTS))
_FITS = f"({_BYTES} <= {ROW_BYTES})"
"""A row that is too large is never fetched."""


def in_window(start: datetime, end: datetime) -> str:
    """Want the rows published since an instant and before another."""
    return _IN_WINDOW.format(start.isoformat(), end.isoformat())


def named(catalogue: Catalogue, ids: Sequence[str]) -> str:
    """Want the rows that one of these ids names."""
    wanted = _NAMED_BY_EITHER if catalogue.has_legacy else _NAMED
    # In UTF-8, as escapes mean nothing to a database without an encoding. Without a dollar sign no id ends the literal.
    literal = json.dumps(ids, ensure_ascii=False).replace("$", "\\u0024")
    return wanted.replace("{}", f"$ids${literal}$ids$::jsonb")


def _dimensions(catalogue: Catalogue) -> str:
    """Count the dimensions of the tags, which the driver would flatten."""
    tags = catalogue.news.get("tags")
    return f"array_ndims({as_text('n.tags', tags)})" if tags and tags.depth else "NULL::int"
