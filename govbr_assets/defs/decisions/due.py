"""What is due by the week: the compaction, and the reconciliation that compares contents.

`schedules` runs both at these times. Where no daemon is, whoever looks later finds them due until they are done.
"""

from datetime import datetime

from dagster import DagsterInstance

from govbr_assets.core.days import Day
from govbr_assets.core.releases import Release
from govbr_assets.core.weekly import WeeklyTime
from govbr_assets.dataset import Dataset
from govbr_assets.defs.metadata.reconciliation import last_deep_reconciliation
from govbr_assets.operations.compact.sources import sources

COMPACTION_AT, DEEP_RECONCILIATION_AT = WeeklyTime(5), WeeklyTime(6, 30)


def compaction_is_due(dataset: Dataset, now: datetime) -> bool:
    """Return whether there are shards of closed days, and nobody has compacted since the week's time for it.

    The history of the repo tells: a compaction is a release. A dataset that was not there at that time waits for the
    next one.

    Args:
        dataset: the full one.
        now: aware.

    Raises:
        HubUnavailableError: the Hub is out of reach.
        ContractError: the card cannot be understood.
    """
    head, since = dataset.client.head(), COMPACTION_AT.latest(now)
    if not sources(head, Day.at(now), dataset.spec.layout).shards:
        return False
    for commit in dataset.client.commits(head.revision or ""):
        if commit.at <= since:
            return True
        if Release.parse(commit.message).name:
            return False
    return False


def reconciliation_is_to_be_deep(instance: DagsterInstance, repo_id: str, now: datetime) -> bool:
    """Return whether the next reconciliation of a repo has to compare contents.

    It has to once a week, and after one that has found a difference, which may be one that only contents show.

    Args:
        instance: Dagster's.
        repo_id: of the Hub.
        now: aware.
    """
    last = last_deep_reconciliation(instance, repo_id, DEEP_RECONCILIATION_AT.latest(now))
    return last is None or last[1].differing_closed_days != 0
