"""What is due by the week: the compaction, and the reconciliation that compares contents.

`schedules` runs both at these times. Where no daemon is, whoever looks later finds them due until they are done.
"""

from datetime import datetime
from itertools import islice

from dagster import DagsterInstance

from govbr_assets.core.days import Day
from govbr_assets.core.releases import Release
from govbr_assets.core.weekly import WeeklyTime
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import RESTORED_FILES, VisibleRows
from govbr_assets.defs.metadata.reconciliation import last_deep_reconciliation
from govbr_assets.operations.compact.sources import sources

_COMMITS = 500  # of the history that are looked through

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


def reconciliation_is_to_be_deep(instance: DagsterInstance, dataset: Dataset, now: datetime) -> bool:
    """Return whether the next reconciliation has to compare contents.

    It has to once a week, after one that has found a difference, which may be one that only contents show, and after
    commits of others.

    Args:
        instance: Dagster's.
        dataset: the full one.
        now: aware.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    last = last_deep_reconciliation(instance, dataset.client.repo_id, DEEP_RECONCILIATION_AT.latest(now))
    return last is None or last[1].differing_closed_days != 0 or _changed_by_others(dataset, last[1].revision)


def _changed_by_others(dataset: Dataset, since: str) -> bool:
    """Return whether contents may have changed that no run has read from PostgreSQL: by others, or by a restore.

    Commits of ours say how many rows readers see.
    """
    head = dataset.client.head().revision
    if head in (None, since):
        return False
    for commit in islice(dataset.client.commits(head), _COMMITS):
        if commit.revision == since:
            return False
        if VisibleRows.parse(commit.message) is None or commit.trailer(RESTORED_FILES):
            return True
    return True
