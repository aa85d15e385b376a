"""Identity and the day's shard: once, nothing lost, whichever id the Hub knows a row by."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core import dedup
from govbr_assets_tests.tables import news, shard

ids = st.sampled_from([f"id{number}" for number in range(8)])
legacy_ids = st.sampled_from([f"md5{number}" for number in range(8)])


def test_a_row_is_found_by_either_of_its_ids():
    rows = news(["a", "b", "c"], legacy=["old-a", None, "old-c"])
    found = dedup.existing(rows, elsewhere=["old-a", "b", "stranger"], own_shard=["c"])
    assert found.to_pylist() == [
        {"unique_id": "a", "hub_unique_id": "old-a", "in_own_shard": False},
        {"unique_id": "b", "hub_unique_id": "b", "in_own_shard": False},
        {"unique_id": "c", "hub_unique_id": "c", "in_own_shard": True},
    ]


def test_a_row_that_stands_in_its_shard_and_elsewhere_is_seen_twice():
    found = dedup.existing(news(["a"]), elsewhere=["a"], own_shard=["a"])
    assert found["in_own_shard"].to_pylist() == [False, True]


def test_three_late_rows_make_a_larger_shard_and_not_a_shard_of_three():
    old = shard(["a", "b"])
    rows = news(["a", "b", "c", "d", "e"])
    assert sorted(dedup.shard_rows(rows, [], old)["unique_id"].to_pylist()) == ["a", "b", "c", "d", "e"]


def test_a_row_of_the_shard_that_postgres_lacks_is_kept_as_it_is():
    old = shard(["gone", "a"])
    made = dedup.shard_rows(news(["a"]), [], old)
    assert made.filter(pc.equal(made["unique_id"], "gone")).to_pylist() == old.slice(0, 1).to_pylist()


def test_a_changed_row_is_published_as_postgres_has_it():
    old = shard(["a"]).set_column(5, "title", pa.array(["an old title"]))
    made = dedup.shard_rows(news(["a"]), [], old)
    assert made["title"].to_pylist() == ["Title of a"]


def test_moves_outside_a_file_leave_out_what_the_file_itself_gained_and_lost():
    moves = dedup.Moves()
    moves.record("own", ["a", "b", None], 1)
    moves.record("other", ["a"], 1)
    moves.record("other", ["b", "c"], -1)
    assert moves.outside("own", ["a", "b", "c", "d"]) == {"a": 1, "b": -1, "c": -1}
    assert moves.outside("other", ["a", "b", "c"]) == {"a": 1, "b": 1, "c": 0}


@given(
    postgres=st.lists(ids, unique=True),
    legacy=st.lists(legacy_ids, unique=True, min_size=8, max_size=8),
    elsewhere=st.lists(ids | legacy_ids, unique=True),
    own=st.lists(ids | legacy_ids, unique=True),
)
def test_after_publishing_each_row_stands_once_and_nothing_is_lost(
    postgres: list[str], legacy: list[str], elsewhere: list[str], own: list[str]
):
    rows = news(postgres, legacy=legacy[: len(postgres)])
    owner = dict(zip(legacy, postgres, strict=False)) | {unique_id: unique_id for unique_id in postgres}
    # What stands twice before we come is not ours to answer for: one name for each row, in one file.
    elsewhere = list({owner.get(name, name): name for name in elsewhere}.values())
    taken = {owner.get(name, name) for name in elsewhere}
    own = list({owner.get(name, name): name for name in own if owner.get(name, name) not in taken}.values())

    made = dedup.shard_rows(rows, elsewhere, shard(own))["unique_id"].to_pylist()

    after = Counter(owner.get(name, name) for name in made + elsewhere)
    assert set(after.values()) <= {1}
    assert set(after) == {*postgres, *(owner.get(name, name) for name in own + elsewhere)}


@given(postgres=st.lists(ids, unique=True), elsewhere=st.lists(ids), own=st.lists(ids, unique=True))
def test_publishing_again_changes_nothing(postgres: list[str], elsewhere: list[str], own: list[str]):
    rows = news(postgres)
    first = dedup.shard_rows(rows, elsewhere, shard(own))
    assert dedup.shard_rows(rows, elsewhere, first).equals(first)


def test_missing_rows_are_those_that_no_id_on_the_hub_names():
    rows = news(["a", "b", "c"], legacy=["old-a", "old-b", "old-c"])
    assert dedup.missing_rows(rows, pa.chunked_array([["old-a", "c"]])) == ["b"]
