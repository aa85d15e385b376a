"""Numbers of things in sentences."""

import pytest

from govbr_assets.core.counting import count


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (2818, "2,818 days"), (-1, "-1 days")]
)
def test_one_is_singular_and_thousands_are_separated(number: int, words: str):
    assert count(number, "day") == words
