"""One year's file: months without a change are copied byte for byte, the others are made anew from their rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import pyarrow as pa

from govbr_assets.core.layout import year_path
from govbr_assets.core.row_group_copy import RowGroup, row_groups, splice
from govbr_assets.errors import ContractError
from govbr_assets.io import memory
from govbr_assets.operations.compact.spill import Share
from govbr_assets.operations.rewrite.months import MonthWriter, NewMonth, OldYear
from govbr_assets.operations.verify import Division, Ledger, RowChecksum, prove, prove_copied


@dataclass
class BuiltYear:
    """What became of a year.

    Attributes:
        year: which one.
        path: the file that was made; None if no row is left.
        months: of each of its row groups.
        rows: how many it has.
        fresh: the bytes of row groups that were made anew, before the upload finds what it knows in them.
        dropped: rows of ids that stand several times, by the file that had them.
        doubled: ids in it that stood several times before.
        account: the rows that were read of the old file, and all that went.
    """

    year: int
    path: Path | None = None
    months: list[int] = field(default_factory=list)
    rows: int = 0
    fresh: list[range] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    doubled: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    account: RowChecksum = field(default_factory=RowChecksum)


@dataclass(frozen=True)
class _Group:
    """A row group for the new file: month, where it comes from, and the ledger of its rows if it was made anew."""

    month: int
    file: IO[bytes]
    group: RowGroup
    ledger: Ledger | None


@dataclass(frozen=True)
class YearBuilder:
    """Makes the file of a year, and proves it.

    Attributes:
        year: 0 for rows without a time.
        old: the file as it stands; None if there is none.
        added: rows that come into it, among those of other years.
        division: which rows stay and which go.
        loses: whether the old file has rows that go.
        folder: where files may be made.
        anew: make every month anew.
    """

    year: int
    old: OldYear | None
    added: Sequence[Share]
    division: Division
    loses: bool
    folder: Path
    anew: bool = False

    def build(self) -> BuiltYear:
        """Make the file.

        Raises:
            ProofError: a row would be lost or changed.
        """
        changed = {month for share in self.added for month in share.parts if month // 100 == self.year}
        if self.old and self.loses:
            changed |= self.old.months_with(self.division.ids)
        if self.old and self.anew:
            changed |= set(self.old.months)
        try:
            return self._build(changed)
        except ContractError:
            if self.anew or not self.old:
                raise
        return replace(self, anew=True).build()  # somebody else wrote row groups that cannot be copied

    def _build(self, changed: set[int]) -> BuiltYear:
        """Make the months that change, copy the others, and prove what was written."""
        built, target = BuiltYear(self.year), year_path(self.year)
        months = [
            NewMonth(month, self.folder / f"month-{month}", Ledger(f"month {month} in {target}"))
            for month in sorted(changed)
        ]
        MonthWriter(self.old, self.added, self.division).write(months)
        memory.release_free_memory()
        with ExitStack() as stack:
            groups = [*self._copied(stack, changed), *self._made(stack, months)]
            groups.sort(key=lambda each: each.month)  # stable: the groups of a month stay in their order
            if groups:
                built.path = self.folder / f"year-{self.year}"
                with built.path.open("w+b") as sink:
                    written = splice([(each.file, each.group) for each in groups], sink)
                    for each, new in zip(groups, written, strict=True):
                        prove_copied(each.file, each.group, sink, new)
                    built.fresh = _fresh(groups, written)
        if built.path:
            in_order = [each.ledger for each in groups]
            digests, built.doubled = prove(built.path, target, in_order, self.division.ids)
            built.account.went(digests)
            memory.release_free_memory()
        for month in months:
            month.ledger.check()
            month.path.unlink()
            built.account.add(month.account)
            built.dropped.update(month.dropped)
        built.months, built.rows = [each.month for each in groups], sum(each.group.rows for each in groups)
        return built

    def _copied(self, stack: ExitStack, changed: set[int]) -> list[_Group]:
        """Take the row groups of months that stay as they are."""
        if self.old is None or self.anew:
            return []
        file = stack.enter_context(self.old.path.open("rb"))
        pairs = zip(self.old.months, row_groups(file), strict=True)
        return [_Group(month, file, group, None) for month, group in pairs if month not in changed]

    def _made(self, stack: ExitStack, months: Sequence[NewMonth]) -> Iterator[_Group]:
        """Take the row groups of months that were made anew."""
        for each in months:
            file = stack.enter_context(each.path.open("rb"))
            for group in row_groups(file) if each.rows else []:
                yield _Group(each.month, file, group, each.ledger)


def _fresh(groups: Sequence[_Group], written: Sequence[RowGroup]) -> list[range]:
    """Say where the row groups that were made anew are in the new file, those side by side as one."""
    fresh: list[range] = []
    for each, new in zip(groups, written, strict=True):
        if each.ledger:
            beside = fresh.pop() if fresh and fresh[-1].stop == new.start else range(new.start, new.start)
            fresh.append(range(beside.start, new.start + new.size))
    return fresh
