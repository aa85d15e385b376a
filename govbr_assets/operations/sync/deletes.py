"""Extra rows: the Hub has them under a day, PostgreSQL does not. They go to another day, leave the dataset, or stay.

Which of them PostgreSQL has nowhere is found out here; whether these are too many to be removed decides `guard`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from govbr_assets.core.days import Day
from govbr_assets.core.identity import owners
from govbr_assets.core.row_changes import Action, RowChange
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import SourceRowsError
from govbr_assets.io.staged import Rows
from govbr_assets.operations.sync.guard import day_guard
from govbr_assets.operations.sync.options import DeletePolicy, SyncOptions


@dataclass(frozen=True)
class ExtraRows:
    """What becomes of the extra rows of a day.

    Attributes:
        changes: of those that do not simply stay: moves to other days, removals, rows that are retained.
        moved: [n rows x 25], as PostgreSQL has rows of other days.
        guard: why the removals need an approval; empty if there are none, or they need none.
    """

    changes: tuple[RowChange, ...]
    moved: Rows
    guard: str = ""


def resolve_extra_rows(
    day: Day, places: Sequence[tuple[str, str]], counts: tuple[int, int], options: SyncOptions, spec: DatasetSpec
) -> ExtraRows:
    """Look up in PostgreSQL what it has of extra rows, and decide what becomes of them.

    Args:
        day: under which the Hub has them.
        places: file and id on the Hub of each.
        counts: rows of the day on the Hub and in PostgreSQL.
        options: what may be removed.
        spec: of the dataset.

    Raises:
        SourceUnavailableError: PostgreSQL cannot be reached; unread does not mean gone.
        SourceRowsError: it fails at one of them.
    """
    if not places:
        return ExtraRows((), spec.source_schema.empty_table())
    ids = sorted({hub_id for _, hub_id in places})
    rows, days = _look_up(day, ids, options)
    owner = owners(rows)
    nowhere = [each for each in ids if each not in owner]
    too_large = options.too_large(nowhere) if nowhere else set[str]()
    removed = [each for each in nowhere if each not in too_large]
    reason = day_guard(len(removed), *counts) if options.guards_deletes else ""
    action = Action.RETAIN if options.removals is DeletePolicy.keep else Action.REMOVE
    changes = []
    for path, hub_id in places:
        row = owner.get(hub_id)
        if row is not None and days[row] != day:
            changes.append(RowChange(Action.MOVE_OUT, row, hub_id, path, spec.layout.day_path(days[row])))
        elif row is None and hub_id not in too_large:
            changes.append(RowChange(action, None, hub_id, path))
        # All others stay: they came under this day after it was read, lost their time, or are too large to publish.
    return ExtraRows(tuple(changes), rows, reason)


def _look_up(day: Day, ids: Sequence[str], options: SyncOptions) -> tuple[Rows, dict[str, Day]]:
    """Read what PostgreSQL has of some rows, [n rows x 25], and the day of each: without a time it stays."""
    try:
        rows = options.find(ids)
    except SourceRowsError as error:
        text = f"What became of {len(ids)} rows that the Hub has under {day} and PostgreSQL has not cannot be told"
        raise SourceRowsError(f"{text}, and the day stays as it is. {error}") from None
    times = zip(rows["unique_id"].to_pylist(), rows["published_at"].to_pylist(), strict=True)
    return rows, {unique_id: Day.at(at) if at else day for unique_id, at in times}
