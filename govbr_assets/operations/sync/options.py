"""What may be chosen about the sync of a day, and what is reported of a day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

from govbr_assets.core.row_changes import RowChanges
from govbr_assets.io.staged import Rows


class DeletePolicy(Enum):
    """What becomes of rows on the Hub that PostgreSQL has nowhere."""

    apply = "apply"
    """They are removed, if they are not too many to be believed."""
    keep = "keep"
    """They stay."""


class UncompactedPolicy(Enum):
    """What becomes of a day of which rows lie in files that only a compaction may change."""

    stop = "stop"
    """It is rejected by name."""
    leave = "leave"
    """They stay as they are, whatever they say, and the other rows are published beside them."""
    fold = "fold"
    """No option any more: run config takes it, so that a run that still sets it can say what to run instead."""


@dataclass(frozen=True)
class SyncOptions:
    """How a day is made equal to PostgreSQL.

    Attributes:
        find: reads the rows of PostgreSQL that ids name, of whatever day: [n rows x 25].
        too_large: tells which ids name rows of PostgreSQL that are too large to be published.
        removals: what becomes of rows that PostgreSQL has nowhere.
        allow_removals: remove them however many they are.
        approved_removals: how many rows may be removed, of all time, although the guard would retain them.
        uncompacted: what becomes of rows that cannot be changed.
    """

    find: Callable[[Sequence[str]], Rows]
    too_large: Callable[[Sequence[str]], set[str]] = lambda _: set()
    removals: DeletePolicy = DeletePolicy.apply
    allow_removals: bool = False
    approved_removals: int = 0
    uncompacted: UncompactedPolicy = UncompactedPolicy.stop

    @property
    def guards_deletes(self) -> bool:
        """Whether rows are removed, and not more than can be believed or are approved."""
        return self.removals is DeletePolicy.apply and not self.allow_removals


@dataclass(frozen=True)
class DayReport:
    """A day at one revision: of its rows only what is reported, as many such days wait for one commit.

    Attributes:
        path: of the day's own shard.
        rows: how many it has.
        preview: [up to 5 rows x 4], its first ones.
        postgres_rows: rows of the Postgres day.
        bytes: of the shard's file if it is written; 0 if it stays as it is or goes.
        changes: what becomes of the rows of the day.
        uncompacted: how many rows cannot be changed before a compaction.
        blocked: why a part of the changes is not carried out; empty if all is.
        guard: why rows of the day may only be removed by approval; empty if there are none.
    """

    path: str
    rows: int
    preview: pa.Table
    postgres_rows: int
    bytes: int
    changes: RowChanges
    uncompacted: int = 0
    blocked: str = ""
    guard: str = ""
