"""Identity: a row is found whichever id the Hub knows it by."""

import pyarrow as pa
from hypothesis import strategies as st

from govbr_assets.core import identity
from govbr_assets_tests.tables import news

ids = st.sampled_from([f"id{number}" for number in range(8)])
legacy_ids = st.sampled_from([f"md5{number}" for number in range(8)])


def test_a_row_is_found_by_either_of_its_ids():
    rows = news(["a", "b", "c"], legacy=["old-a", None, "old-c"])
    found = identity.existing(rows, elsewhere=["old-a", "b", "stranger"], own_shard=["c"])
    assert found.to_pylist() == [
        {"unique_id": "a", "hub_unique_id": "old-a", "in_own_shard": False},
        {"unique_id": "b", "hub_unique_id": "b", "in_own_shard": False},
        {"unique_id": "c", "hub_unique_id": "c", "in_own_shard": True},
    ]


def test_a_row_that_stands_in_its_shard_and_elsewhere_is_seen_twice():
    found = identity.existing(news(["a"]), elsewhere=["a"], own_shard=["a"])
    assert found["in_own_shard"].to_pylist() == [False, True]


def test_missing_rows_are_those_that_no_id_on_the_hub_names():
    rows = news(["a", "b", "c"], legacy=["old-a", "old-b", "old-c"])
    assert identity.missing_rows(rows, pa.chunked_array([["old-a", "c"]])) == ["b"]
