"""Mondays at some time, by the clock of America/Sao_Paulo."""

from datetime import datetime

import pytest

from govbr_assets.core.weekly import WeeklyTime


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        ("2026-01-19T08:29:59+00:00", "2026-01-12T05:30:00-03:00"),
        ("2026-01-19T08:30:00+00:00", "2026-01-19T05:30:00-03:00"),
        ("2026-01-25T23:59:59-03:00", "2026-01-19T05:30:00-03:00"),
        ("2018-11-05T12:00:00-02:00", "2018-11-05T05:30:00-02:00"),  # clocks have changed the day before
    ],
)
def test_the_latest_one_is_not_after_now(now: str, latest: str):
    found = WeeklyTime(5, 30).latest(datetime.fromisoformat(now))
    assert found.isoformat() == latest


def test_cron_has_the_same_time():
    assert WeeklyTime(5, 30).cron == "30 5 * * 1"
