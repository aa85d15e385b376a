"""When to run. What runs is in `jobs`."""

from dagster import build_schedule_from_partitioned_job

from govbr_assets.jobs import daily_sync

# The partitions' own time zone holds: 03:00 in America/Sao_Paulo, for the day that ended at midnight.
daily_sync_schedule = build_schedule_from_partitioned_job(
    daily_sync,
    name="daily_sync_schedule",
    hour_of_day=3,
    description="Every day at 03:00 in America/Sao_Paulo: the day before.",
)
