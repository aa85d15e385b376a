"""Rows of a day on the Hub that the day lacks in PostgreSQL: they belong to another one, leave the dataset, or stay."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day
from govbr_assets.core.diff import refusal_to_remove
from govbr_assets.core.identity import owners
from govbr_assets.errors import SourceRowsError
from govbr_assets.io.staged import Rows
from govbr_assets.operations.sync.options import DeletePolicy, SyncOptions

_REMEDY = (
    "Nothing was removed: look at PostgreSQL; if it is right, run the day again with `allow_removals` set in the"
    " launchpad, if not, with `removals` set to `keep`."
)


@dataclass
class Surplus:
    """What becomes of such rows.

    Attributes:
        stay: ids of rows that stay, those among them that PostgreSQL has in a version that is too large.
        moved: ids on the Hub of rows that belong to other days.
        removed: ids of rows that leave the dataset.
        kept: ids of rows that PostgreSQL has nowhere, and that stay all the same.
        arrivals: rows for other days: [n rows x 25] each.
        withheld: why rows stay that should go; empty if there are none.
    """

    stay: set[str] = field(default_factory=set)
    moved: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    arrivals: dict[Day, Rows] = field(default_factory=dict)
    withheld: str = ""


def resolve(day: Day, ids: Sequence[str], counts: tuple[int, int], rules: SyncOptions, refusal: str) -> Surplus:
    """Look up in PostgreSQL what it has of such rows, and decide.

    Args:
        day: under which the Hub has them.
        ids: theirs, on the Hub.
        counts: rows of the day on the Hub and in PostgreSQL.
        rules: what may be removed.
        refusal: why nothing may be, in view of other days.

    Raises:
        SourceUnavailableError: PostgreSQL is away; unread is not gone.
        SourceRowsError: it fails at one of them.
    """
    surplus = Surplus()
    if not ids:
        return surplus
    try:
        rows = rules.find(sorted(set(ids)))
    except SourceRowsError as error:
        text = f"What became of {len(set(ids))} rows that the Hub has under {day} and PostgreSQL has not cannot be told"
        raise SourceRowsError(f"{text}, and the day stays as it is. {error}") from None
    owner = owners(rows)
    times = zip(rows["unique_id"].to_pylist(), rows["published_at"].to_pylist(), strict=True)
    days = {unique_id: Day.at(at) if at else day for unique_id, at in times}  # without a time it stays where it is
    coming: dict[Day, list[str]] = {}
    nowhere = []
    for unique_id in sorted(set(ids)):
        row = owner.get(unique_id)
        if row is None:
            nowhere.append(unique_id)
        elif days[row] == day:
            surplus.stay.add(unique_id)  # it came under this day after the day was read, or lost its time
        else:
            surplus.moved.append(unique_id)
            coming.setdefault(days[row], []).append(row)
    surplus.stay |= (large := rules.too_large(nowhere) if nowhere else set())
    nowhere = [unique_id for unique_id in nowhere if unique_id not in large]
    surplus.arrivals = {each: rows.filter(pc.is_in(rows["unique_id"], pa.array(coming[each]))) for each in coming}
    why = refusal or refusal_to_remove(len(nowhere), *counts)
    if nowhere and why and not rules.allow_removals and rules.removals is DeletePolicy.apply:
        surplus.withheld = f"{why}. {_REMEDY}"
    if rules.removals is DeletePolicy.keep or surplus.withheld:
        surplus.kept = nowhere
        surplus.stay.update(nowhere)
    else:
        surplus.removed = nowhere
    return surplus
