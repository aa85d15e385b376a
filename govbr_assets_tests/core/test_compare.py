"""Where the rows of a day belong, what differs, and what may be removed: the rules, on plain tables."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.diff import (
    STANDING_SCHEMA,
    Places,
    differing_columns,
    find_places,
    refusal_to_remove,
    refusal_to_remove_more,
)
from govbr_assets.core.digest import row_digests
from govbr_assets.core.identity import owners
from govbr_assets.core.layout import folded_year, shard_day
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import news, shard

YEAR, OTHER, BASE = "data/train-2026-00.parquet", "data/train-2026-01-14.parquet", "data/train-0-of-3.parquet"

names = st.sampled_from([f"id{number}" for number in range(6)])
old_names = st.sampled_from([f"md5{number}" for number in range(6)])


def is_folded(path: str) -> bool:
    return folded_year(path) is not None or shard_day(path) is not None


def places(rows: pa.Table, year: Sequence[tuple[str, int]] = (), elsewhere: Sequence[tuple[str, str]] = ()) -> Places:
    columns = zip(*year, strict=True) if year else ([], [])
    standing = pa.table([pa.array(column) for column in columns], STANDING_SCHEMA.names).cast(STANDING_SCHEMA)
    return find_places(rows, owners(rows), standing, YEAR, elsewhere, is_folded, NEWS.schema)


def digest(rows: pa.Table, name: str) -> int:
    found = row_digests(rows.select(NEWS.schema.names), NEWS.schema).to_pylist()
    return found[rows["unique_id"].to_pylist().index(name)]


def test_a_row_that_stands_nowhere_belongs_into_the_shard_of_its_day():
    assert places(news(["a"])) == Places(own=["a"])


def test_a_row_that_the_year_has_as_it_is_stays_there():
    rows = news(["a"])
    assert places(rows, [("a", digest(rows, "a"))]) == Places()


def test_a_row_that_the_year_has_otherwise_is_renewed_there_under_whichever_id():
    rows = news(["a", "b"], legacy=[None, "old-b"])
    assert places(rows, [("a", 1), ("old-b", 2)]) == Places(renewed={"a": ["a"], "b": ["old-b"]})


def test_a_row_that_the_year_has_twice_is_put_there_once():
    rows = news(["a"], legacy=["old-a"])
    found = places(rows, [("a", digest(rows, "a")), ("old-a", 1)])
    assert found == Places(renewed={"a": ["a", "old-a"]}, doubled=1)


def test_a_row_of_another_day_s_file_moves_here():
    assert places(news(["a"]), elsewhere=[("a", OTHER)]) == Places(own=["a"], leaving=[(OTHER, "a")], moved=["a"])


def test_a_row_of_a_legacy_file_stays_there_and_nowhere_else():
    found = places(news(["a"]), [("a", 1)], [("a", BASE), ("a", OTHER)])
    assert found == Places(unfolded=["a"], leaving=[(OTHER, "a"), (YEAR, "a")], doubled=2)


def test_a_row_of_the_year_that_the_day_lacks_is_not_known():
    assert places(news(["a"]), [("stranger", 1)]) == Places(own=["a"], unknown=["stranger"])


@given(
    postgres=st.lists(names, unique=True),
    legacy=st.lists(old_names, unique=True, min_size=6, max_size=6),
    year=st.lists(st.tuples(names | old_names, st.booleans()), unique_by=lambda each: each[0]),
    elsewhere=st.lists(st.tuples(names | old_names, st.sampled_from([OTHER, BASE])), unique=True),
)
def test_each_row_ends_up_once_and_nothing_else_is_touched(
    postgres: list[str], legacy: list[str], year: list[tuple[str, bool]], elsewhere: list[tuple[str, str]]
):
    rows = news(postgres, legacy=legacy[: len(postgres)])
    owner = owners(rows)
    elsewhere = [(name, path) for name, path in elsewhere if name in owner]
    standing = [(name, digest(rows, name) if equal and name in postgres else 0) for name, equal in year]
    found = places(rows, standing, elsewhere)

    files = Counter((YEAR, name) for name, _ in year) + Counter((path, name) for name, path in elsewhere)
    gone = {*found.leaving, *((YEAR, name) for olds in found.renewed.values() for name in olds)}
    assert all(is_folded(path) for path, _ in gone)
    after = files - Counter({each: files[each] for each in gone})
    after += Counter((YEAR, name) for name in found.renewed) + Counter(("own", name) for name in found.own)
    rows_after = Counter(owner[name] for (_, name), count in after.items() for _ in range(count) if name in owner)
    in_base = Counter(owner[name] for name, path in elsewhere if path == BASE)
    assert rows_after == Counter({name: max(1, in_base[name]) for name in postgres})
    strangers = [name for name, _ in year if name not in owner]
    assert found.unknown == strangers
    assert all(after[YEAR, name] == files[YEAR, name] for name in strangers)
    for name, content in standing:  # what stays in the year is as PostgreSQL has it
        if name in owner and (YEAR, name) not in gone:
            assert content == digest(rows, owner[name])


def test_the_columns_that_differ_are_named_and_null_is_no_empty_text():
    old = shard(["a", "b", "c"])
    new = old.set_column(5, "title", pa.array(["Title of a", "other", "Title of c"]))
    new = new.set_column(23, "summary", pa.array(["", None, None]))
    old = old.set_column(23, "summary", pa.array([None, None, None], pa.string()))
    new = new.set_column(13, NEWS.schema.field("tags"), pa.array([None, None, ["x"]], NEWS.schema.field("tags").type))
    old = old.set_column(13, NEWS.schema.field("tags"), pa.array([[], None, ["x"]], NEWS.schema.field("tags").type))
    assert list(differing_columns(old, new, NEWS.schema.names)) == [["tags", "summary"], ["title"], []]


@pytest.mark.parametrize(
    ("removed", "hub_rows", "postgres_rows", "refused"),
    [(0, 50, 0, False), (1, 1, 0, True), (4, 20, 16, False), (5, 20, 15, True), (18, 19, 1, False)],
)
def test_a_fifth_of_a_day_may_go_and_never_all_for_an_empty_postgres(
    removed: int, hub_rows: int, postgres_rows: int, refused: bool
):
    assert bool(refusal_to_remove(removed, hub_rows, postgres_rows)) == refused


@pytest.mark.parametrize(("removed", "before", "refused"), [(0, 900, False), (200, 0, False), (1, 200, True)])
def test_two_hundred_rows_may_go_in_a_day(removed: int, before: int, refused: bool):
    assert bool(refusal_to_remove_more(removed, before)) == refused
