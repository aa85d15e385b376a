"""The dry run of `mend` on files of another origin: all is counted, though no day can be planned before they go."""

from collections.abc import Iterator
from datetime import UTC, datetime

from govbr_assets.core.assessment import Assessment
from govbr_assets.core.days import Day
from govbr_assets.defs.in_process.context import MendContext
from govbr_assets.defs.in_process.options import MendOptions
from govbr_assets.defs.in_process.report import Left
from govbr_assets.operations.assess import assess


def assess_dataset(context: MendContext) -> Assessment:
    """Say what it takes to make the dataset equal to PostgreSQL.

    Raises:
        GovbrAssetsError: a side cannot be read.
    """
    dataset = context.hub.dataset()
    context.watch.begin("assessment")
    found = assess(
        dataset, dataset.client.head(), context.postgres.client(), Day.at(datetime.now(UTC)), context.watch.say
    )
    context.watch.end(f"{found.days:,} days differ, about {found.commits:,} commits and {found.minutes:,} minutes")
    return found


def rejections(found: Assessment, context: MendContext, options: MendOptions) -> Iterator[Left]:
    """List what could not be done as it was chosen."""
    if found.problem:
        yield Left("the compaction", found.problem)
    if found.approval > (options.allow_removals or context.hub.approved_removals):
        why = f"the guard keeps them until {found.approval} removals are approved: --allow-removals {found.approval}"
        yield Left(f"rows that PostgreSQL has nowhere: {found.removals:,}", why)
    for day, reason in found.rejected.items():
        yield Left(day, reason)
