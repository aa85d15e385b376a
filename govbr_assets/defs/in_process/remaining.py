"""What is left after all runs, and why: from the last reconciliation and from what the runs have said."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.counting import count
from govbr_assets.core.date_ranges import DateRange, ranges_by_value
from govbr_assets.core.day_counts import COUNTS, closed, differing, without_day
from govbr_assets.core.days import Day
from govbr_assets.defs.decisions.repair import approved_in_all
from govbr_assets.defs.in_process.report import Left
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.defs.metadata.reconciliation import ReconciliationRecord
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.resources import HubResource
from govbr_assets.operations.sync.guard import used_removals

_NO_REASON = "it differs still, though its run has succeeded: somebody changes it meanwhile, or run mend again"
_NOT_RUN = "no run of it was begun"
_ON_ONE_SIDE = {"postgres": "missing", "hub": "surplus"}


def days_left(table: pa.Table, reasons: Mapping[date, str], tried: Collection[date]) -> Iterator[Left]:
    """List days that differ, but for those that are not over, and days that could not be published.

    Rows of days before the first one that only the Hub has are left to `removals_left`.

    Args:
        table: days that differ, [n days x 8].
        reasons: why days could not be published as they are, as their last runs say.
        tried: days that runs were for.
    """
    early = pc.less(table["day"], pa.scalar(FIRST_DAY, pa.date32()))
    index = table.schema.get_field_index("surplus")
    synced = table.set_column(index, table.schema.field(index), pc.if_else(early, 0, table["surplus"]))
    over = closed(differing(synced), Day.at(datetime.now(UTC)))
    why = {day: _why(day, reasons, tried) for day in sorted({*over["day"].to_pylist(), *reasons})}
    for span, reason in sorted(ranges_by_value(why)):
        yield Left(f"{span}", ": ".join(filter(None, [differences(over, span), reason])))


def before_first_day(table: pa.Table) -> pa.Table:
    """Take the days that no run can publish, out of those that differ: [n days x 8].

    Rows of them that only the Hub has are no part of it: they go by approval, or with the day that they have now.
    """
    # Rows are `moved` on the day that they have and on the one that they come from: here those count that should come.
    here, there = (pc.subtract(table[f"{side}_rows"], table[name]) for side, name in _ON_ONE_SIDE.items())
    coming = pc.divide(pc.add(table["moved"], pc.add(pc.subtract(here, there), table["duplicated"])), 2)
    differing = pc.add(pc.add(pc.add(table["missing"], table["duplicated"]), table["changed"]), coming)
    early = pc.less(table["day"], pa.scalar(FIRST_DAY, pa.date32()))
    return table.filter(pc.and_(early, pc.greater(differing, 0)))


def _why(day: date, reasons: Mapping[date, str], tried: Collection[date]) -> str:
    """Say why a day differs."""
    if day < FIRST_DAY:
        return f"it is before GOVBR_FIRST_DAY ({FIRST_DAY})"
    return reasons.get(day) or (_NO_REASON if day in tried else _NOT_RUN)


def differences(table: pa.Table, span: DateRange) -> str:
    """Count the differences of some days, such as `3 missing, 1 surplus`.

    Args:
        table: days that differ, [n days x 8].
        span: which of them.
    """
    days = table.filter(pc.and_(pc.greater_equal(table["day"], span.first), pc.less_equal(table["day"], span.last)))
    totals = {name: pc.sum(days[name]).as_py() or 0 for name in COUNTS[2:]}
    return ", ".join(f"{number:,} {name}" for name, number in totals.items() if number)


def removals_left(
    last: ReconciliationRecord, table: pa.Table, hub: HubResource, approved: int, *, guarded: bool, dry_run: bool
) -> Iterator[Left]:
    """List the rows that PostgreSQL has nowhere and that the guard retains, of all days and without one together.

    Args:
        last: the last reconciliation.
        table: days that differ by it, [n days x 8].
        hub: the repo.
        approved: how many removals are.
        guarded: the guard has retained rows of days.
        dry_run: nothing was done, so that what is approved is not left.
    """
    orphans = without_day(table, last.undated, Day(FIRST_DAY))
    if not orphans and not guarded:
        return
    over = closed(table, Day.at(datetime.now(UTC)))
    rows, needed = last.undated + sum(over["surplus"].to_pylist()), approved_in_all(last, table, hub)
    if needed > approved:
        client = hub.dataset().client
        yield not_approved(rows, needed, used_removals(client, client.head().revision))
    elif orphans and not dry_run:
        yield Left(f"rows without a day: {orphans:,}", "PostgreSQL has them nowhere, and they may go: run mend again")


def not_approved(rows: int, needed: int, used: int) -> Left:
    """Say how many removals to approve.

    Args:
        rows: that PostgreSQL has nowhere.
        needed: the removals to approve, of all time.
        used: how many of these were made before.
    """
    kept, are = needed - used, "is" if needed == 1 else "are"
    subject = "them" if kept == rows else f"{kept:,} of them"
    earlier = f", of which {used:,} {'was' if used == 1 else 'were'} made before" if used else ""
    until = f"until {count(needed, 'removal')} {are} approved{earlier}: --allow-removals {needed}"
    return Left(f"rows that PostgreSQL has nowhere: {rows:,}", f"the guard keeps {subject} {until}")


def beside_days(last: RunResult, *, dry_run: bool) -> Iterator[Left]:
    """List what a reconciliation has found that no run of a day can mend.

    Args:
        last: the run.
        dry_run: leave out what a compaction mends, which was not made.
    """
    recorded = last.metadata.get("hub_reconciliation", {})
    if not dry_run:
        yield from _before_compaction(recorded)
    elif recorded.get("hub_rows") and not recorded.get("postgres_rows"):
        yield Left("the dataset", "PostgreSQL has no row: if all may go, nobody can load the dataset, and mend fails")
    if rows := recorded.get("unpublishable_rows"):
        yield Left(
            "rows of PostgreSQL",
            f"{rows:,} cannot be published: {recorded.get('unpublishable', '')}".replace("\n", " "),
        )
    if recorded.get("refused_days"):
        yield Left(
            "days", f"{recorded['refused_days']} cannot be compared: {recorded.get('refused', '')}".replace("\n", " ")
        )
    if last.lacking:
        yield Left("the dataset", last.lacking)


def _before_compaction(recorded: Mapping[str, Any]) -> Iterator[Left]:
    """List what a compaction mends, if it can."""
    if files := recorded.get("unfolded_files"):
        named = recorded.get("unfolded", "").replace("\n", ", ")
        yield Left("files", f"{count(files, 'file')} to be compacted: {named}")
    if rows := recorded.get("undated_duplicates"):
        yield Left(
            "rows without a time", f"the Hub has {rows:,} a second time, under another id, and no run drops them"
        )
