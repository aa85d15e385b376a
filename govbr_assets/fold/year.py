"""One year's file: months without a change are copied byte for byte, the others are made anew from their rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.consolidation import Survivors, in_order, sourced
from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.core.layout import encode_to, year_path
from govbr_assets.core.splice import RowGroup, row_groups, splice
from govbr_assets.fold.proof import Ledger, prove, prove_copied
from govbr_assets.fold.spill import Spill, in_parts


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
class Tally:
    """What building year files came to.

    Attributes:
        new_bytes: of row groups that were made anew, before the upload finds what it knows in them.
        dropped: rows of ids that stand several times, by the file that had them.
    """

    new_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class BuiltYear:
    """A year's file that was made.

    Attributes:
        path: where it is.
        months: of each row group.
        rows: how many it has.
    """

    path: Path
    months: list[int]
    rows: int


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
        survivors: which row stays of each id that stands several times.
        loses: whether the old file has rows that go.
        folder: where files may be made.
        tally: counts what is done.
    """

    year: int
    old: OldYear | None
    added: Sequence[Spill]
    survivors: Survivors
    loses: bool
    folder: Path
    tally: Tally

    def build(self) -> BuiltYear | None:
        """Make the file.

        Returns:
            None if no row is left.

        Raises:
            ProofError: a row would be lost or changed.
        """
        changed = {month for spill in self.added for month in spill.parts if month // 100 == self.year}
        if self.old and self.loses:
            changed |= self.old.months_with(self.survivors.ids)
        with ExitStack() as stack:
            copied = self._copied(stack, changed)
            groups = [*copied, *chain(*(self._made(stack, month) for month in sorted(changed)))]
            groups.sort(key=lambda each: each.month)  # stable: the groups of a month stay in their order
            if not groups:
                return None
            path = self.folder / f"year-{self.year}"
            with path.open("w+b") as sink:
                written = splice([(each.file, each.group) for each in groups], sink)
                for each, new in zip(groups, written, strict=True):
                    prove_copied(each.file, each.group, sink, new)
        prove(path, year_path(self.year), [(each.month, each.ledger) for each in groups])
        for month in changed:
            self._month_path(month).unlink(missing_ok=True)
        self.tally.new_bytes += sum(each.group.size for each in groups if each.ledger)
        return BuiltYear(path, [each.month for each in groups], sum(each.group.rows for each in groups))

    def _copied(self, stack: ExitStack, changed: set[int]) -> list[_Group]:
        """Take the row groups of months that stay as they are."""
        if self.old is None:
            return []
        file = stack.enter_context(self.old.path.open("rb"))
        pairs = zip(self.old.months, row_groups(file), strict=True)
        return [_Group(month, file, group, None) for month, group in pairs if month not in changed]

    def _made(self, stack: ExitStack, month: int) -> list[_Group]:
        """Make the row groups of a month anew."""
        ledger, path = Ledger(), self._month_path(month)
        with path.open("wb") as sink:
            rows = encode_to(sink, self._surviving(month, ledger))
        if not rows:
            ledger.check(f"month {month} in {year_path(self.year)}")
            return []
        file = stack.enter_context(path.open("rb"))
        return [_Group(month, file, group, ledger) for group in row_groups(file)]

    def _surviving(self, month: int, ledger: Ledger) -> Iterator[pa.Table]:
        """Stream the rows of a month that stay, in order."""
        came: list[Iterable[pa.Table]] = [spill.read(month) for spill in self.added]
        if self.old:
            came.append(self.old.rows(month))
        for part in in_parts(chain(*came), self.folder / "by-day"):
            ledger.read(part)
            stay, go = self.survivors.of(part)
            ledger.dropped(go)
            self.tally.dropped.update(go["source"].to_pylist())
            yield in_order(stay.select(NEWS_SCHEMA.names))

    def _month_path(self, month: int) -> Path:
        return self.folder / f"month-{month}"
