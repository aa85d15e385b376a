"""The dry run of `mend` on files of another origin: all is counted, though no day can be planned before they go."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa

from govbr_assets.core.assessment import Assessment
from govbr_assets.core.counting import count, differing
from govbr_assets.core.date_ranges import cover
from govbr_assets.core.days import Day
from govbr_assets.defs.decisions.repair import repairable
from govbr_assets.defs.in_process.context import MendContext
from govbr_assets.defs.in_process.options import MendOptions
from govbr_assets.defs.in_process.remaining import differences, not_approved
from govbr_assets.defs.in_process.report import Left, RunReport
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.operations.assess import assess


def assess_dataset(context: MendContext) -> Assessment:
    """Say what it takes to make the dataset equal to PostgreSQL.

    Raises:
        GovbrAssetsError: a side cannot be read.
    """
    dataset = context.hub.dataset()
    context.watch.begin("assessment")
    head, today = dataset.client.head(), Day.at(datetime.now(UTC))
    found = assess(dataset, head, context.postgres.client(), today, Day(FIRST_DAY), context.watch.say)
    effort = f"about {count(found.commits, 'commit')} and {count(found.minutes, 'minute')}"
    context.watch.end(f"{differing(found.days, 'day')}, {effort}")
    return found


def rejections(found: Assessment, context: MendContext, options: MendOptions) -> Iterator[Left]:
    """List what could not be done as it was chosen."""
    if found.problem:
        yield Left("the compaction", found.problem)
    if found.approval > (options.allow_removals or context.hub.approved_removals):
        yield not_approved(found.removals, found.approval, found.used)
    for day, reason in found.rejected.items():
        yield Left(day, reason)


def runs_after_compaction(differ: pa.Table) -> Iterator[RunReport]:
    """List the runs of days that come after a compaction, each with what differs before it.

    Args:
        differ: the days that differ, [n days x 8].
    """
    for span in cover(repairable(differ)):
        yield RunReport("daily_sync", f"{span}", "", True, f"after the compaction: {differences(differ, span)}")
