"""Days: half-open windows of aware instants in the one time zone, across every change of clocks."""

from datetime import timedelta

import pytest

from govbr_assets.core.days import ByDay, Day
from govbr_assets.defs.partitions import daily, first_day
from govbr_assets.errors import ConfigurationError


def test_windows_are_those_of_the_partitions_on_every_day_since_2003():
    for key in daily.get_partition_keys():
        window, day = daily.time_window_for_partition_key(key), Day.of(key)
        assert (window.start.timestamp(), window.end.timestamp()) == (day.start.timestamp(), day.end.timestamp()), key


@pytest.mark.parametrize(("day", "hours"), [("2018-11-04", 23), ("2019-02-16", 25), ("2026-01-15", 24)])
def test_days_have_the_hours_that_the_clocks_gave_them(day: str, hours: int):
    assert Day.of(day).end.timestamp() - Day.of(day).start.timestamp() == timedelta(hours=hours).total_seconds()


def test_values_are_made_when_asked_for_and_not_kept():
    made = []
    days = ByDay(["2026-01-01", "2026-01-02"], lambda key: made.append(key) or key)
    assert (len(days), list(days), made) == (2, ["2026-01-01", "2026-01-02"], [])
    assert (days["2026-01-02"], days["2026-01-02"], made) == ("2026-01-02", "2026-01-02", ["2026-01-02"] * 2)


def test_a_first_day_that_is_no_day_is_named():
    with pytest.raises(ConfigurationError, match="GOVBR_FIRST_DAY is '2003-13-01'"):
        first_day("2003-13-01")
