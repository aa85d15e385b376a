"""The two sides onto the disk, and its parts compared one after another."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.conform import LeftOut
from govbr_assets.core.day_counts import DayCounts
from govbr_assets.core.days import Day
from govbr_assets.core.identity import hashes
from govbr_assets.core.row_differences import CLAIMS_SCHEMA, ROWS_SCHEMA, differences, resolve_legacy_ids
from govbr_assets.dataset import Dataset
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.partitioned import PARTITIONS, PartitionedRows
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.reconcile.sides import HubSide, claims_of, postgres_digests, rows_of
from govbr_assets.postgres.news import NewsTable

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Reconciled:
    """How PostgreSQL and the Hub at one revision differ.

    Attributes:
        days: of all days, [n days x 8] of `core.tally.DAYS_SCHEMA`.
        totals: `Tally.totals`.
        snapshot: the revision.
        uncompacted: files that are neither a shard nor a compacted year, or have another schema.
        fetched: how many files something had to be fetched of.
        refused: days of PostgreSQL whose contents cannot be compared because they cannot be published, with the reason.
        left_out: rows of PostgreSQL that no day can publish.
    """

    days: pa.Table
    totals: dict[str, int]
    snapshot: Snapshot
    uncompacted: list[str]
    fetched: int
    refused: dict[Day, str]
    left_out: LeftOut


def reconcile(
    dataset: Dataset, snapshot: Snapshot, postgres: NewsTable, *, deep: bool = False, tell: Tell = lambda _: None
) -> Reconciled:
    """Compare all rows of PostgreSQL with all rows of the Hub, in memory that does not grow with either.

    Args:
        dataset: the dataset.
        snapshot: the revision; older than what is read of PostgreSQL, so that a row published meanwhile is no surplus.
        postgres: the database.
        deep: compare what rows say, too, not only their ids and days.
        tell: hears in a sentence how far the work is.

    Raises:
        ContractError: keys on either side cannot be read; the message names the file, or the column in PostgreSQL.
        TransientError: one of the two is out of reach.
        NoRoomError: the disk for temporary files is too small.
    """
    with scratch_folder() as folder:
        tally, refused, left_out = DayCounts(), dict[Day, str](), LeftOut()
        ours, claims = _postgres(postgres, tally, left_out)
        tell(f"{tally.totals()['postgres_rows']} rows are in PostgreSQL.")
        too_large = hashes(pa.array(postgres.too_large_ids(tally.postgres_days(), left_out), pa.string()))
        digests = PartitionedRows(ROWS_SCHEMA, "id")
        for rows in postgres_digests(postgres, tally.postgres_days() if deep else [], refused):
            digests.add(rows)
        side = HubSide(dataset, snapshot, folder)
        theirs = _hub(side, claims, tally, deep=deep)
        tell(f"{tally.totals()['hub_rows']} rows are on the Hub.")
        for number in range(PARTITIONS):
            rows, there = _with_digests(ours.read(number), digests.read(number)), theirs.read(number)
            for name, days in differences(_publishable(rows, there, too_large), there):
                tally.add(name, days)
    return Reconciled(tally.table(), tally.totals(), snapshot, side.uncompacted, side.fetched, refused, left_out)


def _postgres(postgres: NewsTable, tally: DayCounts, left_out: LeftOut) -> tuple[PartitionedRows, PartitionedRows]:
    """Divide the rows of PostgreSQL by id, and its claims to legacy ids by these."""
    divided, claims = PartitionedRows(ROWS_SCHEMA, "id"), PartitionedRows(CLAIMS_SCHEMA, "legacy")
    for keys in postgres.keys(left_out):
        rows = rows_of(keys)
        tally.add("postgres_rows", rows["day"])
        divided.add(rows)
        claims.add(claims_of(keys))
    return divided, claims


def _hub(side: HubSide, claims: PartitionedRows, tally: DayCounts, *, deep: bool) -> PartitionedRows:
    """Divide the rows of the Hub by the id that PostgreSQL has for them, and so first by the one that they have."""
    found, divided = PartitionedRows(ROWS_SCHEMA, "id"), PartitionedRows(ROWS_SCHEMA, "id")
    for rows in side.rows(deep=deep):
        tally.add("hub_rows", rows["day"])
        found.add(rows)
    for number in range(PARTITIONS):
        divided.add(resolve_legacy_ids(found.read(number), claims.read(number)))
    return divided


def _publishable(rows: pa.Table, there: pa.Table, too_large: pa.Array) -> pa.Table:
    """Take out rows of PostgreSQL that are too large and not on the Hub: no run can bring them there."""
    missing = pc.invert(pc.is_in(rows["id"], value_set=there["id"].combine_chunks()))
    return rows.filter(pc.invert(pc.and_(missing, pc.is_in(rows["id"], value_set=too_large))))


def _with_digests(rows: pa.Table, digests: pa.Table) -> pa.Table:
    """Put the digests that were made of whole rows of PostgreSQL to their ids."""
    at = pc.index_in(rows["id"].combine_chunks(), value_set=digests["id"].combine_chunks())
    return rows.set_column(2, ROWS_SCHEMA.field(2), digests["digest"].combine_chunks().take(at))
