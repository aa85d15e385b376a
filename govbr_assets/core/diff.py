"""A day of PostgreSQL beside what the Hub holds of it: where each row belongs, what differs, and what may be removed.

Which ids are one row is `dedup`'s business; how files are changed is that of `shards`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.digest import digests_of
from govbr_assets.io.staged import Rows, side_by_side

STANDING_SCHEMA = pa.schema([("unique_id", pa.string()), ("digest", pa.int64())])
"""Rows as they stand in a file of the Hub: their ids there, with the digest of their content."""

DAY_SHARE, DAY_ROWS = 0.2, 20
"""Of a day with this many rows on the Hub, no larger share is removed without being told to."""

REMOVALS, REMOVALS_HOURS = 200, 24
"""No more rows are removed from all days within this time without being told to."""


@dataclass
class Places:
    """Where the rows of a Postgres day belong, and from where they have to go.

    Attributes:
        own: rows, by their id in PostgreSQL, that belong into the day's own shard.
        renewed: rows of which the year's file has another version, or several: their ids there.
        leaving: file and id there of what has moved here or stands twice.
        unfolded: rows in files that only a fold may change: they stay there, whatever they say.
        unknown: ids in the year's file that no row of the day has.
        moved: rows that stood elsewhere, and not under this day.
        doubled: how many rows go because the same one stays.
    """

    own: list[str] = field(default_factory=list)
    renewed: dict[str, list[str]] = field(default_factory=dict)
    leaving: list[tuple[str, str]] = field(default_factory=list)
    unfolded: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    doubled: int = 0


def find_places(
    rows: Rows,
    owner: Mapping[str, str],
    year: pa.Table,
    year_file: str,
    elsewhere: Iterable[tuple[str, str]],
    is_folded: Callable[[str], bool],
    schema: pa.Schema,
) -> Places:
    """Say where each row of a day belongs: where the year's file has it, else in the day's own shard.

    Args:
        rows: [n rows x 25], the Postgres day.
        owner: whose each of its ids is, as `dedup.owners` says.
        year: [n rows x 2] of `STANDING_SCHEMA`, what the year's file holds of this day.
        year_file: its path.
        elsewhere: id and path of what the Hub holds of the day's rows besides, the day's own shard left out.
        is_folded: tells by its path whether a file may be changed.
        schema: the published one.
    """
    places = Places()
    here: dict[str, list[tuple[str, int]]] = {}
    there: dict[str, list[tuple[str, str]]] = {}
    for unique_id, digest in zip(*(column.to_pylist() for column in year.columns), strict=True):
        if unique_id in owner:
            here.setdefault(owner[unique_id], []).append((unique_id, digest))
        else:
            places.unknown.append(unique_id)
    for unique_id, path in elsewhere:
        there.setdefault(owner[unique_id], []).append((path, unique_id))
    digests = _digests(rows, schema) if here else {}
    for row in rows["unique_id"].to_pylist():
        standing, others = here.get(row, []), there.get(row, [])
        unfolded = any(not is_folded(path) for path, _ in others)
        places.leaving += [each for each in others if is_folded(each[0])]
        places.doubled += max(0, len(standing) + len(others) - 1)
        if unfolded:
            places.unfolded.append(row)
            places.leaving += [(year_file, unique_id) for unique_id, _ in standing]
        elif standing:
            differs = all(digest != digests[row] for _, digest in standing)
            if differs or len(standing) > 1 or year_file in dict(others):
                places.renewed[row] = [unique_id for unique_id, _ in standing]
        else:
            places.own.append(row)
            places.moved += [row] if others else []
    return places


def differing_columns(old: Rows, new: Rows, columns: Sequence[str]) -> Iterator[list[str]]:
    """Name the columns in which rows differ; null and an empty text do.

    Args:
        old: [n rows x columns or more].
        new: [n rows x columns or more], each row beside its old version.
        columns: those that are compared.
    """
    for before, after in side_by_side(old, new):
        yield from _differing_columns(before, after, columns)


def _differing_columns(old: pa.Table, new: pa.Table, columns: Sequence[str]) -> Iterator[list[str]]:
    """Name the columns in which rows in memory differ."""
    differs = []
    for name in columns:
        if pa.types.is_list(new.schema.field(name).type):
            pairs = zip(old[name].to_pylist(), new[name].to_pylist(), strict=True)
            differs.append([before != after for before, after in pairs])
        else:
            same = pc.fill_null(pc.equal(old[name], new[name]), False)
            both_null = pc.and_(old[name].is_null(), new[name].is_null())
            differs.append(pc.invert(pc.or_(same, both_null)).to_pylist())
    for row in zip(*differs, strict=True):
        yield [name for name, differing in zip(columns, row, strict=True) if differing]


def refusal_to_remove(removed: int, hub_rows: int, postgres_rows: int) -> str:
    """Say why rows of a day are not removed without being told to; an empty text if they may.

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


def refusal_to_remove_more(removed: int, before: int) -> str:
    """Say why rows are not removed in view of those that were before; an empty text if they may.

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


def _digests(rows: Rows, schema: pa.Schema) -> dict[str, int]:
    """Digest the rows of a Postgres day, by id."""
    digests = digests_of(rows.select(schema.names), schema)
    return dict(zip(rows["unique_id"].to_pylist(), digests.to_pylist(), strict=True))
