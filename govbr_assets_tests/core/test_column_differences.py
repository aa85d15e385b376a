"""Values that differ are shown around the first difference, in quotes, and what is cut has an ellipsis."""

import pytest

from govbr_assets.core.column_differences import excerpts


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["velho", "d'água"], ["'velho'", '"d\'água"']),
        ([None, "A urbanização"], ["null", "'A urbanização'"]),
        ([None, "a" * 200], ["null", f"'{'a' * 80}…'"]),
        (["a" * 80, None], [f"'{'a' * 80}'", "null"]),
        ([["a", "b"], None], ["\"['a', 'b']\"", "null"]),
        (["a" * 100 + "b", "a" * 100 + "c"], [f"'…{'a' * 20}b'", f"'…{'a' * 20}c'"]),
    ],
)
def test_values_are_shown(values: list[object], told: list[str]):
    assert excerpts(values) == told
