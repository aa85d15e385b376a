"""How many rows may leave the dataset without being told to: the guards, as plain rules."""

import pytest

from govbr_assets.operations.sync.deletes import day_guard, recent_guard


@pytest.mark.parametrize(
    ("removed", "hub_rows", "postgres_rows", "blocked"),
    [(0, 50, 0, False), (1, 1, 0, True), (4, 20, 16, False), (5, 20, 15, True), (18, 19, 1, False)],
)
def test_a_fifth_of_a_day_may_go_and_never_all_for_an_empty_postgres(
    removed: int, hub_rows: int, postgres_rows: int, blocked: bool
):
    assert bool(day_guard(removed, hub_rows, postgres_rows)) == blocked


@pytest.mark.parametrize(("removed", "before", "blocked"), [(0, 900, False), (200, 0, False), (1, 200, True)])
def test_two_hundred_rows_may_go_in_a_day(removed: int, before: int, blocked: bool):
    assert bool(recent_guard(removed, before)) == blocked
