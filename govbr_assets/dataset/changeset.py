"""What an operation plans: the changes of one commit to a dataset, and the report of what they mean; values only."""

import re
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from govbr_assets.core.layout import is_parquet
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.snapshot import DataFile, Snapshot

REMOVED_ROWS, UNSELECTED_FILES = "Removed-Rows", "Unselected-Files"
"""Trailers of a commit: how many rows have left the dataset, and how many files that were ours wait for deletion."""

_VISIBLE_ROWS = re.compile(r"^Rows: (\d+) -> (\d+)$", re.MULTILINE)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class VisibleRows(NamedTuple):
    """How many rows readers see before a commit and after it, which is a trailer of the commit."""

    before: int
    after: int

    def __str__(self) -> str:
        return f"Rows: {self.before} -> {self.after}"

    @classmethod
    def parse(cls, message: str) -> "VisibleRows | None":
        """Read the trailer of a commit message; None if there is none."""
        found = _VISIBLE_ROWS.search(message)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class Changeset(FileChanges, Generic[R_co]):
    """What one commit changes in a dataset.

    Attributes:
        report: what the changes mean: of days, of a compaction, of a restore.
        removed_rows: rows that leave the dataset, a trailer of the commit, so that they can be counted.
        unselect: files of ours that the card selects no more, and that stay for a later commit to delete.
        like: what the card says of the files becomes what it says at this revision.
        allow_incompatible: files that break readers block nothing: the commit restores or replaces such files.
        visible_rows: how many rows readers see before and after; None until it is counted.
    """

    report: R_co = field(kw_only=True)
    removed_rows: int = 0
    unselect: frozenset[str] = frozenset()
    like: Snapshot | None = None
    allow_incompatible: bool = False
    visible_rows: VisibleRows | None = None

    @property
    def description(self) -> str:
        """The trailers of the commit message."""
        counts = {REMOVED_ROWS: self.removed_rows, UNSELECTED_FILES: len(self.unselect)}
        trailers = [f"{name}: {count}" for name, count in counts.items() if count]
        return "\n".join([*trailers, *([str(self.visible_rows)] if self.visible_rows else [])])

    @property
    def data_copies(self) -> list[DataFile]:
        """The files of the dataset out of those that come back."""
        of_old = None if self.like is None else self.like.scope.ours.files
        return [each for each in self.copy if (is_parquet(each.path) if of_old is None else each.path in of_old)]


class Operation(Protocol[R_co]):
    """A change of a dataset: sync, compaction, restore."""

    def plan(self, snapshot: Snapshot) -> Changeset[R_co]:
        """Plan the next commit as a function of the snapshot; called again at another one if the head moved."""
        ...
