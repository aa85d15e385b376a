"""What is made of the declared columns."""

from dataclasses import replace

import pyarrow as pa

from govbr_assets.core.spec import Column
from govbr_assets.publications import NEWS


def test_the_columns_are_those_of_the_public_dataset_in_their_order():
    times = {
        "published_at": pa.timestamp("us", "-03:00"),
        "updated_datetime": pa.timestamp("us", "-03:00"),
        "extracted_at": pa.timestamp("ns"),
    }
    lists = {"tags": pa.list_(pa.field("element", pa.string()))}
    names = (
        *("unique_id", "agency", "published_at", "updated_datetime", "extracted_at", "title", "subtitle"),
        *("editorial_lead", "url", "content", "image", "video_url", "category", "tags"),
        *("theme_1_level_1", "theme_1_level_1_code", "theme_1_level_1_label", "theme_1_level_2_code"),
        *("theme_1_level_2_label", "theme_1_level_3_code", "theme_1_level_3_label"),
        *("most_specific_theme_code", "most_specific_theme_label", "summary"),
    )
    expected = pa.schema([(name, (times | lists).get(name, pa.string())) for name in names])
    assert NEWS.schema.equals(expected, check_metadata=True)
    assert NEWS.source_schema.names == [*names, "legacy_unique_id"]
    assert all(NEWS.descriptions[name] for name in NEWS.source_schema.names)


def test_a_column_more_of_another_type_or_in_another_place_is_another_fingerprint():
    more = Column("source", pa.string(), "n.source", "Where it is from.")
    first, second, *rest = NEWS.columns
    others = [
        (*NEWS.columns, more),
        NEWS.columns[:-1],
        (second, first, *rest),
        (replace(first, type=pa.binary()), *rest),
    ]
    fingerprints = [NEWS.fingerprint, *(replace(NEWS, columns=columns).fingerprint for columns in others)]
    assert len(set(fingerprints)) == len(fingerprints)
    described = replace(first, description="An id.", dictionary=True)
    assert replace(NEWS, columns=(described, *NEWS.columns[1:])).fingerprint == NEWS.fingerprint
