"""When to run by the clock. What runs is in `jobs`; what happens in between is the business of `sensors`."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from dagster import DefaultScheduleStatus, ScheduleDefinition, build_schedule_from_partitioned_job

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.defs.decisions.due import COMPACTION_AT, DEEP_RECONCILIATION_AT
from govbr_assets.defs.decisions.requests import DEEP
from govbr_assets.defs.jobs import daily_sync, reconciliation, reduced_sync, weekly_consolidation


def schedules(status: DefaultScheduleStatus, jobs: Sequence[Any] = ()) -> list[Any]:
    """Declare the schedules.

    Args:
        status: whether they run where nobody has switched them on or off in the UI.
        jobs: what may run; without `reduced_sync` there is no schedule for it.
    """
    # The partitions' own time zone holds: 03:00 in America/Sao_Paulo, for the day that ended at midnight.
    daily = build_schedule_from_partitioned_job(
        daily_sync,
        name="daily_sync_schedule",
        hour_of_day=3,
        description="Every day at 03:00 in America/Sao_Paulo: the day before.",
        default_status=status,
    )
    at_night = partial(ScheduleDefinition, execution_timezone=TIME_ZONE, default_status=status)
    following = at_night(
        name="daily_reduced_schedule",
        job=reduced_sync,
        cron_schedule="30 4 * * *",
        description="Every day at 04:30 in America/Sao_Paulo: whether the reduced dataset is what the full one is.",
    )
    return [
        daily,
        at_night(
            name="weekly_consolidation_schedule",
            job=weekly_consolidation,
            cron_schedule=COMPACTION_AT.cron,
            description="Mondays at 05:00 in America/Sao_Paulo: the week's shards into their year's file.",
        ),
        at_night(
            name="daily_reconciliation_schedule",
            job=reconciliation,
            cron_schedule="0 4 * * *",
            description="Every day at 04:00 in America/Sao_Paulo, after the sync: which days differ.",
        ),
        at_night(
            name="weekly_deep_reconciliation_schedule",
            job=reconciliation,
            cron_schedule=DEEP_RECONCILIATION_AT.cron,
            run_config=DEEP,
            description="Mondays at 06:30 in America/Sao_Paulo, after the compaction: which days differ in any column.",
        ),
        *([following] if any(each.name == reduced_sync.name for each in jobs) else []),
    ]
