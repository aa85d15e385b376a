"""What every program is given: the query of a day, and the schema of the files that the dataset has."""

from datetime import date, timedelta

import pyarrow as pa

_TEXT, _TIME = pa.string(), pa.timestamp("us", tz="-03:00")
_TYPES = {
    "published_at": _TIME,
    "updated_datetime": _TIME,
    "extracted_at": pa.timestamp("ns"),
    "tags": pa.list_(_TEXT),
}
_COLUMNS = (
    "unique_id, agency, published_at, updated_datetime, extracted_at, title, subtitle, editorial_lead, url, content,"
    " image, video_url, category, tags, theme_1_level_1, theme_1_level_1_code, theme_1_level_1_label,"
    " theme_1_level_2_code, theme_1_level_2_label, theme_1_level_3_code, theme_1_level_3_label,"
    " most_specific_theme_code, most_specific_theme_label, summary"
)

SCHEMA = pa.schema([(name, _TYPES.get(name, _TEXT)) for name in _COLUMNS.split(", ")])
"""Of the files that are there: 24 columns."""

VIEW = "published_news"
"""A view in PostgreSQL with these columns, and `updated_at`, when a row was last written."""


def window(day: str) -> tuple[str, str]:
    """Return the first instant of a day in Brazil, and that of the next one."""
    return f"{day}T00:00:00-03:00", f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00-03:00"


def query(day: str) -> str:
    """Return the query for the rows of a day."""
    start, end = window(day)
    return f"SELECT {_COLUMNS} FROM {VIEW} WHERE published_at >= '{start}' AND published_at < '{end}'"
