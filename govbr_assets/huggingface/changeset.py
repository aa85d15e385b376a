"""What one commit changes, as a value; asks nobody anything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from govbr_assets.core.layout import is_parquet
from govbr_assets.huggingface.blob import Blob, size_of
from govbr_assets.huggingface.snapshot import DataFile, DataFileAt, Snapshot

REMOVED_ROWS, UNSELECTED_FILES = "Removed-Rows", "Unselected-Files"
"""Trailers of a commit: how many rows have left the dataset, and how many files that were ours wait for deletion."""

_SEEN = re.compile(r"^Rows: (\d+) -> (\d+)$", re.MULTILINE)


class Seen(NamedTuple):
    """How many rows readers see before a commit and after it; a commit tells it as git's trailers are written."""

    before: int
    after: int

    def __str__(self) -> str:
        return f"Rows: {self.before} -> {self.after}"

    @classmethod
    def told_in(cls, message: str) -> "Seen | None":
        """Read what a commit tells; None if it is none of ours."""
        found = _SEEN.search(message)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class Changeset:
    """What one commit changes.

    Attributes:
        put: content by path, for new and for replaced files.
        delete: paths that go; each is in the snapshot that the edit was made at.
        copy: files that come back as they were at an older revision; nothing of them is uploaded.
        removed: rows that leave the dataset, which the commit tells, so that they can be counted: `Hub.removed_since`.
        unselect: files of ours that the card selects no more, and that stay for a later commit to delete.
        like: what the card says of the files becomes what it says at this revision.
        lenient: files that break readers are told of and refuse nothing: the commit brings them back, or mends others.
        fresh: of large files that are put, which bytes are new to the Hub, as far as it is known.
        summary: first line of the commit message.
        seen: how many rows readers see before and after; None until it is counted.
    """

    put: Mapping[str, Blob] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    copy: tuple[DataFileAt, ...] = ()
    removed: int = 0
    unselect: frozenset[str] = frozenset()
    like: Snapshot | None = None
    lenient: bool = False
    fresh: Mapping[str, Sequence[range]] = field(default_factory=dict)
    summary: str = ""
    seen: Seen | None = None

    @property
    def paths(self) -> list[str]:
        """The paths that it speaks of."""
        return [*self.put, *(each.file.path for each in self.copy), *self.delete]

    @property
    def description(self) -> str:
        """What the commit tells below its first line."""
        told = {REMOVED_ROWS: self.removed, UNSELECTED_FILES: len(self.unselect)}
        trailers = [f"{name}: {count}" for name, count in told.items() if count]
        return "\n".join([*trailers, *([str(self.seen)] if self.seen else [])])

    @property
    def data_copies(self) -> list[DataFileAt]:
        """The files of the dataset out of those that come back."""
        of_old = None if self.like is None else self.like.scope.ours.files
        return [
            each for each in self.copy if (is_parquet(each.file.path) if of_old is None else each.file.path in of_old)
        ]

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.put and not self.delete and not self.copy

    @property
    def size(self) -> int:
        """Bytes of the new and the replaced files."""
        return sum(map(size_of, self.put.values()))

    def breaches(self, files: Mapping[str, DataFile]) -> list[str]:
        """Say in which files a revision is not what it should be after this edit.

        Args:
            files: by path; of the revision all, or those of `paths`.

        Returns:
            Such as "data/x.parquet is missing"; empty if the revision holds all of the edit.
        """
        wrong = [path for path, content in self.put.items() if path in files and not files[path].holds(content)]
        wrong += [each.file.path for each in self.copy if files.get(each.file.path, each.file) != each.file]
        missing = [path for path in self.paths if path not in files and path not in self.delete]
        return [
            *(f"{path} is missing" for path in missing),
            *(f"{path} is another file" for path in wrong),
            *(f"{path} is still there" for path in self.delete if path in files),
        ]
