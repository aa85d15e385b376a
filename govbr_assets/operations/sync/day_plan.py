"""One day as a plan, the value of `hf_parquet_shard` at any revision; what it decides is `day`'s business."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from govbr_assets.core.days import ByDay, Day
from govbr_assets.core.identity import Moves, aliases
from govbr_assets.io.staged import Rows
from govbr_assets.operations.existing_ids import ExistingRows
from govbr_assets.operations.sync.diff import DayDiff
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.options import DayReport, SyncOptions


@dataclass(frozen=True)
class DaySync:
    """The value of `hf_parquet_shard`: a day made true, at whatever revision is asked.

    Attributes:
        day: the day.
        rows: gives the Postgres day with its aliases, [n rows x 25], each time anew: many days' plans are small.
        ids: every id of these rows.
        known: what the Hub held at the first revision; the first guess, no more.
        options: what may be removed, and the like.
        left_out: which rows of the day in PostgreSQL cannot be published, and why; empty if all can.
    """

    day: Day
    rows: Callable[[], Rows]
    ids: pa.Array
    known: ExistingRows
    options: SyncOptions
    left_out: str = ""

    def to_locate(self, builder: ChangesetBuilder, moves: Iterable[Moves]) -> list[str]:
        """List the ids that the Hub holds in other files than the day's shard and its year's: which, has to be found.

        Args:
            builder: of the next commit.
            moves: what came into files and went out of them since the first revision.
        """
        held = Counter(self.known.elsewhere)
        for each in moves:
            held.update(each.outside(builder.spec.layout.day_path(self.day), self.ids.to_pylist()))
        in_place = Counter(builder.rows_in_place(self.day)["unique_id"].to_pylist()) if held else Counter()
        return [unique_id for unique_id, count in held.items() if count > in_place[unique_id]]

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
