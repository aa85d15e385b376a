"""Differences between rows of PostgreSQL and of the Hub.

Ids are hashed to eight bytes (`identity.hashes`), so that many rows fit into memory. Streaming and partitioning belong
to `operations.reconcile`, and counting the differences to `day_counts`.
"""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import LATEST
from govbr_assets.core.day_counts import MOVED_FROM
from govbr_assets.core.days import Day

ROWS_SCHEMA = pa.schema([("id", pa.int64()), ("day", pa.date32()), ("digest", pa.int64())])
"""Rows of either side; the day is null without `published_at`, the digest is null if it is unknown."""

HUB_ROWS_SCHEMA = ROWS_SCHEMA.append(pa.field("renamed", pa.bool_()))
"""Rows of the Hub under their current ids, and whether the Hub has them under their legacy ones."""

CLAIMS_SCHEMA = pa.schema([("legacy", pa.int64()), ("id", pa.int64())])
"""The valid legacy ids, each with the current id of its row in PostgreSQL."""

_SECOND = 1_000_000  # microseconds


def local_days(published_at: pa.ChunkedArray) -> pa.Array:
    """Return the day in America/Sao_Paulo of each instant.

    Local time is behind UTC, so the local day is the UTC day or, before its first local instant, the day before.
    Instants outside of the calendar count for its first or last day.

    Args:
        published_at: [n rows] of timestamps.

    Returns:
        [n rows] of date32, null for null.
    """
    instants = published_at.combine_chunks().cast(pa.int64())
    earliest = int(Day(date.min).start.timestamp()) * _SECOND
    instants = pc.max_element_wise(instants, earliest, skip_nulls=False)
    instants = pc.min_element_wise(instants, LATEST, skip_nulls=False)
    utc = instants.cast(pa.timestamp("us")).cast(pa.date32()).dictionary_encode()
    firsts = [int(Day(date).start.timestamp()) * _SECOND for date in utc.dictionary.to_pylist()]
    first = pa.array(firsts, pa.int64()).take(utc.indices)
    number = utc.dictionary.cast(pa.int32()).take(utc.indices)
    return pc.subtract(number, pc.less(instants, first).cast(pa.int32())).cast(pa.date32())


def resolve_legacy_ids(hub: pa.Table, claims: pa.Table) -> pa.Table:
    """Replace the legacy ids of rows by their current ids in PostgreSQL.

    Args:
        hub: [n rows x 3] of `ROWS_SCHEMA`.
        claims: [m rows x 2] of `CLAIMS_SCHEMA`, including all that concern these rows.

    Returns:
        [n rows x 3] of `ROWS_SCHEMA`.
    """
    ids = hub["id"].combine_chunks()
    now = claims["id"].combine_chunks().take(pc.index_in(ids, value_set=claims["legacy"].combine_chunks()))
    return hub.set_column(0, ROWS_SCHEMA.field("id"), pc.coalesce(now, ids))


def differences(postgres: pa.Table, hub: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    """Compare the rows of both sides.

    Of several rows of one id on the Hub, the one most similar to PostgreSQL's counts as the row, and the others as
    duplicates. A duplicate without a day is counted under the day of the row in PostgreSQL. A row without a day in
    PostgreSQL is never missing, and in place under any day of the Hub. A row that the Hub has on its day under a legacy
    id counts as changed, whether digests are known or not.

    Args:
        postgres: [n rows x 3] of `ROWS_SCHEMA`, with unique ids.
        hub: [m rows x 4] of `HUB_ROWS_SCHEMA`, with current ids (`resolve_legacy_ids`).

    Yields:
        The name of a count, and the day of each counted row.
    """
    at = pc.index_in(hub["id"].combine_chunks(), value_set=postgres["id"].combine_chunks())
    (day, digest), (own_day, own_digest) = _columns(hub), (column.take(at) for column in _columns(postgres))
    known = at.is_valid()
    in_place = pc.or_(pc.fill_null(pc.equal(day, own_day), False), pc.and_(known, own_day.is_null()))
    changed = pc.and_(in_place, pc.fill_null(pc.not_equal(digest, own_digest), False))
    renamed = pc.and_(hub["renamed"].combine_chunks(), pc.fill_null(pc.equal(day, own_day), False))
    changed = pc.or_(changed, renamed)
    first = first_of_each(hub["id"], day, in_place, changed)
    extra = pc.invert(first)
    moved = pc.and_(pc.and_(first, known), pc.invert(in_place))
    is_missing = pc.invert(pc.is_in(pa.array(range(postgres.num_rows), at.type), value_set=pc.unique(at)))
    yield "missing", postgres["day"].combine_chunks().filter(is_missing)
    yield "surplus", day.filter(pc.and_(first, pc.invert(known)))
    yield "duplicated", pc.coalesce(day, own_day).filter(extra)
    yield "moved", own_day.filter(moved)
    yield MOVED_FROM, day.filter(moved)
    yield "changed", day.filter(pc.and_(first, changed))


def _columns(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    return rows["day"].combine_chunks(), rows["digest"].combine_chunks()


def first_of_each(ids: pa.ChunkedArray, day: pa.Array, in_place: pa.Array, changed: pa.Array) -> pa.Array:
    """Return a mask with one row per id: preferably in place and unchanged, then in place, then the earliest."""
    unlike = pc.if_else(in_place, changed.cast(pa.int8()), pa.scalar(2, pa.int8()))
    ids = ids.combine_chunks()
    keys = pa.table({"id": ids, "unlike": unlike, "day": day})
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
    sorted_ids = ids.take(order)
    begins = pc.not_equal(sorted_ids.slice(1), sorted_ids.slice(0, max(0, len(ids) - 1)))
    begins = pa.concat_arrays([pa.array([True] * min(1, len(ids)), pa.bool_()), begins])
    return pc.is_in(pa.array(range(len(ids)), order.type), value_set=order.filter(begins))
