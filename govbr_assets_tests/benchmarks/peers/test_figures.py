"""What the rows on the Hub say of a peer."""

from govbr_assets_tests.benchmarks.peers.figures import count, followed


def test_rows_are_counted_where_they_are_and_where_they_are_twice():
    assert count({"a": ["A"], "b": ["B", "B"], "other": ["O", "O"]}, ["a", "b", "c"]) == "2 of 3 rows, 1 twice"


def test_a_title_is_followed_where_the_new_one_is_there_and_the_old_one_is_not():
    titles = {"a": ["A (corrected)"], "b": ["B"], "c": ["C", "C (corrected)"], "kept": ["K"]}
    assert followed(titles, ["a", "b", "c"], ["kept", "gone"]) == "2 of 3 new titles, 2 old ones; 1 of 2 gone"
