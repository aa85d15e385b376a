"""What is made of the declared columns."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.columns import Column, Join
from govbr_assets.dataset.parquet import encode
from govbr_assets.errors import ConfigurationError
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
    more = Column("origin", pa.string(), "n.origin", "Where it is from.")
    first, second, *rest = NEWS.columns
    others = [
        (*NEWS.columns, more),
        NEWS.columns[:-1],
        (second, first, *rest),
        (replace(first, type=pa.int64()), *rest),
    ]
    fingerprints = [NEWS.fingerprint, *(replace(NEWS, columns=columns).fingerprint for columns in others)]
    assert len(set(fingerprints)) == len(fingerprints)
    described = replace(first, description="An id.", dictionary=True)
    assert replace(NEWS, columns=(described, *NEWS.columns[1:])).fingerprint == NEWS.fingerprint


FEATURES = Join("news_features", "f", changed="updated_at")
NEXT = NEWS.version + 1
SCORE = Column("score", pa.float64(), "(f.features->>'n.x')::float8", "How it sounds.", since=NEXT)


def test_a_version_has_the_columns_that_it_had_and_files_say_which_one_they_have():
    last = Column("level", pa.string(), "n.level", "How urgent it is.", since=NEXT + 1)
    grown = replace(NEWS, columns=(*NEWS.columns, SCORE, last), joins=(FEATURES,))
    versions, columns = (NEWS.version, NEXT, NEXT + 1), len(NEWS.columns)
    assert grown.version == NEXT + 1
    assert [len(grown.at(version).columns) for version in versions] == [columns, columns + 1, columns + 2]
    assert grown.at(NEWS.version).fingerprint == NEWS.fingerprint
    schemas = [grown.at(version).schema for version in versions]
    assert [grown.version_of(schema) for schema in schemas] == [*versions]
    assert grown.version_of(schemas[0].append(last.field)) == NEWS.version
    assert grown.version_of(schemas[2].remove(0)) == 0
    assert SCORE.sources == {("f", "features")}


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (replace(SCORE, name="title"), "Column title is declared more than once"),
        (replace(SCORE, type=pa.binary()), "Column score is declared as binary"),
        (
            replace(SCORE, since=NEXT + 1),
            f"Column score is declared with since={NEXT + 1} in publications.py, and none with since={NEXT}",
        ),
        (replace(SCORE, sql="g.score"), "Column score is read from g in publications.py, which is no alias of a table"),
        (replace(SCORE, since=0), "Column score is declared with since=0 in publications.py, and none with since=-1"),
        (replace(SCORE, type=pa.timestamp("s")), r"Column score is declared as timestamp\[s\] in publications.py"),
        (replace(SCORE, name="source"), "Column source in publications.py has a name that queries and temporary files"),
        (replace(SCORE, name="digest"), "Column digest in publications.py has a name that queries and temporary files"),
        (replace(SCORE, name="row_id"), "Column row_id in publications.py has a name that queries and temporary files"),
        (replace(SCORE, name="tags_dimensions"), "Column tags_dimensions in publications.py has a name that queries"),
        (replace(SCORE, name="claimed_legacy_unique_id"), "Column claimed_legacy_unique_id in publications.py has a"),
        (replace(SCORE, name="Title"), "Column 'Title' in publications.py has a name that cannot be published: write"),
        (replace(SCORE, name="how it sounds"), "Column 'how it sounds' in publications.py has a name that cannot be"),
        (replace(SCORE, name="x" * 60), "Column 'xxx.* in publications.py has a name that cannot be published: write"),
    ],
)
def test_a_column_that_cannot_be_published_is_a_sentence_when_it_is_declared(column: Column, sentence: str):
    with pytest.raises(ConfigurationError, match=sentence):
        replace(NEWS, columns=(*NEWS.columns, column), joins=(FEATURES,))


@pytest.mark.parametrize("alias", ["lost", "F", "f f"])
def test_an_alias_that_a_query_has_or_cannot_have_is_a_sentence_when_it_is_declared(alias: str):
    with pytest.raises(
        ConfigurationError, match=f"The join of news_features in publications.py has the alias {alias!r}"
    ):
        replace(NEWS, joins=(replace(FEATURES, alias=alias),))


def test_a_list_of_texts_is_written_as_it_is_read_back_whatever_its_elements_are_called():
    declared = replace(SCORE, name="entities", type=pa.list_(pa.string()))
    grown = replace(NEWS, columns=(*NEWS.columns, declared), joins=(FEATURES,))
    rows = grown.schema.empty_table()
    assert pq.read_schema(pa.BufferReader(encode(rows, grown))).equals(grown.schema, check_metadata=True)
    assert declared == replace(declared, type=pa.list_(pa.field("element", pa.string())))


@pytest.mark.parametrize(
    ("sql", "sources"),
    [
        ('f."Label" || n."é.x"', {("f", "Label"), ("n", "é.x")}),
        ("F.Features->>'n.x'", {("f", "features")}),
        ("public.unaccent(n.title) || pg_catalog . lower (n.url)", {("n", "title"), ("n", "url")}),
        ("n.order", {("n", "order")}),
        ("'f.x' || 0.5 || 'it''s g.x'", set()),
    ],
)
def test_an_expression_names_its_tables_as_postgresql_reads_them(sql: str, sources: set[tuple[str, str]]):
    assert replace(SCORE, sql=sql).sources == sources
