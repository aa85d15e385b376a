"""The contract with readers: the Arrow schema of every file on the Hub.

What a column is called, which type it has and what fits into it belongs here; where files lie does not (`layout`).
"""

import pyarrow as pa

LOCAL = "-03:00"
"""The offset in the type of the published times. An instant is the same under any; readers see this one."""

NEWS_SCHEMA = pa.schema(
    [
        ("unique_id", pa.string()),
        ("agency", pa.string()),
        ("published_at", pa.timestamp("us", tz=LOCAL)),
        ("updated_datetime", pa.timestamp("us", tz=LOCAL)),
        ("extracted_at", pa.timestamp("ns")),  # naive, UTC wall time
        ("title", pa.string()),
        ("subtitle", pa.string()),
        ("editorial_lead", pa.string()),
        ("url", pa.string()),
        ("content", pa.string()),
        ("image", pa.string()),
        ("video_url", pa.string()),
        ("category", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("theme_1_level_1", pa.string()),
        ("theme_1_level_1_code", pa.string()),
        ("theme_1_level_1_label", pa.string()),
        ("theme_1_level_2_code", pa.string()),
        ("theme_1_level_2_label", pa.string()),
        ("theme_1_level_3_code", pa.string()),
        ("theme_1_level_3_label", pa.string()),
        ("most_specific_theme_code", pa.string()),
        ("most_specific_theme_label", pa.string()),
        ("summary", pa.string()),
    ]
)
"""The 24 published columns, in their order. Source: the files of the public dataset."""
