"""`govbr-assets mend`."""

import re
from dataclasses import replace

import click

from govbr_assets.cli.progress import progress
from govbr_assets.cli.show import print_conclusion, print_days, print_json, print_lines, print_table
from govbr_assets.cli.signals import Signals
from govbr_assets.core.counting import count
from govbr_assets.definitions import dagster_home, defs
from govbr_assets.defs.in_process.bootstrap import check_reachable, mend_context, temporary_instance
from govbr_assets.defs.in_process.mend import mend as do_mend
from govbr_assets.defs.in_process.options import MendOptions
from govbr_assets.defs.in_process.records import open_instance
from govbr_assets.defs.in_process.report import MendReport, RunReport
from govbr_assets.io.settings import whole_number

_OF_A_DAY = re.compile(r"(?:^|[.:] )\d{4}-\d{2}-\d{2}")  # where the sentence of a run comes to its days

_SHOWN = 20  # days that differed, the oldest first


class _Number(click.IntRange):
    """A number of things, 1 or more."""

    name = "number"

    def __init__(self, things: str) -> None:
        super().__init__(min=1)
        self._things = things

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        if not (number := whole_number(f"{value}")):
            self.fail(f"{f'{value}'[:40]!r} is no number of {self._things}: write 1 or more, in digits alone")
        return number


@click.command(
    short_help="Make the Hub equal to PostgreSQL.",
    epilog="\b\nExamples:\n  govbr-assets mend --dry-run\n  govbr-assets mend --max-runs 10 --json > report.json",
)
@click.option("--dry-run", is_flag=True, help="Publish nothing, and say what would be done.")
@click.option(
    "--allow-removals",
    type=_Number("removals"),
    metavar="N",
    help="Let the guard pass that many removals of rows which PostgreSQL has nowhere, counted over all time;"
    " without it GOVBR_ALLOW_REMOVALS counts.",
)
@click.option(
    "--max-runs",
    type=_Number("runs"),
    metavar="K",
    help="Begin at most that many runs that publish; the rest is left to the next time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.pass_obj
def mend(signals: Signals, *, dry_run: bool, allow_removals: int | None, max_runs: int | None, as_json: bool) -> int:
    """Make the Hub equal to PostgreSQL: what a day of automation does, once, in this process.

    Late rows, the compaction if it is due, a reconciliation, a compaction if it is needed, the days that differ, the
    oldest first, the reduced dataset, and a reconciliation again, until nothing more can be done. Runs are recorded in
    DAGSTER_HOME if it is set. Exit code 0 if the Hub equals PostgreSQL on all days that have ended, and with --dry-run
    if nothing would be rejected.
    """
    options = MendOptions(dry_run, allow_removals or 0, max_runs)
    with open_instance(dagster_home) if dagster_home else temporary_instance() as instance, progress() as watch:
        context = mend_context(defs, instance, watch, lambda: signals.exit_code > 0)
        check_reachable(context.hub, context.postgres)
        report = do_mend(context, options)
    if as_json:
        print_json({"command": "mend", **report.to_json()})
    else:
        _print(report)
    return (signals.exit_code if report.interrupted else 0) or int(not report.holds)


def _print(report: MendReport) -> None:
    """Print what differed, what was done, and what is left and why."""
    if report.assessment:
        print_lines(str(report.assessment))
    days = count(len(report.differed), "day")
    oldest = "the oldest first" if len(report.differed) <= _SHOWN else f"the oldest {_SHOWN} of them"
    print_days(f"What differed: {days}, {oldest}", report.differed[:_SHOWN])
    print_table(
        "What would be done" if report.dry_run else "What was done",
        ["run", "days", "outcome"],
        [[run.job, run.days, _outcome(run, report)] for run in report.runs],
    )
    left = "What would be rejected" if report.dry_run else "What is left"
    print_table(left, ["what", "why"], [[each.what, each.why] for each in report.left])
    for note in report.notes:
        print_lines(note)
    print_conclusion(report.conclusion, holds=report.holds)


def _outcome(run: RunReport, report: MendReport) -> str:
    """Say what came of a run; of its days, not again what is said of them among what is left."""
    if any(each.why.partition(": ")[2] in run.problem for each in report.left if ": " in each.why):
        run = replace(run, problem=_OF_A_DAY.split(run.problem)[0] or "see what is left")
    return run.outcome
