"""Paths: each is a function of the day."""

import pytest

from govbr_assets.core.days import Day
from govbr_assets.core.layout import may_hold, shard_day, shard_path
from govbr_assets_tests.tables import DAY


def test_a_shard_is_named_by_its_day_and_back():
    assert shard_path(DAY) == "data/train-2026-01-15.parquet"
    assert shard_day(shard_path(DAY)) == DAY


@pytest.mark.parametrize(
    "path",
    [
        "data/train-2026-00.parquet",
        "data/train-2026-02-31.parquet",
        "data/train-00001-of-00003.parquet",
        "data/train-2026-01-15-031502.parquet",
    ],
)
def test_other_data_files_may_hold_any_day(path: str):
    assert shard_day(path) is None
    assert may_hold(path, DAY)


def test_another_days_shard_another_year_and_what_has_no_time_cannot_hold_the_day():
    assert not may_hold("data/train-2026-01-14.parquet", DAY)
    assert not may_hold("data/train-2025-00.parquet", DAY)
    assert not may_hold("data/train-0000-undated.parquet", DAY)
    assert may_hold(shard_path(DAY), DAY)


def test_days_order_like_their_names():
    assert sorted([Day.of("2026-01-02"), Day.of("2025-12-31")])[0] == Day.of("2025-12-31")
