"""What an operation plans: the changes of one commit to a dataset, and the report of what they mean; values only."""

import re
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from govbr_assets.core.layout import is_parquet
from govbr_assets.core.releases import Release
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.snapshot import DataFile, Snapshot

REMOVED_ROWS, CHANGED_ROWS, UNSELECTED_FILES = "Removed-Rows", "Changed-Rows", "Unselected-Files"
"""Trailers of a commit: how many rows left the dataset or have another content, how many files wait for deletion."""

RENAMED_ROWS = "Renamed-Rows"
"""A trailer as well: how many ids are not there any more because their rows have other ones now."""

RESTORED_FILES = "Restored-Files"
"""A trailer as well: how many files are again as they were, so that nobody has counted which rows changed."""

_VISIBLE_ROWS = re.compile(r"^Rows: (\d+) -> (\d+)$", re.MULTILINE)

_APPROVAL = re.compile(r"^Approved-Removals: (\d+)\nUsed-Removals: (\d+)$", re.MULTILINE)

_SOURCE = re.compile(r"^Source-Revision: ([0-9a-f]{40})\nSource-Projection: ([0-9a-f]{8})$", re.MULTILINE)

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


class SourceRevision(NamedTuple):
    """Which revision of the full dataset a projection mirrors wholly, and which projection it is: trailers as well."""

    revision: str
    projection: str

    def __str__(self) -> str:
        return f"Source-Revision: {self.revision}\nSource-Projection: {self.projection}"

    @classmethod
    def parse(cls, message: str) -> "SourceRevision | None":
        """Read the trailers of a commit message; None if they are not there."""
        found = _SOURCE.search(message)
        return cls(found[1], found[2]) if found else None


class RemovalApproval(NamedTuple):
    """How many rows somebody has approved to be removed, of all time, and how many have been: trailers as well.

    Attributes:
        approved: rows that may be removed although the guard would retain them.
        used: how many of them this commit and those before it have removed.
        rows: how many of them this commit removes; 0 if it was read from a message, which does not say it.
    """

    approved: int
    used: int
    rows: int = 0

    def __str__(self) -> str:
        return f"Approved-Removals: {self.approved}\nUsed-Removals: {self.used}"

    @classmethod
    def parse(cls, message: str) -> "RemovalApproval | None":
        """Read the trailers of a commit message; None if they are not there."""
        found = _APPROVAL.search(message)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class Changeset(FileChanges, Generic[R_co]):
    """What one commit changes in a dataset.

    Attributes:
        report: what the changes mean: of days, of a compaction, of a restore.
        removed_rows: rows that leave the dataset, a trailer of the commit, so that they can be counted.
        changed_rows: rows whose content is another one, or that belong to another day; likewise.
        renamed_rows: ids that go because their rows have other ones now; likewise, and the changelog gets an entry.
        unselect: files of ours that the card selects no more, and that stay for a later commit to delete.
        like: what the card says of the files becomes what it says at this revision.
        allow_incompatible: files that break readers block nothing: the commit restores or replaces such files.
        release: whether the commit is a release: its card is brought up to date, and the changelog gets an entry.
        mirrors_release: whether the commit mirrors a release of the full dataset: its card is brought up to date too.
        visible_rows: how many rows readers see before and after; None until it is counted.
        source: of a projection: what it mirrors after the commit.
        approval: by which rows are removed that the guard would retain; None if there are none.
    """

    report: R_co = field(kw_only=True)
    removed_rows: int = 0
    changed_rows: int = 0
    renamed_rows: int = 0
    unselect: frozenset[str] = frozenset()
    like: Snapshot | None = None
    allow_incompatible: bool = False
    release: Release = field(default_factory=Release)
    mirrors_release: bool = False
    visible_rows: VisibleRows | None = None
    source: SourceRevision | None = None
    approval: RemovalApproval | None = None

    @property
    def describes(self) -> bool:
        """Whether what the card says of the rows is brought up to date."""
        return bool(self.release.name) or self.mirrors_release

    @property
    def description(self) -> str:
        """The trailers of the commit message."""
        counts = {
            REMOVED_ROWS: self.removed_rows,
            CHANGED_ROWS: self.changed_rows,
            RENAMED_ROWS: self.renamed_rows,
            UNSELECTED_FILES: len(self.unselect),
            RESTORED_FILES: len(self.data_copies) + len(self.delete) if self.like else 0,
        }
        trailers = [f"{name}: {count}" for name, count in counts.items() if count]
        trailers += [str(self.visible_rows)] if self.visible_rows else []
        trailers += [str(each) for each in (self.source, self.approval) if each]
        return "\n".join([*trailers, *self.release.trailers])

    def data_paths(self, snapshot: Snapshot) -> set[str]:
        """The data files of the dataset after the commit on a snapshot."""
        stay = {file.path for file in snapshot.data_files}.difference(self.delete, self.unselect)
        return stay | {*filter(is_parquet, self.put), *(each.path for each in self.data_copies)}

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
