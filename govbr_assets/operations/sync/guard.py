"""The guard: how many rows may leave the dataset without being told to, and how many may by approval.

An approval is a number: so many rows, of all time, may be removed although the guard would retain them. How many have
been says the history of the dataset (`RemovalApproval`), at the very revision that a commit is planned at. So a number
that stays set is used up whoever uses it, from wherever, and a commit that was killed or lost a race has used nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.counting import count
from govbr_assets.core.day_counts import closed, without_day
from govbr_assets.core.days import Day
from govbr_assets.dataset.changeset import REMOVED_ROWS, RemovalApproval
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.history import Commit

DAY_SHARE, DAY_ROWS = 0.2, 20
"""Of a day with this many rows on the Hub, no larger share is removed unless it is allowed."""

REMOVALS, REMOVALS_HOURS = 200, 24
"""No more rows are removed from all days within this time unless it is allowed."""

_REMEDY = re.compile(r"\. (?:Of \d+ approved removals|Nothing was removed:) .*$", re.DOTALL)


@dataclass(frozen=True)
class DayRemovals:
    """The rows of a day that are to leave the dataset.

    Attributes:
        ids: on the Hub.
        guarded: whether they may be too many.
        reason: why they are too many for the day; empty if they are not.
    """

    ids: frozenset[str]
    guarded: bool
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """Which removals of a commit are carried out.

    Attributes:
        blocked: why those of a day are not, and what to do, by partition key.
        approval: by which others are; None if they need none.
    """

    blocked: Mapping[str, str] = field(default_factory=dict)
    approval: RemovalApproval | None = None


def judge(days: Mapping[str, DayRemovals], lately: int, approved: int, used: Callable[[], int]) -> Judgement:
    """Decide which rows may leave the dataset by a commit.

    An approval lets through all that the guard retains of a commit, or nothing: whoever has approved a number has not
    seen a commit that would remove more.

    Args:
        days: the removals, by partition key.
        lately: rows that have left the dataset within `REMOVALS_HOURS` without an approval.
        approved: rows that may be removed by approval, of all time.
        used: counts those of them that have been; asked only if it matters.
    """
    guarded = {key: day for key, day in days.items() if day.guarded}
    too_many = {key: day for key, day in guarded.items() if day.reason}
    needed = _count(guarded if recent_guard(_count(days), lately) else too_many)
    if not needed:
        return Judgement()
    approval = RemovalApproval(approved, used() + needed, needed)
    if approval.used <= approved:
        return Judgement(approval=approval)
    others = {key: day for key, day in days.items() if key not in too_many}
    recent = recent_guard(_count(others), lately)
    reasons = {key: day.reason for key, day in too_many.items()}
    reasons |= {key: recent for key in others if recent and key in guarded}
    return Judgement({key: f"{reason}. {_remedy(approval, needed)}" for key, reason in reasons.items()})


def day_guard(removed: int, hub_rows: int, postgres_rows: int) -> str:
    """Return why rows of a day are not removed unless it is allowed; an empty text if they may.

    Args:
        removed: rows that would leave the dataset.
        hub_rows: rows of the day on the Hub.
        postgres_rows: rows of the day in PostgreSQL.
    """
    if removed and not postgres_rows:
        return f"PostgreSQL has no row of the day, and the Hub would lose all of it, {count(removed, 'row')}"
    if hub_rows >= DAY_ROWS and removed > DAY_SHARE * hub_rows:
        return f"{removed} of the day's {hub_rows} rows on the Hub are not in PostgreSQL, more than {DAY_SHARE:.0%}"
    return ""


def recent_guard(removed: int, before: int) -> str:
    """Return why rows are not removed in view of those that were before; an empty text if they may.

    Args:
        removed: rows of all days that would leave the dataset.
        before: rows that have left it within `REMOVALS_HOURS` without an approval.
    """
    if removed and removed + before > REMOVALS:
        return (
            f"{count(removed, 'row')} of the Hub {'is' if removed == 1 else 'are'} not in PostgreSQL, and {before} have"
            f" been removed within {REMOVALS_HOURS} hours without an approval: together more than {REMOVALS}"
        )
    return ""


def without_remedy(reason: str) -> str:
    """Leave out of a reason what to approve, where all that is retained is told together."""
    return _REMEDY.sub("", reason)


def removals_to_approve(client: RepoClient, revision: str | None, days: pa.Table, undated: int, first: Day) -> int:
    """Return how many removals to approve, of all time, so that the guard retains no row that PostgreSQL has nowhere.

    Args:
        client: of the repo.
        revision: that was compared with PostgreSQL.
        days: the days that differ or all, [n days x 8] of `core.day_counts.DAYS_SCHEMA`; those that are not over do not
            count, for no run removes rows of them.
        undated: rows without a time that only the Hub has.
        first: the first day that is synced: no row that is `without_day` goes without an approval.

    Returns:
        0 if it would retain none.
    """
    days = closed(days, Day.at(datetime.now(UTC)))
    orphans, synced = without_day(days, undated, first), days.filter(pc.greater_equal(days["day"], first.date))
    counts = zip(*(synced[name].to_pylist() for name in ("surplus", "hub_rows", "postgres_rows")), strict=True)
    too_many = sum(each[0] for each in counts if day_guard(*each))
    surplus = pc.sum(synced["surplus"]).as_py() or 0
    needed = orphans + (surplus if recent_guard(surplus + orphans, removed_lately(client)) else too_many)
    return used_removals(client, revision) + needed if needed else 0


def removed_lately(client: RepoClient) -> int:
    """Count the rows that have left the dataset within `REMOVALS_HOURS` without an approval, by the trailers."""
    since = datetime.now(UTC) - timedelta(hours=REMOVALS_HOURS)
    return unapproved_removals(client.commits(), since) if client.head().revision else 0


def unapproved_removals(commits: Iterable[Commit], since: datetime) -> int:
    """Count the rows that have left the dataset since an aware instant without an approval.

    Args:
        commits: the newest first; no more of them are taken than it needs.
        since: the instant.
    """
    removed, used, before = 0, 0, 0
    for commit in commits:
        approval = RemovalApproval.parse(commit.message)
        if commit.at > since:
            removed += commit.trailer(REMOVED_ROWS)
            used = used or (approval.used if approval else 0)
        elif approval or not used:
            before = approval.used if approval and used else 0
            break
    return max(0, removed - (used - before))


def used_removals(client: RepoClient, revision: str | None) -> int:
    """Count the rows that have been removed by approval up to a revision."""
    commits = client.commits(revision) if revision else ()
    found = (RemovalApproval.parse(commit.message) for commit in commits)
    return next((approval.used for approval in found if approval), 0)


def _count(days: Mapping[str, DayRemovals]) -> int:
    """Count the rows of some days, each once."""
    return len({*chain.from_iterable(day.ids for day in days.values())})


def _remedy(wanted: RemovalApproval, needed: int) -> str:
    """Say what to do about removals that are blocked.

    Args:
        wanted: what is approved, and how many would be used.
        needed: how many removals of the commit need an approval.
    """
    used, missing = wanted.used - needed, wanted.used - wanted.approved
    approved = (
        f"Of {wanted.approved} approved removals {used} have been made, and this commit would make {needed}: {missing}"
        " more than are approved. "
        if wanted.approved
        else ""
    )
    return (
        f"{approved}Nothing was removed: look at PostgreSQL; if it is right, approve {count(wanted.used, 'removal')}"
        f" (`GOVBR_ALLOW_REMOVALS={wanted.used}`, or `govbr-assets mend --allow-removals {wanted.used}`), or run the"
        " day again with `allow_removals` in the config of its run; if not, with `removals` set to `keep`."
    )
