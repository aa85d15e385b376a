"""The sync of one day, the value of `hf_parquet_shard`. What becomes of its rows is decided in `diff`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from govbr_assets.core.days import ByDay, Day
from govbr_assets.core.identity import aliases
from govbr_assets.io.staged import Rows
from govbr_assets.operations.existing_ids import ExistingRows
from govbr_assets.operations.sync.diff import DayDiff
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.options import DayReport, SyncOptions


@dataclass(frozen=True)
class DaySync:
    """The value of `hf_parquet_shard`: the sync of a day, which can be planned at any revision.

    Attributes:
        day: the day.
        rows: reads the Postgres day with its aliases, [n rows x 25], at each call: many plans need little memory.
        ids: every id of these rows.
        known: which of these rows the Hub held, and at which revision.
        options: what may be removed, and the like.
        left_out: which rows of the day in PostgreSQL cannot be published, and why; empty if all can.
    """

    day: Day
    rows: Callable[[], Rows]
    ids: pa.Array
    known: ExistingRows
    options: SyncOptions
    left_out: str = ""

    def at(self, builder: ChangesetBuilder) -> DayReport | None:
        """Add the day to a changeset, and say what becomes of it; None if it finds no room there.

        Args:
            builder: of the next commit; it is changed only if the day may be published.

        Raises:
            ContractError: the day must not be published.
        """
        report = DayDiff(self.day, self.rows(), builder, self.options).added()
        return replace(report, blocked=" ".join(filter(None, [self.left_out, report.blocked]))) if report else None


def plan_days(
    rows: ByDay[Rows],
    known: Callable[[str, Rows], ExistingRows],
    options: SyncOptions,
    left_out: Callable[[Day], str],
) -> ByDay[DaySync]:
    """Return the plans of some days, each made when it is asked for.

    Args:
        rows: the Postgres days with their aliases, [n rows x 25] each.
        known: returns what the Hub held of a day's rows at an earlier revision, given its partition key and the rows.
        options: what may be removed, and the like.
        left_out: returns which rows of a day cannot be published, and why; empty if all can.
    """

    def plan(key: str) -> DaySync:
        found, day = rows[key], Day.of(key)
        return DaySync(day, partial(rows.__getitem__, key), aliases(found), known(key, found), options, left_out(day))

    return ByDay(rows, plan)
