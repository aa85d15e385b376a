"""When to run. What runs is in `jobs`."""

from dagster import ScheduleDefinition, build_schedule_from_partitioned_job

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.jobs import daily_sync, weekly_consolidation

# The partitions' own time zone holds: 03:00 in America/Sao_Paulo, for the day that ended at midnight.
daily_sync_schedule = build_schedule_from_partitioned_job(
    daily_sync,
    name="daily_sync_schedule",
    hour_of_day=3,
    description="Every day at 03:00 in America/Sao_Paulo: the day before.",
)

weekly_consolidation_schedule = ScheduleDefinition(
    name="weekly_consolidation_schedule",
    job=weekly_consolidation,
    cron_schedule="0 5 * * 1",
    execution_timezone=TIME_ZONE,
    description="Mondays at 05:00 in America/Sao_Paulo: the week's shards into their year's file.",
)
