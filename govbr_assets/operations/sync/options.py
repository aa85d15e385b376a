"""What becomes of a day on the Hub, and what may be chosen about it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

from govbr_assets.io.staged import Rows


class DeletePolicy(Enum):
    """What becomes of rows on the Hub that PostgreSQL has nowhere."""

    apply = "apply"
    """They are removed, if they are not too many to be believed."""
    keep = "keep"
    """They stay."""


class UncompactedPolicy(Enum):
    """What becomes of a day of which rows lie in files that only a fold may change."""

    stop = "stop"
    """It is refused by name."""
    fold = "fold"
    """The whole dataset is folded first, in this run."""
    leave = "leave"
    """They stay as they are, whatever they say, and the other rows are published beside them."""


@dataclass(frozen=True)
class SyncOptions:
    """How a day is made true.

    Attributes:
        find: reads the rows of PostgreSQL that ids name, of whatever day: [n rows x 25].
        too_large: tells which ids name rows of PostgreSQL that are too large to be published.
        removals: of rows that are nowhere.
        allow_removals: however many they are.
        unfolded: of rows that cannot be changed.
    """

    find: Callable[[Sequence[str]], Rows]
    too_large: Callable[[Sequence[str]], set[str]] = lambda _: set()
    removals: DeletePolicy = DeletePolicy.apply
    allow_removals: bool = False
    unfolded: UncompactedPolicy = UncompactedPolicy.stop


@dataclass
class DayChanges:
    """The plan of a day.

    Attributes:
        added: rows, by their id in PostgreSQL, that no file held.
        changed: rows whose content differed, with the columns in which it did.
        moved_in: rows that stood under another day, or in another shard.
        moved_out: rows, by their id on the Hub, that belong to another day and go there.
        removed: rows, by their id on the Hub, that are nowhere in PostgreSQL.
        kept: such rows that stay.
        doubled: how many rows go because the same one stays.
        unfolded: how many rows cannot be changed before a fold.
    """

    added: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    moved_in: list[str] = field(default_factory=list)
    moved_out: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    doubled: int = 0
    unfolded: int = 0

    @property
    def columns(self) -> Counter[str]:
        """In how many rows each column differed."""
        return Counter(name for names in self.changed.values() for name in names)

    def __bool__(self) -> bool:
        """Say whether the Hub is to change."""
        return bool(self.added or self.changed or self.moved_in or self.moved_out or self.removed or self.doubled)


@dataclass(frozen=True)
class DayReport:
    """A day at one revision: of its rows only what is told about them, as many such days wait for one commit.

    Attributes:
        path: of the day's own shard.
        rows: how many it has.
        preview: [up to 5 rows x 4], its first ones.
        postgres_rows: rows of the Postgres day.
        bytes: of the shard's file if it is written; 0 if it stays as it is or goes.
        changes: the plan of the day.
        touched: every id that may have come or gone somewhere.
        withheld: why a part of the plan is not carried out; empty if all is.
    """

    path: str
    rows: int
    preview: pa.Table
    postgres_rows: int
    bytes: int
    changes: DayChanges
    touched: list[str]
    withheld: str = ""
