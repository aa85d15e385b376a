"""SQL for whole rows: the published columns of the news of a window, or of those that ids name.

A query is completed with what `news` has of columns, and with what is wanted: bound parameters would switch off COPY
and batching, and what is set in a session may be gone, or somebody else's, when the query comes.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

_COLUMNS = """
    n.id AS row_id, n.unique_id, n.agency_key AS agency, n.published_at, n.updated_datetime, n.extracted_at,
    n.title, n.subtitle, n.editorial_lead, n.url, n.content, n.image_url AS image, n.video_url, n.category,
    n.tags, :dimensions AS tags_dimensions,
    l1.label AS theme_1_level_1, l1.code AS theme_1_level_1_code, l1.label AS theme_1_level_1_label,
    l2.code AS theme_1_level_2_code, l2.label AS theme_1_level_2_label,
    l3.code AS theme_1_level_3_code, l3.label AS theme_1_level_3_label,
    ms.code AS most_specific_theme_code, ms.label AS most_specific_theme_label, n.summary"""

_FROM = """
    FROM news n
    LEFT JOIN themes l1 ON l1.id = n.theme_l1_id
    LEFT JOIN themes l2 ON l2.id = n.theme_l2_id
    LEFT JOIN themes l3 ON l3.id = n.theme_l3_id
    LEFT JOIN themes ms ON ms.id = n.most_specific_theme_id"""

_IN_WINDOW = "(n.published_at >= '{}'::timestamptz AND n.published_at < '{}'::timestamptz)"

_IDS = "(SELECT jsonb_array_elements_text({}))"
_NAMED = f"n.unique_id IN {_IDS}"
_NAMED_BY_EITHER = f"({_NAMED} OR n.legacy_unique_id IN {_IDS})"

_WITHOUT_LEGACY = f"SELECT {_COLUMNS}, NULL::text AS legacy_unique_id {_FROM} WHERE :wanted ORDER BY n.published_at"

# A legacy id counts only if no row owns it as its unique_id, and of several claimants the lowest id has it.
_WITH_LEGACY = f"""
    WITH claim AS MATERIALIZED (
        SELECT n.id, n.legacy_unique_id FROM news n WHERE n.legacy_unique_id IS NOT NULL AND :wanted
    ), lost AS (
        SELECT c.id FROM claim c JOIN news o ON o.unique_id = c.legacy_unique_id
        UNION SELECT c.id FROM claim c JOIN news o ON o.legacy_unique_id = c.legacy_unique_id AND o.id < c.id
    )
    SELECT {_COLUMNS}, CASE WHEN lost.id IS NULL THEN n.legacy_unique_id END AS legacy_unique_id
    {_FROM} LEFT JOIN lost ON lost.id = n.id WHERE :wanted ORDER BY n.published_at"""


def rows_query(columns: Mapping[str, str], wanted: str) -> str:
    """Ask for rows in order of `published_at`.

    Args:
        columns: of `news`, with their types.
        wanted: what `in_window` or `named` gives.
    """
    dimensions = "array_ndims(n.tags)" if columns.get("tags", "").endswith("[]") else "NULL::int"
    rows = _WITH_LEGACY if "legacy_unique_id" in columns else _WITHOUT_LEGACY
    return rows.replace(":dimensions", dimensions).replace(":wanted", wanted)


def in_window(start: datetime, end: datetime) -> str:
    """Want the rows published since an instant and before another."""
    return _IN_WINDOW.format(start.isoformat(), end.isoformat())


def named(columns: Mapping[str, str], ids: Sequence[str]) -> str:
    """Want the rows that one of these ids names."""
    wanted = _NAMED_BY_EITHER if "legacy_unique_id" in columns else _NAMED
    # ASCII without a dollar sign: whatever an id holds, it can end no literal, in any encoding.
    literal = json.dumps(ids).replace("$", "\\u0024")
    return wanted.replace("{}", f"$ids${literal}$ids$::jsonb")
