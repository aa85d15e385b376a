"""Extra rows: the Hub has them under a day, PostgreSQL does not. They go to another day, leave the dataset, or stay.

All of what is decided about such rows is decided here, the guard against too many deletions too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from govbr_assets.core.days import Day
from govbr_assets.core.identity import owners
from govbr_assets.core.row_changes import Action, RowChange
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import SourceRowsError
from govbr_assets.io.staged import Rows
from govbr_assets.operations.sync.options import DeletePolicy, SyncOptions

DAY_SHARE, DAY_ROWS = 0.2, 20
"""Of a day with this many rows on the Hub, no larger share is removed unless it is allowed."""

REMOVALS, REMOVALS_HOURS = 200, 24
"""No more rows are removed from all days within this time unless it is allowed."""

_REMEDY = (
    "Nothing was removed: look at PostgreSQL; if it is right, run the day again with `allow_removals` set in the"
    " launchpad, if not, with `removals` set to `keep`."
)


@dataclass(frozen=True)
class ExtraRows:
    """What becomes of the extra rows of a day.

    Attributes:
        changes: of those that do not simply stay: moves to other days, removals, rows that are retained.
        moved: [n rows x 25], as PostgreSQL has rows of other days.
        blocked: why rows stay that should go; empty if there are none.
    """

    changes: tuple[RowChange, ...]
    moved: Rows
    blocked: str = ""


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
    blocked = day_guard(len(removed), *counts) if options.guards_deletes else ""
    action = Action.RETAIN if blocked or options.removals is DeletePolicy.keep else Action.REMOVE
    changes = []
    for path, hub_id in places:
        row = owner.get(hub_id)
        if row is not None and days[row] != day:
            changes.append(RowChange(Action.MOVE_OUT, row, hub_id, path, spec.layout.day_path(days[row])))
        elif row is None and hub_id not in too_large:
            changes.append(RowChange(action, None, hub_id, path))
        # All others stay: they came under this day after it was read, lost their time, or are too large to publish.
    return ExtraRows(tuple(changes), rows, with_remedy(blocked))


def with_remedy(reason: str) -> str:
    """Return what to do about deletions that are blocked; an empty text if there is no reason."""
    return f"{reason}. {_REMEDY}" if reason else ""


def day_guard(removed: int, hub_rows: int, postgres_rows: int) -> str:
    """Return why rows of a day are not removed unless it is allowed; an empty text if they may.

    Args:
        removed: rows that would leave the dataset.
        hub_rows: rows of the day on the Hub.
        postgres_rows: rows of the day in PostgreSQL.
    """
    if removed and not postgres_rows:
        return f"PostgreSQL has no row of the day, and the Hub would lose all {removed} of it"
    if hub_rows >= DAY_ROWS and removed > DAY_SHARE * hub_rows:
        return f"{removed} of the day's {hub_rows} rows on the Hub are not in PostgreSQL, more than {DAY_SHARE:.0%}"
    return ""


def recent_guard(removed: int, before: int) -> str:
    """Return why rows are not removed in view of those that were before; an empty text if they may.

    Args:
        removed: rows of all days that would leave the dataset.
        before: rows that have left it within `REMOVALS_HOURS`.
    """
    if removed and removed + before > REMOVALS:
        return (
            f"{removed} rows on the Hub are not in PostgreSQL, and {before} have been removed within"
            f" {REMOVALS_HOURS} hours: together more than {REMOVALS}"
        )
    return ""


def _look_up(day: Day, ids: Sequence[str], options: SyncOptions) -> tuple[Rows, dict[str, Day]]:
    """Read what PostgreSQL has of some rows, [n rows x 25], and the day of each: without a time it stays."""
    try:
        rows = options.find(ids)
    except SourceRowsError as error:
        text = f"What became of {len(ids)} rows that the Hub has under {day} and PostgreSQL has not cannot be told"
        raise SourceRowsError(f"{text}, and the day stays as it is. {error}") from None
    times = zip(rows["unique_id"].to_pylist(), rows["published_at"].to_pylist(), strict=True)
    return rows, {unique_id: Day.at(at) if at else day for unique_id, at in times}
