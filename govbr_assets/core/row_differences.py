"""Reconciliation: how rows of PostgreSQL and of the Hub differ, under law 1's identity.

An id is eight bytes here (`dedup.hashes`), so that many rows fit into little memory; how they are streamed and parted
belongs to `govbr_assets.operations.reconcile`, and what is made of all differences to `tally`.
"""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import LATEST
from govbr_assets.core.day_counts import MOVED_FROM
from govbr_assets.core.days import Day

ROWS_SCHEMA = pa.schema([("id", pa.int64()), ("day", pa.date32()), ("digest", pa.int64())])
"""Rows of either side: null is the day of a row without `published_at`, and a digest that is not known."""

CLAIMS_SCHEMA = pa.schema([("legacy", pa.int64()), ("id", pa.int64())])
"""The legacy ids that count, each with the id that PostgreSQL has for the row now."""

_SECOND = 1_000_000  # microseconds


def local_days(published_at: pa.ChunkedArray) -> pa.Array:
    """Tell the day in America/Sao_Paulo of each instant: [n rows] of date32, null for null.

    Local time is behind UTC, so the local day is UTC's own or, before that day's first instant here, the one before.
    What is out of the calendar counts for its first or last day.
    """
    instants = published_at.combine_chunks().cast(pa.int64())
    earliest = int(Day(date.min).start.timestamp()) * _SECOND
    instants = pc.max_element_wise(instants, earliest, skip_nulls=False)
    instants = pc.min_element_wise(instants, LATEST, skip_nulls=False)
    utc = instants.cast(pa.timestamp("us")).cast(pa.date32()).dictionary_encode()
    firsts = [int(Day(each).start.timestamp()) * _SECOND for each in utc.dictionary.to_pylist()]
    first = pa.array(firsts, pa.int64()).take(utc.indices)
    number = utc.dictionary.cast(pa.int32()).take(utc.indices)
    return pc.subtract(number, pc.less(instants, first).cast(pa.int32())).cast(pa.date32())


def named(hub: pa.Table, claims: pa.Table) -> pa.Table:
    """Give rows of the Hub the ids that PostgreSQL has for them now.

    Args:
        hub: [n rows x 3] of `ROWS_SCHEMA`.
        claims: [n rows x 2] of `CLAIMS_SCHEMA`, all that can concern these rows.
    """
    ids = hub["id"].combine_chunks()
    now = claims["id"].combine_chunks().take(pc.index_in(ids, value_set=claims["legacy"].combine_chunks()))
    return hub.set_column(0, ROWS_SCHEMA.field("id"), pc.coalesce(now, ids))


def differences(postgres: pa.Table, hub: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    """Compare the rows of both sides that have some of the ids.

    Of several rows of one id on the Hub the one that is most like PostgreSQL's counts as the row, the others are
    duplicates. A duplicate without a day is told on the day that PostgreSQL has for the row. A row without a day in
    PostgreSQL is nowhere missing, and in its place wherever the Hub has it.

    Args:
        postgres: [n rows x 3] of `ROWS_SCHEMA`, no id twice.
        hub: [n rows x 3] of `ROWS_SCHEMA`, with the ids that PostgreSQL has for them.

    Yields:
        The name of a count, and the day of each row that it counts.
    """
    at = pc.index_in(hub["id"].combine_chunks(), value_set=postgres["id"].combine_chunks())
    (day, digest), (own_day, own_digest) = _columns(hub), (column.take(at) for column in _columns(postgres))
    known = at.is_valid()
    in_place = pc.or_(pc.fill_null(pc.equal(day, own_day), False), pc.and_(known, own_day.is_null()))
    changed = pc.and_(in_place, pc.fill_null(pc.not_equal(digest, own_digest), False))
    first = _first_of_each(hub["id"], day, in_place, changed)
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


def _first_of_each(ids: pa.ChunkedArray, day: pa.Array, in_place: pa.Array, changed: pa.Array) -> pa.Array:
    """Mark of each id one row: in its place if there is one, and there unchanged, else the earliest."""
    unlike = pc.if_else(in_place, changed.cast(pa.int8()), pa.scalar(2, pa.int8()))
    ids = ids.combine_chunks()
    keys = pa.table({"id": ids, "unlike": unlike, "day": day})
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
    sorted_ids = ids.take(order)
    begins = pc.not_equal(sorted_ids.slice(1), sorted_ids.slice(0, max(0, len(ids) - 1)))
    begins = pa.concat_arrays([pa.array([True] * min(1, len(ids)), pa.bool_()), begins])
    return pc.is_in(pa.array(range(len(ids)), order.type), value_set=order.filter(begins))
