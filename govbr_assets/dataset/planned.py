"""The removals that a dry run has planned so far, which the history of the repo does not tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from govbr_assets.dataset.changeset import Changeset


@dataclass
class PlannedRemovals:
    """Removals of the commits that a dry run would have made before the one that it plans.

    Attributes:
        removed: rows that need no approval.
        used: of an approval, of all time; 0 if none is.
    """

    removed: int = 0
    used: int = 0
    _within: int = field(default=0, repr=False)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count those of all commits that are planned in this context, and none after it; contexts may be nested."""
        self._within += 1
        try:
            yield
        finally:
            self._within -= 1
            if not self._within:
                self.removed = self.used = 0

    def add(self, changeset: Changeset[object]) -> None:
        """Take a commit that was planned."""
        if self._within:
            self.removed += changeset.removed_rows - (changeset.approval.rows if changeset.approval else 0)
            self.used = changeset.approval.used if changeset.approval else self.used
