"""Where the rows of a day belong, what differs, and what becomes of each: the rules, on plain values."""

import math
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.diff import Place, differing_columns, home_of, row_changes
from govbr_assets.core.digest import row_digests
from govbr_assets.core.row_changes import Action, RowChange, RowChanges
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import shard

OWN, YEAR = "data/train-2026-01-15.parquet", "data/train-2026-00.parquet"
OTHER, BASE = "data/train-2026-01-14.parquet", "data/train-0-of-3.parquet"


def can_change(path: str) -> bool:
    return NEWS.layout.period_of(path) is not None or NEWS.layout.day_of(path) is not None


def in_year(hub_id: str, *columns: str) -> Place:
    return Place(YEAR, hub_id, in_place=True, columns=columns)


def in_shard(hub_id: str, *columns: str) -> Place:
    return Place(OWN, hub_id, in_place=True, columns=columns)


def changes(places: Sequence[Place] = ()) -> list[RowChange]:
    home = home_of([each for each in places if each.path != OWN], OWN, can_change)
    return list(row_changes("a", places, home, can_change))


def test_a_row_that_is_nowhere_belongs_in_the_shard_of_its_day():
    assert changes() == [RowChange(Action.ADD, "a", target=OWN)]


def test_a_row_that_is_as_it_should_be_stays_where_it_is():
    assert changes([in_year("a")]) == changes([in_shard("a")]) == []


def test_a_row_that_differs_is_changed_where_it_is_under_whichever_id():
    assert changes([in_year("a", "title")]) == [RowChange(Action.CHANGE, "a", "a", YEAR, YEAR, ("title",))]
    assert changes([in_shard("old-a", "unique_id")]) == [
        RowChange(Action.CHANGE, "a", "old-a", OWN, OWN, ("unique_id",))
    ]


def test_of_a_row_that_its_file_has_twice_the_one_as_it_should_be_stays():
    assert changes([in_year("old-a", "unique_id"), in_year("a")]) == [
        RowChange(Action.DROP_DUPLICATE, "a", "old-a", YEAR)
    ]


def test_a_row_that_its_file_has_twice_under_one_id_is_written_again():
    assert changes([in_year("a"), Place(YEAR, "a")]) == [
        RowChange(Action.CHANGE, "a", "a", YEAR, YEAR),
        RowChange(Action.DROP_DUPLICATE, "a", "a", YEAR),
    ]


def test_a_row_of_another_day_s_file_moves_here():
    assert changes([Place(OTHER, "a")]) == [RowChange(Action.MOVE_IN, "a", "a", OTHER, OWN)]


def test_a_row_that_is_here_and_in_other_files_goes_from_those():
    assert changes([Place(OTHER, "a"), in_shard("a", "title")]) == [
        RowChange(Action.CHANGE, "a", "a", OWN, OWN, ("title",)),
        RowChange(Action.DROP_DUPLICATE, "a", "a", OTHER),
    ]


def test_a_row_of_a_file_that_only_a_compaction_may_change_stays_there_and_nowhere_else():
    assert changes([in_year("a", "title"), Place(BASE, "a"), Place(OTHER, "a"), in_shard("a")]) == [
        RowChange(Action.LEAVE_UNCOMPACTED, "a", "a", BASE),
        RowChange(Action.DROP_DUPLICATE, "a", "a", YEAR),
        RowChange(Action.DROP_DUPLICATE, "a", "a", OTHER),
        RowChange(Action.DROP_DUPLICATE, "a", "a", OWN),
    ]


ids = st.sampled_from(["a", "old-a"])
columns = st.sampled_from([(), ("title",)])


@given(
    st.lists(st.builds(Place, st.sampled_from([YEAR, OWN]), ids, st.just(True), columns), max_size=4),
    st.lists(st.builds(Place, st.sampled_from([OTHER, YEAR, BASE]), ids), max_size=4),
)
def test_each_row_ends_up_once_as_it_should_be_and_nothing_else_is_affected(here: list[Place], others: list[Place]):
    places = [*others, *here]
    found = RowChanges(tuple(changes(places)))
    deleted = [(path, hub_id) for path, hub_ids in found.deletes.items() for hub_id in hub_ids]
    assert all(can_change(path) for path, _ in deleted)
    stay = [each for each in places if (each.path, each.hub_id) not in set(deleted)]
    in_base = [each for each in places if each.path == BASE]
    came = [path for path, rows in found.inserts.items() for _ in rows]
    if in_base:
        assert (Counter(stay), came) == (Counter(in_base), [])
    else:
        assert len(stay) + len(came) == 1
        assert all(each.in_place and not each.columns for each in stay)
        assert bool(found) == (len(places) != 1 or stay == [])
    assert found.duplicates == max(0, len(places) - max(1, len(in_base)))
    assert set(deleted) <= {(each.path, each.hub_id) for each in places}


def test_counts_ids_and_edits_come_from_the_same_list():
    found = RowChanges(
        (
            RowChange(Action.ADD, "a", target=OWN),
            RowChange(Action.CHANGE, "b", "old-b", YEAR, YEAR, ("title", "url")),
            RowChange(Action.MOVE_OUT, "c", "c", YEAR, OTHER),
            RowChange(Action.REMOVE, None, "d", OWN),
            RowChange(Action.REMOVE, None, "d", YEAR),
            RowChange(Action.RETAIN, None, "e", OWN),
        )
    )
    assert found.deletes == {YEAR: ["old-b", "c", "d"], OWN: ["d"]}
    assert found.inserts == {OWN: ["a"], YEAR: ["b"], OTHER: ["c"]}
    assert (found.count(Action.REMOVE), found.changed) == (1, {"b": ("title", "url")})
    retained = found.retaining({"d"})
    assert (retained.ids(Action.RETAIN), retained.count(Action.REMOVE)) == (["d", "e"], 0)
    assert retained.deletes == {YEAR: ["old-b", "c"]}
    assert found.without_target({"c"}).inserts == {OWN: ["a"], YEAR: ["b"]}
    assert not RowChanges((RowChange(Action.RETAIN, None, "e", OWN),))


def test_the_columns_that_differ_are_named_and_null_is_no_empty_text():
    old = shard(["a", "b", "c"])
    new = old.set_column(5, "title", pa.array(["Title of a", "other", "Title of c"]))
    new = new.set_column(23, "summary", pa.array(["", None, None]))
    old = old.set_column(23, "summary", pa.array([None, None, None], pa.string()))
    new = new.set_column(13, NEWS.schema.field("tags"), pa.array([None, None, ["x"]], NEWS.schema.field("tags").type))
    old = old.set_column(13, NEWS.schema.field("tags"), pa.array([[], None, ["x"]], NEWS.schema.field("tags").type))
    assert list(differing_columns(old, new, NEWS.schema.names)) == [("tags", "summary"), ("title",), ()]


def test_numbers_are_compared_by_their_bits_as_their_digests_are():
    schema = pa.schema([("score", pa.float64())])
    old = [1.0, math.nan, 0.0, None, math.nan, 0.1]
    new = [1.0, math.nan, -0.0, math.nan, None, 0.1]
    before, after = (
        pa.table({"score": pa.chunked_array([values[:2], values[2:]], pa.float64())}) for values in (old, new)
    )
    differing = [bool(each) for each in differing_columns(before, after, ["score"])]
    assert differing == [False, False, True, True, True, False]
    digests = (row_digests(table, schema).to_pylist() for table in (before, after))
    assert differing == [one != other for one, other in zip(*digests, strict=True)]
