"""The repair: which runs make the Hub equal to PostgreSQL again, in view of the last reconciliation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
from dagster import DagsterInstance, RunRequest

from govbr_assets.core.day_counts import DAYS_SCHEMA, closed, without_day
from govbr_assets.core.days import Day
from govbr_assets.core.repair import ReconciliationSummary, RepairState
from govbr_assets.defs.decisions.requests import blocked, request
from govbr_assets.defs.metadata.reconciliation import ReconciliationRecord, last_reconciliation
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.resources import HubResource
from govbr_assets.operations.sync.guard import removals_to_approve

_JOBS = {"days": "daily_sync", "compaction": "weekly_consolidation", "reconciliation": "reconciliation"}

LoadTable = Callable[[], pa.Table]
"""Loads the table of the last reconciliation, [n days x 8], from where its IO manager keeps it."""


@dataclass(frozen=True)
class RepairDecision:
    """The next step of the repair.

    Attributes:
        requests: the runs; none if there is nothing to repair since the last reconciliation.
        state: after requesting them.
        given_up: a message for everything that is given up now.
        blocked: why days wait that would be requested; empty if none do.
    """

    requests: list[RunRequest]
    state: RepairState
    given_up: list[str]
    blocked: str = ""


def next_repairs(
    state: RepairState,
    instance: DagsterInstance,
    hub: HubResource,
    load: LoadTable,
    runs: int,
    by: str,
    approved: int = 0,
) -> RepairDecision:
    """Decide what to run next; to be called when no run that was requested before is under way.

    Args:
        state: after the last decision; that of another repo counts for nothing.
        instance: Dagster's.
        hub: the repo, and how many removals are approved.
        load: loads the reconciliation's table.
        runs: of days at most.
        by: who asks.
        approved: how many removals are; 0 takes the setting.
    """
    repo_id, given_up = hub.dataset().client.repo_id, list[str]()
    repair = state.of_repo(repo_id).with_approval(approved or hub.approved_removals)
    last = last_reconciliation(instance, repo_id)
    if last.repo and last.number != repair.number:
        repair, given_up = repair.with_reconciliation(_summary(last, load, hub, repair.approved))
    wanted, later = repair.next_runs(runs)
    if any(each.of == "days" for each in wanted) and (reason := blocked(hub)):
        return RepairDecision([], repair, given_up, reason)
    requests = [
        request(_JOBS[each.of], each.key, by, each.span, deep=each.deep, approved=each.approved) for each in wanted
    ]
    return RepairDecision(requests, later, given_up)


def repairable(table: pa.Table) -> frozenset[date]:
    """Leave out what no run can repair: days that are not over, and days before the first partition.

    Args:
        table: [n days x 8] of a reconciliation.
    """
    days = closed(table, Day.at(datetime.now(UTC)))["day"].to_pylist()
    return frozenset(day for day in days if day >= FIRST_DAY)


def approved_in_all(last: ReconciliationRecord, table: pa.Table, hub: HubResource) -> int:
    """Return how many removals to approve, of all time, so that no row stays that PostgreSQL has nowhere.

    Args:
        last: the last reconciliation.
        table: of it, [n days x 8].
        hub: the repo.

    Returns:
        0 if the guard would retain none.
    """
    client = hub.dataset().client
    return removals_to_approve(client, client.head().revision, table, last.undated, Day(FIRST_DAY))


def _summary(last: ReconciliationRecord, load: LoadTable, hub: HubResource, approved: int) -> ReconciliationSummary:
    """Read what runs can repair: no day before a compaction, and orphans if all is approved that the guard retains."""
    files = last.uncompacted_files
    table = load() if approved or not files else DAYS_SCHEMA.empty_table()
    days = frozenset[date]() if files else repairable(table)
    orphans = without_day(table, last.undated, Day(FIRST_DAY)) if approved else 0
    if orphans and approved_in_all(last, table, hub) > approved:
        orphans = 0
    return ReconciliationSummary(last.number, last.revision, files, last.deep, days, orphans)
