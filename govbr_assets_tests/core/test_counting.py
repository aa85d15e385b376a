"""Numbers of things in sentences."""

import pytest

from govbr_assets.core.counting import count, differing


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (2818, "2,818 days"), (-1, "-1 days")]
)
def test_one_is_singular_and_thousands_are_separated(number: int, words: str):
    assert count(number, "day") == words


@pytest.mark.parametrize(
    ("number", "noun", "words"), [(1, "", "1 differs"), (2000, "", "2,000 differ"), (1, "day", "1 day differs")]
)
def test_one_differs_and_others_differ(number: int, noun: str, words: str):
    assert differing(number, noun) == words
