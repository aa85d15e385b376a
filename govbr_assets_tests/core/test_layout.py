"""Paths: each is a function of the day."""

import pytest

from govbr_assets.core.days import Day
from govbr_assets.core.globs import selected
from govbr_assets.core.layout import DATA_PATTERN, UNDATED, FileLayout
from govbr_assets.publications import NEWS
from govbr_assets_tests.operations.monthly_files import MonthlyFiles
from govbr_assets_tests.tables import DAY


def test_a_shard_is_named_by_its_day_and_back():
    assert NEWS.layout.day_path(DAY) == "data/train-2026-01-15.parquet"
    assert NEWS.layout.day_of(NEWS.layout.day_path(DAY)) == DAY


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
    assert NEWS.layout.day_of(path) is None
    assert NEWS.layout.may_hold(path, DAY)


def test_another_days_shard_another_year_and_what_has_no_time_cannot_hold_the_day():
    assert not NEWS.layout.may_hold("data/train-2026-01-14.parquet", DAY)
    assert not NEWS.layout.may_hold("data/train-2025-00.parquet", DAY)
    assert not NEWS.layout.may_hold("data/train-0000-undated.parquet", DAY)
    assert NEWS.layout.may_hold(NEWS.layout.day_path(DAY), DAY)


@pytest.mark.parametrize("layout", [NEWS.layout, MonthlyFiles()], ids=["years", "months"])
def test_whatever_a_period_is_its_file_is_found_by_readers_and_comes_before_its_days(layout: FileLayout):
    paths = [layout.compacted_path(UNDATED), layout.compacted_path_for(DAY), layout.day_path(DAY)]
    assert paths == sorted(paths) == selected(DATA_PATTERN, paths)
    assert [layout.period_of(path) for path in paths] == [UNDATED, layout.period_of_day(DAY), None]
    assert [layout.day_of(path) for path in paths] == [None, None, DAY]
    assert [layout.is_ours(path) for path in (*paths, "data/train-00001-of-00003.parquet")] == [True, True, True, False]
    assert layout.period_of_month(UNDATED) == UNDATED


def test_days_order_like_their_names():
    assert sorted([Day.of("2026-01-02"), Day.of("2025-12-31")])[0] == Day.of("2025-12-31")
