"""Releases: how they are called, what a commit says of the release that it is, and how many rows changed since one.

Counts come from trailers of the commits in between. What a commit of somebody else's did to rows, or a restore, nobody
has counted, and so nothing is said of the rows of such a period but the totals.
"""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from govbr_assets.core.days import Day

RELEASE, RELEASE_BEFORE = "Release", "Release-Before"
"""Trailers of a commit: the tag that it gets, and the release of the tag that its parent gets."""

NAME = r"\d{4}\.\d{2}\.\d{2}(?:\.[1-9]\d{0,5})?"
"""A pattern of the names of releases."""

_RELEASE = re.compile(rf"^Release: ({NAME})$", re.MULTILINE)
_BEFORE = re.compile(rf"^Release-Before: ({NAME})$", re.MULTILINE)


def release_name(day: Day) -> str:
    """Name the release of a day, such as `2026.01.20`."""
    return day.date.isoformat().replace("-", ".")


def next_name(name: str, last: str) -> str:
    """Name a release that follows another one: `2026.01.20.1` is the second one of a day.

    Args:
        name: that its day gives it.
        last: the release before it; empty if there is none.

    Returns:
        The name, or, if it would not come after the last one, the last one's with the next number.
    """
    if _order(last) < _order(name):
        return name
    number = _order(last)[3:]
    return f"{last[: len(name)]}.{number[0] + 1 if number else 1}"


def newest_release(names: Iterable[str]) -> str:
    """Return the newest of the names, such as tags, that are those of releases; empty if none is."""
    return max((each for each in names if re.fullmatch(NAME, each)), default="", key=_order)


def name_before(release: str) -> str:
    """Name the state before a change of the whole dataset, such as `before-2026.01.20`.

    Args:
        release: that the change is.
    """
    return f"before-{release}"


def _order(name: str) -> tuple[int, ...]:
    """Return what the names of releases are ordered by."""
    return tuple(int(part) for part in name.split(".") if part)


@dataclass(frozen=True)
class Release:
    """What a commit says of releases.

    Attributes:
        name: of the release that it is; empty if it is none.
        before: of the release before which its parent is the state; empty if it is not.
    """

    name: str = ""
    before: str = ""

    @classmethod
    def parse(cls, message: str) -> "Release":
        """Read the trailers of a commit message."""
        name, before = _RELEASE.search(message), _BEFORE.search(message)
        return cls(name[1] if name else "", before[1] if before else "")

    def after(self, last: str, taken: Container[str] = ()) -> "Release":
        """Name it after the release before it, as in `next_name`, and as no tag that is taken."""
        day = self.name or self.before
        name = next_name(day, last)
        while name in taken:
            name = next_name(day, name)
        return Release(self.name and name, self.before and name)

    @property
    def trailers(self) -> list[str]:
        """The lines of the commit message."""
        named = {RELEASE: self.name, RELEASE_BEFORE: self.before}
        return [f"{trailer}: {value}" for trailer, value in named.items() if value]


@dataclass(frozen=True)
class RowCounts:
    """How many rows a commit added, changed and removed.

    Attributes:
        added: rows that were not there before.
        changed: rows whose content is another one.
        removed: rows that are not there any more, duplicates among them.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0

    @classmethod
    def of(cls, before: int, after: int, *, changed: int = 0, removed: int = 0) -> "RowCounts":
        """Count what a commit did.

        Args:
            before: rows that readers see before it.
            after: rows that they see after it.
            changed: rows with another content.
            removed: rows that it removed for good; others may have gone as duplicates, or by a restore.
        """
        added = after - before + removed
        return cls(max(0, added), changed, removed + max(0, -added))

    def __add__(self, other: "RowCounts") -> "RowCounts":
        return RowCounts(self.added + other.added, self.changed + other.changed, self.removed + other.removed)


@dataclass(frozen=True)
class ChangesSince:
    """What happened to rows since a release.

    Attributes:
        name: of the release; empty if there is none.
        counts: of rows; None if there is a commit in between whose rows nobody has counted.
        uncounted: how many such commits there are.
        renamed: ids that are not there any more because their rows have other ones.
        restored: an earlier revision was brought back, and what is renamed was renamed after that.
    """

    name: str = ""
    counts: RowCounts | None = None
    uncounted: int = 0
    renamed: int = 0
    restored: bool = False

    @classmethod
    def of(cls, name: str, commits: Iterable[RowCounts | None]) -> "ChangesSince":
        """Add up commits since a release.

        Args:
            name: of the release.
            commits: what each did; None for one whose rows nobody has counted.
        """
        found = list(commits)
        known = [counts for counts in found if counts is not None]
        uncounted = len(found) - len(known)
        return cls(name, None if uncounted else sum(known, RowCounts()), uncounted)
