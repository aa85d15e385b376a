"""Orphans: rows that PostgreSQL has nowhere and that no sync of a day reaches. A compaction removes them by approval.

They have no time, or one before the first day. What else PostgreSQL has nowhere is under a day, and goes by its sync.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day
from govbr_assets.dataset.changeset import RemovalApproval
from govbr_assets.errors import HubConflictError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.operations.compact.duplicates import Tables
from govbr_assets.operations.sync.guard import used_removals

_LOOKED_UP = 1_000  # ids that PostgreSQL is asked for at a time
_MORE = 100_000  # ids in memory beside those that may go: some can have another row, under a day


@dataclass(frozen=True)
class OrphanRemoval:
    """By which approval orphans go.

    Attributes:
        approved: how many rows may be removed, of all time, although the guard would retain them.
        first: the first day that is synced.
        existing: tells which of some ids PostgreSQL has a row of, under either id, whatever its day.
    """

    approved: int
    first: Day
    existing: Callable[[Sequence[str]], set[str]]

    def approval(self, client: RepoClient, snapshot: Snapshot, removed: int) -> RemovalApproval:
        """Return the approval that a commit uses.

        Args:
            client: of the repo.
            snapshot: that the commit is planned at.
            removed: how many rows it removes.

        Raises:
            HubConflictError: others have used it meanwhile.
        """
        found = RemovalApproval(self.approved, used_removals(client, snapshot.revision) + removed, removed)
        if found.used > found.approved:
            raise HubConflictError(
                f"{client.repo_id} lost rows by the approval of {self.approved} meanwhile: try again."
            )
        return found


def find_orphans(
    streams: Sequence[Tables], removal: OrphanRemoval | None, snapshot: Snapshot, client: RepoClient, log: Log
) -> tuple[pa.Array, set[str]]:
    """Find the orphans that may go: all of them or none.

    Args:
        streams: tables with `unique_id`, `published_at` and `source`, together of all files.
        removal: by which approval; None finds none, and asks nobody.
        snapshot: whose history tells what is used of the approval.
        client: of the repo.
        log: gets a sentence if they are more than are approved.

    Returns:
        Their ids, each once, and the files that hold them.
    """
    nothing: tuple[pa.Array, set[str]] = pa.array([], pa.string()), set[str]()
    left = removal.approved - used_removals(client, snapshot.revision) if removal else 0
    if removal is None or left <= 0:
        return nothing
    found = set[str]()
    for ids in _batches(streams, removal.first):
        found |= {*ids} - removal.existing(ids)
        if len(found) > left + _MORE:
            break
    else:
        orphans, files = _without_dated(streams, found, removal.first) if found else nothing
        if len(orphans) <= left:
            return orphans, files
    log(f"More than {left} rows without a day are in PostgreSQL nowhere, and no more may be removed: all stay.")
    return nothing


def _batches(streams: Sequence[Tables], first: Day) -> Iterator[list[str]]:
    """List the ids of rows that no sync reaches, some at a time."""
    waiting = list[str]()
    for table in (table for stream in streams for table in stream()):
        waiting += table["unique_id"].filter(_out_of_reach(table, first)).to_pylist()
        while len(waiting) >= _LOOKED_UP:
            yield waiting[:_LOOKED_UP]
            waiting = waiting[_LOOKED_UP:]
    if waiting:
        yield waiting


def _without_dated(streams: Sequence[Tables], found: set[str], first: Day) -> tuple[pa.Array, set[str]]:
    """Leave out ids that another row has under a day: one of both goes as a duplicate, and the other by its sync."""
    ids, sources, dated = pa.array(sorted(found), pa.string()), set[str](), set[str]()
    for table in (table for stream in streams for table in stream()):
        rows = table.filter(pc.is_in(table["unique_id"], ids))
        sources |= {*pc.unique(rows["source"]).to_pylist()}
        dated |= {*rows["unique_id"].filter(pc.invert(_out_of_reach(rows, first))).to_pylist()}
    return pa.array(sorted(found - dated), pa.string()), sources


def _out_of_reach(rows: pa.Table, first: Day) -> pa.ChunkedArray:
    """Mark rows without a time, or with one before the first day: [n rows] of bool."""
    times = rows["published_at"]
    return pc.fill_null(pc.less(times, pa.scalar(first.start, times.type)), True)
