"""The new files of a compaction, built of the files that were read, and verified together. `plan` decides which."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.operations.compact.duplicates import Duplicates
from govbr_assets.operations.compact.inputs import CompactionInputs
from govbr_assets.operations.compact.packing import periods_of
from govbr_assets.operations.rewrite import DELETE_SCHEMA, FileEdit, RewrittenFile, rewrite
from govbr_assets.operations.verify import RowChecksum


@dataclass(frozen=True)
class CompactedFile:
    """A compacted file that was built, and what of.

    Attributes:
        old: the one that it replaces.
        added: the files whose rows of the period go into it.
        duplicates: which row stays of an id that stood several times.
        built: what became of it.
        file: as it will be on the Hub; None if no row is left.
    """

    old: DataFile | None
    added: tuple[DataFile, ...]
    duplicates: Duplicates
    built: RewrittenFile
    file: DataFile | None


class CompactedFiles:
    """The compacted files of the next commit; a plan at another snapshot takes those that were built of the same files.

    Args:
        inputs: the files that were read.
        folder: where files may be made.
    """

    def __init__(self, inputs: CompactionInputs, folder: Path) -> None:
        self._inputs, self._folder = inputs, folder
        self._made: dict[int, CompactedFile] = {}

    @property
    def files(self) -> list[DataFile]:
        """The new files."""
        return [each.file for each in self._made.values() if each.file]

    def build(
        self, periods: Iterable[int], old: Mapping[int, DataFile], taken: Sequence[DataFile]
    ) -> list[CompactedFile]:
        """Build the files of some periods.

        Args:
            periods: which.
            old: the files that they have, by period.
            taken: the files that go into them.

        Raises:
            ProofError: a row would be lost or changed, or be in two of them.
        """
        self._made = {period: self._build(period, old.get(period), taken) for period in sorted(periods)}
        self._verify(taken)
        return list(self._made.values())

    def dropped(self, taken: Sequence[DataFile]) -> Counter[str]:
        """Count the rows that go because another one of their id stays, by the file that had them."""
        return Counter(self._inputs.duplicates.losing_in(self._read(taken))["source"].to_pylist())

    def orphans(self, taken: Sequence[DataFile]) -> int:
        """Count the rows that go though no other one of their id stays."""
        return self._inputs.duplicates.orphans_in(self._read(taken)).num_rows

    def _build(self, period: int, old: DataFile | None, taken: Sequence[DataFile]) -> CompactedFile:
        """Build the file of a period, or take the one that was built of the same."""
        inputs, known = self._inputs, self._made.get(period)
        added = tuple(each for each in taken if period in periods_of(inputs.staged, each))
        made_of = old, added, inputs.duplicates
        if known and (known.old, known.added, known.duplicates) == made_of:
            return known
        lost = inputs.duplicates.leaving([each.path for each in added])
        months = {
            month
            for each in added
            for month in inputs.staged[each].months
            if inputs.dataset.spec.layout.period_of_month(month) == period
        }
        insert = {month: inputs.staged.rows(added, month, lost) for month in months}
        delete = (inputs.leaving(old) if old else lost.slice(0, 0)).select(DELETE_SCHEMA.names)
        before, watched = inputs.old_file(old) if old else None, inputs.duplicates.ids
        edit, spec = FileEdit(delete, insert), inputs.dataset.spec
        built = rewrite(spec.layout.compacted_path(period), before, edit, self._folder, spec, watched)
        replaced = [*taken, *([old] if old else [])]
        return CompactedFile(*made_of, built, inputs.adopt(built, built.local, replaced) if built.local else None)

    def _read(self, taken: Sequence[DataFile]) -> list[str]:
        """Name the files that the new ones replace, and whose ids were looked at: not what was built here before."""
        return self._inputs.surveyed([*taken, *(each.old for each in self._made.values() if each.old)])

    def _verify(self, taken: Sequence[DataFile]) -> None:
        """Verify that the rows of the files are in the new ones or go, and that each row that stays is there once."""
        duplicates, paths = self._inputs.duplicates, [file.path for file in taken]
        staged = sum((self._inputs.staged[file].checksum for file in taken), RowChecksum())
        inserted = sum((each.built.inserted for each in self._made.values()), RowChecksum())
        expected = staged - RowChecksum.of(duplicates.leaving(paths)["digest"])
        expected.check(inserted, f"{len(paths)} files, {paths[0]} the first," if paths else "no file")
        paths += [each.old.path for each in self._made.values() if each.old]
        found = pa.concat_arrays([pa.array([], pa.string()), *(each.built.found for each in self._made.values())])
        duplicates.check(paths, found)
