"""Digests of rows: the same row always has the same one, and no two rows share one, however alike they are spelled."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.digest import row_digests
from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS
from govbr_assets_tests.conftest import SAMPLE
from govbr_assets_tests.tables import as_published, news, shard

# Texts that look like what stands between texts: lengths, blanks, and the sign of a null.
ALIKE = ["", "-", " ", "1", "0", "-1", "- -", "1 -", "1  ", "0 ", "a", "a b", "á", "\0", "\0\0"]
texts = st.none() | st.sampled_from(ALIKE) | st.text("a- 012", max_size=4)
rows_alike = st.fixed_dictionaries(
    {
        "published_at": st.sampled_from([None, -1, 0, 1, 10]),
        "extracted_at": st.sampled_from([None, -1, 0, 1, 10]),
        "title": texts,
        "subtitle": texts,
        "category": texts,
        "tags": st.none() | st.lists(texts, max_size=3),
        "theme_1_level_1": texts,
        "summary": texts,
    }
)
TIMES = ["published_at", "updated_datetime", "extracted_at"]
TEXTS = [name for name in NEWS.schema.names if name not in (*TIMES, "tags")]
OTHERS = [
    *({name: None} for name in NEWS.schema.names),
    *({name: text} for name in TEXTS for text in ("other", "")),
    *({name: 2} for name in TIMES),
    *({"tags": tags} for tags in ([], [None], [""], ["a", "b"], ["b", "a"], ["ab"], ["a b"], ["a,b"], ["a", None])),
]


def table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=NEWS.schema)


def full_row() -> dict[str, object]:
    """Make a row without a null."""
    return {**dict.fromkeys(TEXTS, "text"), **dict.fromkeys(TIMES, 1), "tags": ["tag"]}


def test_a_row_has_the_digest_that_it_had_in_every_version():
    row = full_row() | {"content": "nb\u00a0sp 🇧🇷", "tags": ["a", None, ""], "image": None, "published_at": -1}
    first = NEWS.at(1).schema
    digests = row_digests(table([row, {}]).select(first.names), first)
    assert digests.to_pylist() == [4664049338826038381, 8214165926749124003]


def test_rows_that_differ_in_any_column_by_anything_have_other_digests():
    rows = table([full_row(), *(full_row() | other for other in OTHERS)])
    assert len(set(row_digests(rows, NEWS.schema).to_pylist())) == rows.num_rows


@given(st.lists(rows_alike, min_size=2, max_size=20))
def test_rows_have_the_same_digest_exactly_if_they_are_the_same(rows: list[dict[str, object]]):
    digests = row_digests(table(rows), NEWS.schema).to_pylist()
    for digest, row in zip(digests, rows, strict=True):
        assert [each == digest for each in digests] == [each == row for each in rows]


@given(st.lists(rows_alike, max_size=20), st.lists(st.integers(0, 20)))
def test_chunks_and_slices_leave_no_trace(rows: list[dict[str, object]], cuts: list[int]):
    whole, ends = table(rows), sorted([0, *cuts, 20])
    slices = [whole.slice(start, end - start) for start, end in pairwise(ends)]
    digests = row_digests(whole, NEWS.schema)
    assert row_digests(pa.concat_tables(slices), NEWS.schema) == digests
    assert pa.concat_arrays([row_digests(each, NEWS.schema) for each in slices]) == digests


def test_many_rows_have_the_digests_that_they_have_a_few_at_once():
    rows = shard([f"id-{number}" for number in range(2_345)])
    few = [row_digests(rows.slice(start, 100), NEWS.schema) for start in range(0, rows.num_rows, 100)]
    assert row_digests(rows, NEWS.schema) == pa.concat_arrays(few)


def test_what_a_null_hides_does_not_count():
    mask = pa.array([True, False])
    hiding = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), pa.array(["hidden", "b"]), mask=mask)
    rows = table([{}, {"tags": ["b"]}])
    assert row_digests(rows.set_column(13, NEWS.schema.field("tags"), hiding), NEWS.schema) == row_digests(
        rows, NEWS.schema
    )


def test_no_rows_have_no_digests():
    assert row_digests(NEWS.schema.empty_table(), NEWS.schema) == pa.array([], pa.int64())


def test_metadata_is_not_content():
    rows = shard(["a", "b"])
    assert row_digests(rows.replace_schema_metadata({"pandas": "{}"}), NEWS.schema) == row_digests(rows, NEWS.schema)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (news(["a"]), "legacy_unique_id"),
        (shard(["a"]).select(NEWS.schema.names[::-1]), "order"),
        (shard(["a"]).set_column(2, "published_at", pa.array([1], pa.timestamp("us", "UTC"))), "published_at"),
    ],
)
def test_rows_of_another_schema_have_no_digest(rows: pa.Table, named: str):
    with pytest.raises(ContractError, match=named):
        row_digests(rows, NEWS.schema)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the real rows are not beside this checkout")
def test_a_thousand_real_rows_have_a_thousand_digests():
    rows = as_published(pq.read_table(SAMPLE))
    assert len(set(row_digests(rows, NEWS.schema).to_pylist())) == 1_000
