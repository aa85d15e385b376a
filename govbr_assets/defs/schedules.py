"""When to run by the clock. What runs is in `jobs`; what happens in between is the business of `sensors`."""

from collections.abc import Sequence
from typing import Any

from dagster import DefaultScheduleStatus, ScheduleDefinition, build_schedule_from_partitioned_job

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.defs.jobs import daily_sync, reconciliation, reduced_sync, weekly_consolidation


def schedules(status: DefaultScheduleStatus, jobs: Sequence[Any] = ()) -> list[Any]:
    """Declare the schedules.

    Args:
        status: whether they run where nobody has switched them on or off in the UI.
        jobs: what may run; without `reduced_sync` there is no schedule for it.
    """
    following = ScheduleDefinition(
        name="daily_reduced_schedule",
        job=reduced_sync,
        cron_schedule="30 4 * * *",
        execution_timezone=TIME_ZONE,
        description="Every day at 04:30 in America/Sao_Paulo: whether the reduced dataset is what the full one is.",
        default_status=status,
    )
    return [
        *([following] if any(each.name == reduced_sync.name for each in jobs) else []),
        # The partitions' own time zone holds: 03:00 in America/Sao_Paulo, for the day that ended at midnight.
        build_schedule_from_partitioned_job(
            daily_sync,
            name="daily_sync_schedule",
            hour_of_day=3,
            description="Every day at 03:00 in America/Sao_Paulo: the day before.",
            default_status=status,
        ),
        ScheduleDefinition(
            name="weekly_consolidation_schedule",
            job=weekly_consolidation,
            cron_schedule="0 5 * * 1",
            execution_timezone=TIME_ZONE,
            description="Mondays at 05:00 in America/Sao_Paulo: the week's shards into their year's file.",
            default_status=status,
        ),
        ScheduleDefinition(
            name="daily_reconciliation_schedule",
            job=reconciliation,
            cron_schedule="0 4 * * *",
            execution_timezone=TIME_ZONE,
            description="Every day at 04:00 in America/Sao_Paulo, after the sync: which days differ.",
            default_status=status,
        ),
        ScheduleDefinition(
            name="weekly_deep_reconciliation_schedule",
            job=reconciliation,
            cron_schedule="30 6 * * 1",
            execution_timezone=TIME_ZONE,
            run_config={"ops": {"hub_reconciliation": {"config": {"deep": True}}}},
            description="Mondays at 06:30 in America/Sao_Paulo, after the compaction: which days differ in any column.",
            default_status=status,
        ),
    ]
