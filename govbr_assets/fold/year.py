"""One year's file: months without a change are copied byte for byte, the others are made anew from their rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.consolidation import in_order, sourced
from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.core.layout import encode_to, year_path
from govbr_assets.core.splice import RowGroup, row_groups, splice
from govbr_assets.errors import ContractError
from govbr_assets.fold.proof import Account, Division, Ledger, prove, prove_copied, prove_dropped
from govbr_assets.fold.spill import Share, in_parts


@dataclass(frozen=True)
class OldYear:
    """A year's file as it stands.

    Attributes:
        source: its path on the Hub.
        path: of its local copy.
        months: of each row group.
    """

    source: str
    path: Path
    months: Sequence[int]

    def rows(self, month: int) -> Iterator[pa.Table]:
        """Stream the rows of a month: [n rows x 26] each of `SOURCED_SCHEMA`."""
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 20) as parquet:
            for index, each in enumerate(self.months):
                if each == month:
                    yield sourced(parquet.read_row_group(index, use_threads=False), self.source)

    def months_with(self, ids: pa.Array) -> set[int]:
        """Tell the months that hold one of some ids."""
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 20) as parquet:
            groups = (parquet.read_row_group(index, ["unique_id"]) for index in range(parquet.num_row_groups))
            found = [pc.any(pc.is_in(group["unique_id"], ids)).as_py() for group in groups]
        return {month for month, here in zip(self.months, found, strict=True) if here}


@dataclass
class BuiltYear:
    """What became of a year.

    Attributes:
        year: which one.
        path: the file that was made; None if no row is left.
        months: of each of its row groups.
        rows: how many it has.
        new_bytes: of row groups that were made anew, before the upload finds what it knows in them.
        dropped: rows of ids that stand several times, by the file that had them.
        doubled: ids in it that stood several times before.
        account: the rows that were read of the old file, and all that went.
    """

    year: int
    path: Path | None = None
    months: list[int] = field(default_factory=list)
    rows: int = 0
    new_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    doubled: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    account: Account = field(default_factory=Account)


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
        built = BuiltYear(self.year)
        ledgers = {month: Ledger(f"month {month} in {year_path(self.year)}") for month in sorted(changed)}
        with ExitStack() as stack:
            groups = self._copied(stack, changed)
            for month, ledger in ledgers.items():
                groups += self._made(stack, month, ledger, built)
            groups.sort(key=lambda each: each.month)  # stable: the groups of a month stay in their order
            if groups:
                built.path = self.folder / f"year-{self.year}"
                with built.path.open("w+b") as sink:
                    written = splice([(each.file, each.group) for each in groups], sink)
                    for each, new in zip(groups, written, strict=True):
                        prove_copied(each.file, each.group, sink, new)
        if built.path:
            in_order = [each.ledger for each in groups]
            digests, built.doubled = prove(built.path, year_path(self.year), in_order, self.division.ids)
            built.account.went(digests)
        for month, ledger in ledgers.items():
            ledger.check()
            self._month_path(month).unlink()
        built.months, built.rows = [each.month for each in groups], sum(each.group.rows for each in groups)
        built.new_bytes = sum(each.group.size for each in groups if each.ledger)
        return built

    def _copied(self, stack: ExitStack, changed: set[int]) -> list[_Group]:
        """Take the row groups of months that stay as they are."""
        if self.old is None or self.anew:
            return []
        file = stack.enter_context(self.old.path.open("rb"))
        pairs = zip(self.old.months, row_groups(file), strict=True)
        return [_Group(month, file, group, None) for month, group in pairs if month not in changed]

    def _made(self, stack: ExitStack, month: int, ledger: Ledger, built: BuiltYear) -> list[_Group]:
        """Make the row groups of a month anew."""
        path = self._month_path(month)
        with path.open("wb") as sink:
            rows = encode_to(sink, self._surviving(month, ledger, built))
        file = stack.enter_context(path.open("rb"))
        return [_Group(month, file, group, ledger) for group in row_groups(file)] if rows else []

    def _surviving(self, month: int, ledger: Ledger, built: BuiltYear) -> Iterator[pa.Table]:
        """Stream the rows of a month that stay, in order."""
        for part in in_parts(self._coming(month, ledger, built), self.folder / "by-day"):
            stay, go = self.division.of(part)
            prove_dropped(stay, go, self.division)
            built.dropped.update(go["source"].to_pylist())
            built.account.went(go["digest"].combine_chunks())
            ledger.went(go["digest"].combine_chunks())
            yield in_order(stay.select(NEWS_SCHEMA.names))

    def _coming(self, month: int, ledger: Ledger, built: BuiltYear) -> Iterator[pa.Table]:
        """Stream the rows of a month as they are read."""
        for share in self.added:
            for rows in share.read(month):
                ledger.read(rows["digest"])
                yield rows
        for rows in self.old.rows(month) if self.old else []:
            ledger.read(rows["digest"])
            built.account.came(rows.num_rows, pc.sum(rows["digest"]).as_py() or 0)
            yield rows

    def _month_path(self, month: int) -> Path:
        return self.folder / f"month-{month}"
