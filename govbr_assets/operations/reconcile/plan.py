"""Compare PostgreSQL with the Hub: both sides are partitioned by id, and the partitions are compared in turn."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.conform import LeftOut
from govbr_assets.core.counting import count
from govbr_assets.core.day_counts import DayCounts
from govbr_assets.core.days import Day
from govbr_assets.core.identity import hashes
from govbr_assets.core.row_differences import (
    CLAIMS_SCHEMA,
    HUB_ROWS_SCHEMA,
    ROWS_SCHEMA,
    differences,
    resolve_legacy_ids,
)
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.schema_version import in_version_of, outdated
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.partitioned import PARTITIONS, PartitionedRows
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.reconcile.sides import HubSide, claims_of, postgres_digests, rows_of
from govbr_assets.postgres.news import NewsTable


@dataclass(frozen=True)
class Reconciled:
    """How PostgreSQL and the Hub at one revision differ.

    Attributes:
        days: of all days, [n days x 8] of `core.day_counts.DAYS_SCHEMA`.
        totals: as `DayCounts.totals` returns them.
        snapshot: the revision.
        uncompacted: files that are neither a shard nor a compacted year by name, schema and order.
        fetched: number of files that were not in the metadata cache.
        rejected: days of PostgreSQL whose contents cannot be compared as they cannot be published, with the reason.
        left_out: rows of PostgreSQL that no day can publish.
        renamed: ids on the Hub whose rows PostgreSQL has under other ones.
        undated_duplicates: of `totals["undated_surplus"]` those that are further occurrences of a row.
    """

    days: pa.Table
    totals: dict[str, int]
    snapshot: Snapshot
    uncompacted: list[str]
    fetched: int
    rejected: dict[Day, str]
    left_out: LeftOut
    renamed: int = 0
    undated_duplicates: int = 0


def reconcile(
    dataset: Dataset, snapshot: Snapshot, postgres: NewsTable, *, deep: bool = False, log: Log = lambda _: None
) -> Reconciled:
    """Compare all rows of PostgreSQL with all rows of the Hub, in memory that does not grow with either.

    Args:
        dataset: the dataset.
        snapshot: the revision; older than what is read of PostgreSQL, so that rows published meanwhile are not extra.
        postgres: the database.
        deep: compare the contents of rows too, not only their ids and days.
        log: called with a sentence when the rows of a side have been read.

    Raises:
        ContractError: keys on either side cannot be read; the message names the file, or the column in PostgreSQL.
        SourceError: PostgreSQL lacks a column that is published.
        TransientError: one of the two is out of reach.
        NoRoomError: the disk for temporary files is too small.
    """
    if lacking := outdated(dataset, snapshot):
        log(lacking)
    dataset = in_version_of(dataset, snapshot)  # columns that the files do not have yet are compared when they have
    postgres = postgres.of(dataset.spec)
    postgres.check_columns()  # ids and days alone would not need all of them
    with scratch_folder() as folder:
        counts, rejected, left_out = DayCounts(), dict[Day, str](), LeftOut()
        postgres_side, claims = _postgres(postgres, counts, left_out)
        log(f"PostgreSQL has {count(counts.totals()['postgres_rows'], 'row')}.")
        too_large = hashes(pa.array(postgres.too_large_ids(counts.postgres_days(), left_out), pa.string()))
        digests = PartitionedRows(ROWS_SCHEMA, "id")
        for rows in postgres_digests(postgres, counts.postgres_days() if deep else [], rejected):
            digests.add(rows)
        side = HubSide(dataset, snapshot, folder)
        hub_side, renamed = _hub(side, claims, counts, deep=deep)
        log(f"The Hub has {count(counts.totals()['hub_rows'], 'row')}.")
        for number in range(PARTITIONS):
            rows = _with_digests(postgres_side.read(number), digests.read(number))
            there = _renamable(hub_side.read(number), too_large)
            for name, days in differences(_publishable(rows, there, too_large), there):
                counts.add(name, days)
    return Reconciled(
        counts.table(),
        counts.totals(),
        snapshot,
        side.uncompacted,
        side.fetched,
        rejected,
        left_out,
        renamed,
        counts.undated("duplicated"),
    )


def _postgres(postgres: NewsTable, counts: DayCounts, left_out: LeftOut) -> tuple[PartitionedRows, PartitionedRows]:
    """Partition the rows of PostgreSQL by id, and its claims to legacy ids by legacy id."""
    partitioned, claims = PartitionedRows(ROWS_SCHEMA, "id"), PartitionedRows(CLAIMS_SCHEMA, "legacy")
    for keys in postgres.keys(left_out):
        rows = rows_of(keys)
        counts.add("postgres_rows", rows["day"])
        partitioned.add(rows)
        claims.add(claims_of(keys))
    return partitioned, claims


def _hub(side: HubSide, claims: PartitionedRows, counts: DayCounts, *, deep: bool) -> tuple[PartitionedRows, int]:
    """Partition the rows of the Hub by their own id, resolve legacy ids, and partition them by the id in PostgreSQL.

    Returns:
        The rows, and how many legacy ids there are.
    """
    found, partitioned, renamed = PartitionedRows(ROWS_SCHEMA, "id"), PartitionedRows(HUB_ROWS_SCHEMA, "id"), 0
    for rows in side.rows(deep=deep):
        counts.add("hub_rows", rows["day"])
        found.add(rows)
    for number in range(PARTITIONS):
        old = found.read(number)
        new = resolve_legacy_ids(old, claims.read(number))
        is_renamed = pc.not_equal(old["id"], new["id"])
        renamed += pc.count_distinct(old["id"].filter(is_renamed)).as_py()
        partitioned.add(new.append_column(HUB_ROWS_SCHEMA.field("renamed"), is_renamed))
    return partitioned, renamed


def _publishable(rows: pa.Table, there: pa.Table, too_large: pa.Array) -> pa.Table:
    """Drop rows of PostgreSQL that are too large and not on the Hub: no run can publish them."""
    missing = pc.invert(pc.is_in(rows["id"], value_set=there["id"].combine_chunks()))
    return rows.filter(pc.invert(pc.and_(missing, pc.is_in(rows["id"], value_set=too_large))))


def _renamable(there: pa.Table, too_large: pa.Array) -> pa.Table:
    """Let the rows of the Hub that are too large keep their ids: no run can publish them."""
    renamed = pc.and_(there["renamed"], pc.invert(pc.is_in(there["id"], value_set=too_large)))
    return there.set_column(3, HUB_ROWS_SCHEMA.field("renamed"), renamed)


def _with_digests(rows: pa.Table, digests: pa.Table) -> pa.Table:
    """Set the digests of whole rows of PostgreSQL, by id."""
    at = pc.index_in(rows["id"].combine_chunks(), value_set=digests["id"].combine_chunks())
    return rows.set_column(2, ROWS_SCHEMA.field(2), digests["digest"].combine_chunks().take(at))
