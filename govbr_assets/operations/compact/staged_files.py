"""The source files of a compaction on the disk: their rows by month, and what is known of each file."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from functools import reduce
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.periods import by_month
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ProofError
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io import memory
from govbr_assets.io.staged import StagedRows
from govbr_assets.io.staging import RowFile
from govbr_assets.operations.compact.read_files import FilesRead
from govbr_assets.operations.row_deletes import Deletes
from govbr_assets.operations.verify import RowChecksum


@dataclass
class StagedFile:
    """What is known of a file whose rows are on the disk.

    Attributes:
        schema: the one that it has; an empty one for a file of text.
        checksum: of its rows.
        months: that the rows are of.
    """

    schema: pa.Schema
    checksum: RowChecksum = field(default_factory=RowChecksum)
    months: set[int] = field(default_factory=set)


class StagedFiles:
    """The files whose rows are on the disk.

    Args:
        folder: gets the rows.
        spec: of the dataset.
    """

    def __init__(self, folder: Path, spec: DatasetSpec) -> None:
        self._folder, self._numbers, self._schema = folder, count(), spec.sourced_schema
        self.layout = spec.layout
        self._rounds: dict[DataFile, _Round] = {}

    def __contains__(self, file: DataFile) -> bool:
        return file in self._rounds

    def __getitem__(self, file: DataFile) -> StagedFile:
        """Return what is known of a file."""
        return self._rounds[file].files[file.path]

    def stage(self, groups: Iterable[FilesRead]) -> Iterator[tuple[DataFile, StagedFile]]:
        """Write the rows of files, which can be read when all are written.

        Args:
            groups: files and their rows, some together.

        Raises:
            ProofError: a row was lost on the way.
        """
        staged = _Round(self._folder / f"staged-{next(self._numbers)}", self._schema)
        done = list[DataFile]()
        for group in groups:
            staged.write(group)
            memory.release_free_memory()
            for file in group.files:
                done.append(file)
                yield file, staged.files[file.path]
        staged.rows.finish()
        self._rounds |= dict.fromkeys(done, staged)

    def rows(self, files: Iterable[DataFile], month: int | None = None, without: pa.Table | None = None) -> StagedRows:
        """Return the rows of some files, [n rows x columns] of its `sourced_schema`, read when they are asked for.

        Args:
            files: which are staged.
            month: takes only its rows.
            without: [n rows x 3] `unique_id`, `digest` and `source` of rows that are left out, as `Deletes` does.
        """
        wanted: dict[_Round, set[str]] = {}
        for file in files:
            wanted.setdefault(self._rounds[file], set()).add(file.path)
        found = [staged.of(paths, month, without) for staged, paths in wanted.items()]
        return reduce(StagedRows.beside, found) if found else StagedRows(self._schema, [])

    def keep_only(self, files: Iterable[DataFile]) -> None:
        """Remove what is of no other files."""
        gone = {self._rounds.pop(file) for file in self._rounds.keys() - set(files)}
        for staged in gone.difference(self._rounds.values()):
            staged.path.unlink()


class _Round:
    """Files that were staged one after another, in one file on the disk."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.rows = path, RowFile(schema, path)
        self.files: dict[str, StagedFile] = {}
        self._months: dict[int, list[int]] = {}  # the batches of each
        self._sources: dict[int, set[str]] = {}  # the files of each

    def write(self, group: FilesRead) -> None:
        """Write the rows of files, and see that they are as many of each as it says."""
        self.files |= {file.path: StagedFile(group.schema) for file in group.files}
        for table in group.tables:
            self._count(table)
            for month, part in by_month(table):
                self._months.setdefault(month, []).extend(self.rows.write(part))
                sources = pc.unique(part["source"]).to_pylist()
                self._sources.setdefault(month, set()).update(sources)
                for source in sources:
                    self.files[source].months.add(month)
        for file, rows in group.files.items():
            if rows is not None and self.files[file.path].checksum.rows != rows:
                found = self.files[file.path].checksum.rows
                raise ProofError(f"{file.path} has {rows} rows, of which {found} were read.")

    def of(self, paths: Set[str], month: int | None, without: pa.Table | None) -> StagedRows:
        """Return the rows of some files, of a month or of all; see `StagedFiles.rows`."""
        months = self._months if month is None else {month} & self._months.keys()
        batches = sorted(batch for each in months for batch in self._months[each])
        mine = pa.array(paths, pa.string())
        others = any(not self._sources[each] <= paths for each in months)
        lost = None if without is None else without.filter(pc.is_in(without["source"], mine))
        deletes = Deletes(lost) if lost is not None and lost.num_rows else None

        def stay(rows: StagedRows) -> pa.Array:
            """Mark the rows of these files that are not left out."""
            here = pc.indices_nonzero(pc.is_in(rows["source"], mine))
            if deletes:
                keys = pa.table({name: rows[name] for name in ("unique_id", "digest")}).take(here)
                here = here.filter(pc.invert(deletes.mark(keys)))
            return pc.is_in(pa.array(range(rows.num_rows), pa.uint64()), here)

        return self.rows.rows(batches, stay if others or deletes else None)

    def _count(self, table: pa.Table) -> None:
        """Note what comes, by its source."""
        sums = table.group_by("source").aggregate([("digest", "count"), ("digest", "sum")])
        for source, rows, digests in zip(*(column.to_pylist() for column in sums.columns), strict=True):
            self.files[source].checksum += RowChecksum(rows, digests)
