"""The daily schedule: at 03:00 in America/Sao_Paulo, for the day before, also when clocks change."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from dagster import DefaultScheduleStatus, RunRequest, build_schedule_context

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.definitions import defs

SCHEDULE = defs.resolve_schedule_def("daily_sync_schedule")


@pytest.mark.parametrize(
    ("year", "month", "day", "published"),
    [
        (2026, 1, 16, "2026-01-15"),
        (2026, 1, 1, "2025-12-31"),
        (2018, 11, 5, "2018-11-04"),  # a day of 23 hours
        (2019, 2, 17, "2019-02-16"),  # a day of 25 hours
    ],
)
def test_it_runs_at_three_for_the_day_before(year: int, month: int, day: int, published: str):
    at = datetime(year, month, day, 3, tzinfo=ZoneInfo(TIME_ZONE))
    context = build_schedule_context(scheduled_execution_time=at, repository_def=defs.get_repository_def())
    (request,) = SCHEDULE.evaluate_tick(context).run_requests or []
    assert isinstance(request, RunRequest)
    assert request.partition_key == published


def test_its_clock_is_the_one_time_zone():
    assert (SCHEDULE.cron_schedule, SCHEDULE.execution_timezone) == ("0 3 * * *", TIME_ZONE)


def test_it_is_off_until_somebody_switches_it_on():
    assert SCHEDULE.default_status == DefaultScheduleStatus.STOPPED


def test_the_job_runs_the_three_assets_in_one_process():
    job = defs.resolve_job_def("daily_sync")
    assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == {
        "postgres_news_partition",
        "hf_existing_ids",
        "hf_parquet_shard",
    }
    assert job.executor_def.name == "in_process"
