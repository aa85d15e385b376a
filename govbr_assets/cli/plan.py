"""`govbr-assets plan`."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

import click

from govbr_assets.cli.progress import progress
from govbr_assets.cli.show import print_conclusion, print_json, print_table
from govbr_assets.cli.signals import Signals
from govbr_assets.core.counting import count
from govbr_assets.core.date_ranges import DateRange
from govbr_assets.definitions import dagster_home, defs
from govbr_assets.defs.in_process.bootstrap import check_reachable, check_settings, hub_of, postgres_of
from govbr_assets.defs.in_process.plan import DayPlan, PlanReport
from govbr_assets.defs.in_process.plan import plan as do_plan
from govbr_assets.defs.in_process.records import check_home
from govbr_assets.defs.partitions import days_between
from govbr_assets.errors import BeginningError

_RANGE = re.compile(r"(.+?)\.\.\.?(.+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@click.command(
    short_help="Say what a sync of days would change.",
    epilog="\b\nExamples:\n  govbr-assets plan 2026-01-15\n  govbr-assets plan 2026-01-01..2026-01-31 --json",
)
@click.argument("days", metavar="DAY|A..B")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.pass_obj
def plan(signals: Signals, *, days: str, as_json: bool) -> int:
    """Say what a sync of a day, or of the days from A to B, would change on the Hub.

    All of the sync is done but its commits; nothing is published, recorded or stored. Exit code 0 if the sync would
    publish all of these days as they are in PostgreSQL.
    """
    span = _span(days)
    check_home(dagster_home)
    check_settings(defs)
    check_reachable(hub_of(defs), postgres_of(defs))
    with progress() as watch:
        report = do_plan(defs, span, watch)
    if signals.exit_code:  # Dagster has ended the run by itself, as one that has failed
        raise KeyboardInterrupt
    if as_json:
        print_json({"command": "plan", **asdict(report), "holds": report.holds, "conclusion": _conclusion(report)})
    else:
        _print(report)
    return int(not report.holds)


def _span(text: str) -> DateRange:
    """Read the days, with two or, as Dagster writes a range, three dots between them."""
    found = _RANGE.fullmatch(text.strip())
    first, last = found.groups() if found else (text.strip(), text.strip())
    for day in (first, last):
        if _DATE.fullmatch(day) and not _is_date(day):
            raise BeginningError(f"There is no date {day}: write one of the calendar, such as 2026-01-15.")
    if _DATE.fullmatch(first) and _DATE.fullmatch(last) and first > last:
        raise BeginningError(f"The range {first}..{last} begins after its end: write {last}..{first}.")
    try:
        return days_between(first, last)
    except BeginningError as error:
        raise BeginningError(str(error).replace("...", "..")) from None


def _is_date(text: str) -> bool:
    """Return whether the calendar has a date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _print(report: PlanReport) -> None:
    """Print what would change, and what would be rejected."""
    print_table(
        f"What a sync of {report.span} would change",
        ["day", "rows", "changed columns"],
        [[each.day, _rows(each), _named(each.columns)] for each in report.days],
    )
    print_table("What it would reject", ["day", "why"], report.rejected.items())
    print_conclusion(_conclusion(report), holds=report.holds)


def _rows(day: DayPlan) -> str:
    """Count the rows of a day that would change, such as `3 added, 1 moved out to 2026-01-16 (1)`."""
    moves = {"moved in": ("from", day.moved_from), "moved out": ("to", day.moved_to)}
    where = {word: f" {way} {_named(days)}" for word, (way, days) in moves.items() if days}
    return ", ".join(f"{number:,} {word}{where.get(word, '')}" for word, number in day.rows.items())


def _named(rows: Mapping[str, int]) -> str:
    """Name columns or days, each with the number of its rows."""
    return ", ".join(f"{name} ({number:,})" for name, number in rows.items())


def _conclusion(report: PlanReport) -> str:
    """Say what it comes to."""
    if report.problem:
        return f"Nothing can be told: {report.problem}"
    rejected = (
        f" {count(len(report.rejected), 'day')} would be rejected, in full or in part." if report.rejected else ""
    )
    if not report.commits:
        return f"Nothing of {report.span} would change.{rejected}"
    return (
        f"{count(report.changing, 'day')} would change, by {count(report.commits, 'commit')}; nothing was published."
        f"{rejected}"
    )
