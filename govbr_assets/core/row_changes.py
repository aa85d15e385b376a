"""What becomes of the rows of a day: one list, from which counts, affected ids and the edits of files are derived.

`diff` makes the list and, for rows that PostgreSQL lacks, `operations.sync.deletes`.
"""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property


class Action(Enum):
    """What becomes of a row."""

    ADD = "add"
    """No file has it: it comes into a file."""
    CHANGE = "change"
    """Its file has another version, or has it several times under one id: it is written again."""
    MOVE_IN = "move in"
    """Another file has it, or the same one under another day: it comes to where this day is looked for."""
    MOVE_OUT = "move out"
    """It belongs to another day, and goes there."""
    REMOVE = "remove"
    """PostgreSQL has it nowhere: it leaves the dataset."""
    RETAIN = "retain"
    """PostgreSQL has it nowhere: it stays all the same."""
    DROP_DUPLICATE = "drop duplicate"
    """The same row stays elsewhere: this one goes."""
    LEAVE_UNCOMPACTED = "leave uncompacted"
    """It is in a file that only a compaction may change: it stays, with whatever content."""


_WITHOUT_EFFECT = {Action.RETAIN, Action.LEAVE_UNCOMPACTED}


@dataclass(frozen=True, slots=True)
class RowChange:
    """What becomes of one row, at one of the places where it is.

    Attributes:
        action: what becomes of it.
        unique_id: its id in PostgreSQL; None if it is nowhere there, or does not matter.
        hub_id: its id on the Hub; None if no file has it.
        source: the file that it is in; None if there is none.
        target: the file that it comes into; None if it comes into none.
        columns: those in which the version on the Hub differs.
    """

    action: Action
    unique_id: str | None = None
    hub_id: str | None = None
    source: str | None = None
    target: str | None = None
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The id by which people look for it: in PostgreSQL if the row is of this day, else on the Hub."""
        of_hub = self.action in {Action.MOVE_OUT, Action.REMOVE, Action.RETAIN, Action.DROP_DUPLICATE}
        return (self.hub_id if of_hub else self.unique_id) or ""


@dataclass(frozen=True)
class RowChanges:
    """What becomes of the rows of a day; rows that stay as they are, where they are, are not in it.

    Attributes:
        rows: one for each row and each place where it is.
    """

    rows: tuple[RowChange, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the Hub is to change."""
        return any(each.action not in _WITHOUT_EFFECT for each in self.rows)

    def ids(self, action: Action) -> list[str]:
        """List the rows with an action by their names, each once."""
        return list(dict.fromkeys(each.name for each in self.rows if each.action is action))

    def count(self, action: Action) -> int:
        """Count the rows with an action, each once."""
        return len(self.ids(action))

    @cached_property
    def changed(self) -> dict[str, tuple[str, ...]]:
        """The columns that differ, by the id of each row in PostgreSQL whose content is another one."""
        return {each.name: each.columns for each in self.rows if each.action is Action.CHANGE and each.columns}

    @property
    def columns(self) -> Counter[str]:
        """In how many rows each column differs."""
        return Counter(name for names in self.changed.values() for name in names)

    @property
    def moved_from(self) -> Counter[str]:
        """How many rows come to this day from each file."""
        return Counter(each.source for each in self.rows if each.action is Action.MOVE_IN and each.source)

    @property
    def moved_to(self) -> Counter[str]:
        """How many rows go to another day, by the file that they go to; not those that are there already."""
        return Counter(each.target for each in self.rows if each.action is Action.MOVE_OUT and each.target)

    @property
    def renamed(self) -> set[str]:
        """The ids on the Hub that go because PostgreSQL has their rows under other ones."""
        return {
            each.hub_id
            for each in self.rows
            if each.hub_id and each.unique_id not in (None, each.hub_id) and each.action not in _WITHOUT_EFFECT
        }

    @property
    def duplicates(self) -> int:
        """How many rows go because the same one stays."""
        return sum(each.action is Action.DROP_DUPLICATE for each in self.rows)

    @property
    def deletes(self) -> dict[str, list[str]]:
        """The ids that leave each file, by path."""
        found: dict[str, list[str]] = {}
        for each in self.rows:
            if each.source is not None and each.hub_id is not None and each.action not in _WITHOUT_EFFECT:
                found.setdefault(each.source, []).append(each.hub_id)
        return found

    @property
    def inserts(self) -> dict[str, list[str]]:
        """The rows that come into each file, by path and by their ids in PostgreSQL."""
        found: dict[str, dict[str, None]] = {}
        for each in self.rows:
            if each.target is not None and each.unique_id is not None:
                found.setdefault(each.target, {})[each.unique_id] = None
        return {path: list(ids) for path, ids in found.items()}

    def retaining(self, hub_ids: Container[str]) -> "RowChanges":
        """Retain some of the rows that were to be removed, by their ids on the Hub."""
        removed = (each.action is Action.REMOVE and (each.hub_id or "") in hub_ids for each in self.rows)
        pairs = zip(self.rows, removed, strict=True)
        return RowChanges(tuple(replace(each, action=Action.RETAIN) if stays else each for each, stays in pairs))

    def without_target(self, moved: Container[str]) -> "RowChanges":
        """Say of rows that move to another day that they are there already, by their ids in PostgreSQL."""
        there = (each.action is Action.MOVE_OUT and (each.unique_id or "") in moved for each in self.rows)
        pairs = zip(self.rows, there, strict=True)
        return RowChanges(tuple(replace(each, target=None) if gone else each for each, gone in pairs))
