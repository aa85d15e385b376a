"""A row of PostgreSQL beside what the Hub holds of it: which file it belongs in, what differs, what becomes of it.

Which ids are one row is the business of `identity`; where the rows are is looked up by whoever asks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.row_changes import Action, RowChange
from govbr_assets.io.staged import Rows, side_by_side

ROWS_IN_PLACE_SCHEMA = pa.schema([("unique_id", pa.string()), ("digest", pa.int64())])
"""Rows of a file of the Hub: their ids there, with the digest of their content."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the Hub where a row is.

    Attributes:
        path: the file.
        hub_id: the id that the row has there.
        in_place: whether it is where its day is looked for: the day's own shard, or under the day in the year's file.
        columns: those in which it differs from the row in PostgreSQL; only known of a row in place.
    """

    path: str
    hub_id: str
    in_place: bool = False
    columns: tuple[str, ...] = ()


def home_of(places: Sequence[Place], own_path: str, can_change: Callable[[str], bool]) -> str | None:
    """Return which file a row belongs in: where its year's file has it, else in the day's own shard.

    Args:
        places: where it is, the day's own shard left out.
        own_path: of that shard.
        can_change: tells by its path whether rows of a file may be changed.

    Returns:
        The path; None if the row stays in a file that only a compaction may change.
    """
    if not all(can_change(each.path) for each in places):
        return None
    return next((each.path for each in places if each.in_place), own_path)


def row_changes(
    unique_id: str, places: Sequence[Place], home: str | None, can_change: Callable[[str], bool]
) -> Iterator[RowChange]:
    """Return what becomes of a row of the day, so that it is once on the Hub, and as PostgreSQL has it.

    Args:
        unique_id: its id in PostgreSQL.
        places: all where it is.
        home: the file that it belongs in, as `home_of` says.
        can_change: tells by its path whether rows of a file may be changed.
    """
    at_home = [each for each in places if each.in_place and each.path == home]
    stays = min(at_home, key=lambda each: bool(each.columns), default=None)
    leaving = [each for each in places if each is not stays and can_change(each.path)]
    if home is None:
        held = next(each for each in places if not can_change(each.path))
        yield RowChange(Action.LEAVE_UNCOMPACTED, unique_id, held.hub_id, held.path)
    elif stays:
        # What goes is told by its id: under the same one, in the same file, the row that stays would go as well.
        again = any((each.path, each.hub_id) == (stays.path, stays.hub_id) for each in leaving)
        if stays.columns or again:
            yield RowChange(Action.CHANGE, unique_id, stays.hub_id, home, home, stays.columns)
    elif leaving:
        first = leaving.pop(0)
        yield RowChange(Action.MOVE_IN, unique_id, first.hub_id, first.path, home)
    else:
        yield RowChange(Action.ADD, unique_id, target=home)
    for each in leaving:
        yield RowChange(Action.DROP_DUPLICATE, unique_id, each.hub_id, each.path)


def differing_columns(old: Rows, new: Rows, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Name the columns in which rows differ; null and an empty text do, so do 0.0 and -0.0, and NaN is NaN.

    Args:
        old: [n rows x columns or more].
        new: [n rows x columns or more], each row beside its old version.
        columns: those that are compared.
    """
    for before, after in side_by_side(old, new):
        yield from _differing_columns(before, after, columns)


def _differing_columns(old: pa.Table, new: pa.Table, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Name the columns in which rows in memory differ."""
    differs = []
    for name in columns:
        if pa.types.is_list(new.schema.field(name).type):
            pairs = zip(old[name].to_pylist(), new[name].to_pylist(), strict=True)
            differs.append([before != after for before, after in pairs])
        else:
            same = pc.fill_null(pc.equal(_exact(old[name]), _exact(new[name])), False)
            both_null = pc.and_(old[name].is_null(), new[name].is_null())
            differs.append(pc.invert(pc.or_(same, both_null)).to_pylist())
    for row in zip(*differs, strict=True):
        yield tuple(name for name, differing in zip(columns, row, strict=True) if differing)


def _exact(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give numbers with a fraction by their bits, as their digests have them: no comparison of theirs is exact."""
    if not pa.types.is_floating(values.type):
        return values
    return pa.chunked_array([chunk.view(pa.int64()) for chunk in values.chunks], pa.int64())
