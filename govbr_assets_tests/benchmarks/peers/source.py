"""PostgreSQL as the peers find it: the view that they read, the days that arrive, and rows that change or go."""

from collections.abc import Sequence
from datetime import date

import adbc_driver_postgresql.dbapi as adbc

from govbr_assets.local.load import load
from govbr_assets.local.news import late_news

CORRECTED = " (corrected)"
"""The end of a title that has changed."""

_SEED = 1
"""No two of the days have an id in common; with 0 two of them have."""

_THEMES = {"l1": "theme_1_level_1", "l2": "theme_1_level_2", "l3": "theme_1_level_3", "ms": "most_specific_theme"}
_IDS = {"l1": "theme_l1_id", "l2": "theme_l2_id", "l3": "theme_l3_id", "ms": "most_specific_theme_id"}
_AS_THEY_ARE = (
    "unique_id, published_at, updated_datetime, title, subtitle, editorial_lead, url, content, video_url, category,"
    " tags, summary, updated_at"
)


class Source:
    """The table of news.

    Args:
        url: of the database.
        rows: of a day.
    """

    def __init__(self, url: str, rows: int) -> None:
        self._url, self._rows = url, rows
        columns = [f"n.{name}" for name in _AS_THEY_ARE.split(", ")]
        columns += ["n.agency_key AS agency", "n.image_url AS image", "l1.label AS theme_1_level_1"]
        columns += ["n.extracted_at AT TIME ZONE 'UTC' AS extracted_at"]
        columns += [
            f"{alias}.{name} AS {theme}_{name}" for alias, theme in _THEMES.items() for name in ("code", "label")
        ]
        joins = [f"LEFT JOIN themes {alias} ON {alias}.id = n.{column}" for alias, column in _IDS.items()]
        self._execute(f"CREATE VIEW published_news AS SELECT {', '.join(columns)} FROM news n {' '.join(joins)}")

    def add(self, day: date) -> list[str]:
        """Let the rows of a day arrive; return their ids."""
        rows = late_news(day, self._rows, _SEED)
        load(self._url, [rows])
        ids = rows["unique_id"].to_pylist()
        # Any update has `updated_at` say when it was, as it does of rows that an application has just written.
        self._execute(f"UPDATE news SET title = title WHERE unique_id IN ({_literals(ids)})")
        return ids

    def correct(self, ids: Sequence[str]) -> None:
        """Change the titles of rows."""
        self._execute(f"UPDATE news SET title = title || '{CORRECTED}' WHERE unique_id IN ({_literals(ids)})")

    def delete(self, ids: Sequence[str]) -> None:
        """Delete rows."""
        self._execute(f"DELETE FROM news WHERE unique_id IN ({_literals(ids)})")

    def delete_days(self, *days: date) -> None:
        """Delete all rows of some days."""
        named = ", ".join(f"'{day}'" for day in days)
        self._execute(f"DELETE FROM news WHERE (published_at AT TIME ZONE 'America/Sao_Paulo')::date IN ({named})")

    def _execute(self, sql: str) -> None:
        with adbc.connect(self._url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(sql)


def _literals(ids: Sequence[str]) -> str:
    return ", ".join(f"'{unique_id}'" for unique_id in ids)
