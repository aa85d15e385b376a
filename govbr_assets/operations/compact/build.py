"""The year files of a compaction, built of the files that were read, and verified together. Which, `plan` decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.contract import repeated
from govbr_assets.core.layout import year_path
from govbr_assets.core.periods import Winners
from govbr_assets.errors import ProofError
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.operations.compact.inputs import CompactionInputs
from govbr_assets.operations.rewrite.year import BuiltYear, YearBuilder
from govbr_assets.operations.verify import RowChecksum


@dataclass(frozen=True)
class YearFile:
    """A year's file that was built, and what of.

    Attributes:
        old: the one that it replaces.
        added: the files whose rows of the year go into it.
        winners: which row stays of an id that stood several times.
        built: what became of it.
        file: as it will be on the Hub; None if no row is left.
    """

    old: DataFile | None
    added: tuple[DataFile, ...]
    winners: Winners
    built: BuiltYear
    file: DataFile | None

    @property
    def sources(self) -> set[DataFile]:
        """The files that it replaces."""
        return {*self.added, *([self.old] if self.old else [])}


class YearFiles:
    """The year files of the next commit; a plan at another snapshot takes those that were built of the same files.

    Args:
        inputs: the files that were read.
        folder: where files may be made.
    """

    def __init__(self, inputs: CompactionInputs, folder: Path) -> None:
        self._inputs, self._folder = inputs, folder
        self._years: dict[int, YearFile] = {}

    @property
    def sources(self) -> dict[DataFile, set[DataFile]]:
        """The files that each new file replaces."""
        return {each.file: each.sources for each in self._years.values() if each.file}

    def build(self, years: Iterable[int], old: Mapping[int, DataFile], taken: Sequence[DataFile]) -> list[YearFile]:
        """Build the files of some years.

        Args:
            years: which.
            old: the files that they have, by year.
            taken: the files that go into them.

        Raises:
            ProofError: a row would be lost or changed, or be in two of them.
        """
        self._years = {year: self._build(year, old.get(year), taken) for year in sorted(years)}
        self._verify(taken)
        return list(self._years.values())

    def _build(self, year: int, old: DataFile | None, taken: Sequence[DataFile]) -> YearFile:
        """Build the file of a year, or take the one that was built of the same."""
        inputs, known = self._inputs, self._years.get(year)
        added = tuple(each for each in taken if any(month // 100 == year for month in inputs.shelf.lot(each).parts))
        made_of = old, added, inputs.choose_winners
        if known and (known.old, known.added, known.winners) == made_of:
            return known
        before = inputs.old_year(old) if old else None
        shares = inputs.shelf.shares(added)
        built = YearBuilder(year, before, shares, inputs.choose_winners, old in inputs.losing, self._folder).build()
        file = inputs.take_in(built.path, year_path(year), built.months) if built.path else None
        return YearFile(*made_of, built, file)

    def _verify(self, taken: Sequence[DataFile]) -> None:
        """Verify that all rows of the files are in the new ones or were dropped, and none of them twice."""
        checksum, duplicates = RowChecksum(), [pa.array([], pa.string())]
        for lot in map(self._inputs.shelf.lot, taken):
            checksum.came(lot.rows, lot.digests)
        for each in self._years.values():
            checksum.add(each.built.account)
            duplicates.append(each.built.doubled)
        checksum.check()
        if twice := repeated(pa.concat_arrays(duplicates)):
            raise ProofError(f"unique_id {twice[0]!r} would be in several year files. Nothing was published.")
