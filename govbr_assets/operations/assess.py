"""The assessment of a dataset that is to be made equal to PostgreSQL, whoever wrote it: all is read, nothing written.

It is a deep reconciliation, and of the days whose rows differ a comparison of columns. What the numbers mean, and the
text of them, belong to `core.assessment`.
"""

from collections.abc import Sequence
from datetime import date
from math import ceil

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.assessment import Assessment
from govbr_assets.core.date_ranges import cover
from govbr_assets.core.day_counts import closed, differing
from govbr_assets.core.days import Day
from govbr_assets.core.layout import CARD_PATH, CHANGELOG_PATH
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.reach import check_movable, out_of_pattern
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.commit import COMMIT_FILES, Log
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io import memory
from govbr_assets.operations.compact.sources import sources
from govbr_assets.operations.reconcile.columns import column_differences
from govbr_assets.operations.reconcile.plan import Reconciled, reconcile
from govbr_assets.operations.sync.batches import COMMIT_DAYS
from govbr_assets.operations.sync.guard import removals_to_approve, used_removals
from govbr_assets.operations.sync.plan import COMMIT_BYTES
from govbr_assets.postgres.news import NewsTable

_COMPARED, _COMPACTED, _DAYS, _COMMITS = 8_000, 6_000, 7.5, 0.3
"""What is done in a second: rows compared as a whole, rows compacted, days synced, commits made. The first three are
the figures of `make bench` on two cores (`reconcile` deep, `compaction`, `backfill`); a commit of the Hub's takes some
seconds."""

_ROW_BYTES = 1_200
"""Of a row in a file, for a dataset without rows."""

_ABOUT_THE_DATASET = {CARD_PATH, CHANGELOG_PATH, ".gitattributes"}
"""Files of a repo that say something of the dataset, and are no part of it."""


def assess(
    dataset: Dataset,
    snapshot: Snapshot,
    postgres: NewsTable,
    today: Day,
    first: Day,
    log: Log = lambda _: None,
) -> Assessment:
    """Find out what it takes to make a dataset equal to PostgreSQL, in memory that does not grow with either.

    Args:
        dataset: the dataset.
        snapshot: the revision to look at.
        postgres: the database.
        today: whose shard is not compacted, and whose rows are not repaired.
        first: the first day that is synced.
        log: called with a sentence when a side has been read.

    Raises:
        ContractError: a file cannot be read in the published schema; the message names file, column, row and value.
        TransientError: one of the two is out of reach.
        NoRoomError: the disk for temporary files is too small.
    """
    found = reconcile(dataset, snapshot, postgres, deep=True, log=log)
    changed = _days(found, pc.greater(found.days["changed"], 0))
    log(f"Days with rows that say something else on the Hub: {len(changed):,}.")
    memory.trim_heap()
    columns = column_differences(dataset, snapshot, postgres, list(map(Day, changed)))
    memory.trim_heap()
    moved = [file.path for file in out_of_pattern(snapshot)]
    shards = [file.path for file in sources(snapshot, today, dataset.spec.layout).shards]
    compacted = sorted({*found.uncompacted, *shards}.difference(moved))
    ours, totals = {file.path for file in snapshot.data_files}, found.totals
    undated = totals["undated_surplus"] - found.undated_duplicates
    over = closed(found.days, today)
    days, missing = differing(over)["day"].to_pylist(), pc.sum(over["missing"]).as_py() or 0
    commits = _compaction_commits(dataset, found, len(moved) + len(compacted)) + _sync_commits(snapshot, found, days)
    return Assessment(
        dataset.client.repo_id,
        snapshot.revision or "",
        totals["hub_rows"],
        totals["postgres_rows"],
        moved=moved,
        compacted=compacted,
        standing=sorted(ours.difference(moved, compacted)),
        others=others(snapshot),
        duplicates=totals["duplicated"] + found.undated_duplicates,
        renamed=found.renamed,
        removals=totals["surplus"] + undated,
        approval=removals_to_approve(dataset.client, snapshot.revision, found.days, undated, first),
        used=used_removals(dataset.client, snapshot.revision) if snapshot.revision else 0,
        undated=undated,
        missing=missing,
        missing_days=over["day"].filter(_missing(over)).to_pylist(),
        waiting=totals["missing"] - missing,
        replaced=totals["moved"],
        changed=totals["changed"],
        columns=columns,
        unpublishable=found.left_out.rows,
        rejected={str(day): reason for day, reason in found.rejected.items()},
        days=len(days),
        commits=commits,
        minutes=ceil(_seconds(found, len(days), commits, compacts=bool(moved or compacted)) / 60),
        problem=_problem(dataset, snapshot),
    )


def others(snapshot: Snapshot) -> list[str]:
    """Name the files of a repo that are no part of the dataset and say nothing of it: they stay as they are."""
    return sorted(snapshot.files.keys() - {file.path for file in snapshot.data_files} - _ABOUT_THE_DATASET)


def _missing(days: pa.Table) -> pa.ChunkedArray:
    """Mark the days of which only PostgreSQL has rows."""
    return pc.and_(pc.equal(days["hub_rows"], 0), pc.greater(days["postgres_rows"], 0))


def _days(found: Reconciled, mask: pa.ChunkedArray) -> list[date]:
    """List some of the days that were compared."""
    return found.days["day"].filter(mask).to_pylist()


def _compaction_commits(dataset: Dataset, found: Reconciled, files: int) -> int:
    """Return about how many commits replace files by those of periods."""
    days = _days(found, pc.greater(found.days["hub_rows"], 0))
    periods = len({dataset.spec.layout.period_of_day(Day(day)) for day in days})
    return ceil(files / max(1, COMMIT_FILES - periods))


def _sync_commits(snapshot: Snapshot, found: Reconciled, days: Sequence[date]) -> int:
    """Return about how many commits publish days, run by run as the repair does."""
    rows = found.totals["hub_rows"]
    size = sum(file.size for file in snapshot.data_files) / rows if rows else _ROW_BYTES
    new = set(_days(found, pc.greater(found.days["missing"], 0)))
    runs = [[day for day in days if day in span] for span in cover(days)]
    of_each = (max(len(run) / COMMIT_DAYS, len(new.intersection(run)) / COMMIT_FILES) for run in runs)
    return max(sum(map(ceil, of_each)), ceil(found.totals["missing"] * size / COMMIT_BYTES))


def _seconds(found: Reconciled, days: int, commits: int, *, compacts: bool) -> float:
    """Return about how long it takes, with a deep reconciliation before and after."""
    rows = found.totals["hub_rows"]
    compared = 2 * max(rows, found.totals["postgres_rows"]) / _COMPARED
    return compared + (rows / _COMPACTED if compacts else 0) + days / _DAYS + commits / _COMMITS


def _problem(dataset: Dataset, snapshot: Snapshot) -> str:
    """Return why a compaction cannot move the dataset; empty if it can."""
    try:
        check_movable(dataset, snapshot)
    except ContractError as error:
        return str(error)
    return ""
