"""Rows of data files, of which no more is fetched than what is asked for.

Files are Parquet but for those of somebody else that no compaction has moved over: of CSV and JSON all is read. Where
a column lies in a file is the range reader's business, and what footers say is in `footers`. What is kept of a file
between runs belongs to `reader`; rows are only taken from there where keys are all that is wanted.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.conform_file import check_columns
from govbr_assets.core.contract import within
from govbr_assets.core.days import Day
from govbr_assets.core.formats import PARQUET
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.core.text_tables import READABLE as READABLE_TEXT
from govbr_assets.dataset.footers import FooterReader, misses_day
from govbr_assets.dataset.metadata_cache import MetadataCache
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.range_reader import ColumnReader, metadata_of, read_footer
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.recent import RecentTables
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import Rows
from govbr_assets.io.staging import STAGED_BYTES, parquet_rows

READABLE = (PARQUET.name, *READABLE_TEXT)
"""Formats of files that rows can be read from."""

_RECENT = 8 << 20  # bytes of kept keys that are in memory for the next days: a year of 36,000 rows has three million
_WHOLE = 1 << 20  # bytes: of a file up to this size all columns are one request


class RowReader(FooterReader):
    """Reads rows of data files: whole files, row groups, columns, or the rows of a day.

    Args:
        client: of the repo.
        cache: what is known from earlier runs.
        spec: the columns.
    """

    def __init__(self, client: RepoClient, cache: MetadataCache, spec: DatasetSpec) -> None:
        super().__init__(client, cache, spec)
        self._recent = RecentTables(_RECENT)
        self._other_files: tuple[Snapshot | None, list[DataFile]] = None, []  # all but shards of days

    def day_rows(self, snapshot: Snapshot, day: Day, columns: list[str] | None = None) -> pa.Table:
        """Read the rows of a day, in whatever files they lie.

        Args:
            snapshot: the revision to read.
            day: the day; `published_at` decides.
            columns: names from the contract; None reads all.

        Returns:
            [n rows x columns] with the contract's types, in the order of files.

        Raises:
            ContractError: a file cannot be read as the contract's types.
            HubUnavailableError: the Hub is out of reach.
        """
        names = columns or self._spec.schema.names
        found = [self.rows(file, names, day) for file in self.files_for(snapshot, day)]
        return pa.concat_tables([self._spec.select(names).empty_table(), *found])

    def files_for(self, snapshot: Snapshot, day: Day) -> list[DataFile]:
        """Return the data files of a revision that can hold rows of a day."""
        layout = self._spec.layout
        if self._other_files[0] is not snapshot:  # a run asks for many days of one snapshot of thousands of shards
            others = [file for file in snapshot.data_files if layout.day_of(file.path) is None]
            self._other_files = snapshot, others
        files = (*self._other_files[1], snapshot.data_file(layout.day_path(day)))
        return [file for file in files if file and layout.may_hold(file.path, day)]

    def rows(self, file: DataFile, columns: list[str] | None = None, day: Day | None = None) -> pa.Table:
        """Read rows of one file: those of a day, or all of them.

        Returns:
            [n rows x columns] with the contract's types, in the order of the file.
        """
        names = columns or self._spec.schema.names
        return pa.concat_tables([self._spec.select(names).empty_table(), *self.row_groups(file, names, day)])

    def whole_file(self, file: DataFile, bring: Callable[[], Path]) -> Rows:
        """Read all rows of one file: [n rows x 24], which stay on the disk if they are many.

        Args:
            file: the file.
            bring: makes a local copy of it, which stays as long as somebody has the rows.
        """
        content: Blob
        if file.size <= _WHOLE:
            with self.errors_of(file), self._client.open(file) as remote:
                content = remote.read(file.size)
        elif sum(size for _, size in group_sizes(self.footer(file))) > STAGED_BYTES:
            content = bring()
        else:
            return self.rows(file)
        with self.errors_of(file):
            parquet = pq.ParquetFile(opened(content), pre_buffer=False)
            check_columns(parquet.schema_arrow.names, file.path, self._spec.schema.names)
            return parquet_rows(parquet, self._spec.schema, lambda: self.errors_of(file))

    def row_group(self, file: DataFile, index: int) -> pa.Table:
        """Read one row group of a file that has the contract's columns: [n rows x 24]."""
        metadata = self.footer(file)
        with self.errors_of(file), self._client.open(file) as remote:
            rows = ColumnReader(remote, file.size, metadata).read(index, self._spec.schema.names)
            return self._spec.conform(rows.select(self._spec.schema.names), file.path)

    def column_chunks(self, file: DataFile, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Stream some columns of a file by row groups, and fetch nothing else of it; of CSV and JSON all is read.

        Returns:
            [n rows x columns] each, with the contract's types, in the order of the file.
        """
        if file.text:
            yield from (rows.select(list(columns)) for rows in self.text_rows(file))
            return
        metadata = self.footer(file)
        with self.errors_of(file):
            check_columns(metadata.schema.to_arrow_schema().names, file.path, columns)
        with self.errors_of(file), self._client.open(file) as remote:
            reader = ColumnReader(remote, file.size, metadata, gap=0)
            for index in range(metadata.num_row_groups):
                following = range(index + 1, metadata.num_row_groups)
                yield self._group(file, reader, index, list(columns), None, following)

    def row_groups(self, file: DataFile, columns: list[str], day: Day | None = None) -> Iterator[pa.Table]:
        """Stream a file by row groups: those rows of each that belong to the day, or all.

        Returns:
            [n rows x columns] each, with the contract's types, in the order of the file.
        """
        if kept := self._kept_keys(file.content, columns, day):
            for rows in kept:
                yield (rows.filter(within(rows["published_at"], day)) if day else rows).select(columns)
            return
        if file.text:
            for rows in self.text_rows(file):
                yield (rows.filter(within(rows["published_at"], day)) if day else rows).select(columns)
            return
        at_once = file.size <= _WHOLE and len(columns) > len(self._spec.keys_schema)
        metadata = None if at_once else self.footer(file)
        with self.errors_of(file), self._client.open(file) as remote:
            if metadata is None:
                remote = io.BytesIO(remote.read(file.size))
                metadata = metadata_of(read_footer(remote, file.size))
            if not metadata.num_rows:
                return
            wanted = [*columns, *(["published_at"] if day else [])]
            check_columns(metadata.schema.to_arrow_schema().names, file.path, wanted)
            reader, every = ColumnReader(remote, file.size, metadata), range(metadata.num_row_groups)
            groups = [index for index in every if not day or not misses_day(metadata, index, day)]
            for number, index in enumerate(groups, 1):
                yield self._group(file, reader, index, columns, day, groups[number:])

    def _kept_keys(self, content: str, columns: Sequence[str], day: Day | None) -> Iterator[pa.Table] | None:
        """Stream the keys of a file if no more is wanted and they are kept; from memory if a day is asked for."""
        if not set(columns) <= set(self._spec.keys_schema.names):
            return None
        return self._recent.stream(content, lambda: self._cache.keys(content)) if day else self._cache.keys(content)

    def _group(
        self,
        file: DataFile,
        reader: ColumnReader,
        index: int,
        columns: list[str],
        day: Day | None,
        following: Sequence[int],
    ) -> pa.Table:
        """Read one row group, or the rows of a day in it: the times first, the other columns if the day is there."""
        inside = None
        if day:
            times = self._spec.conform_keys(reader.read(index, ["published_at"]), file.path, ["published_at"])
            inside = within(times["published_at"], day)
            if not pc.any(inside).as_py():
                return self._spec.select(columns).empty_table()
        rows = reader.read(index, columns, () if day else following).select(columns)
        are_keys = set(columns) <= set(self._spec.keys_schema.names)
        conform = self._spec.conform_keys if are_keys else self._spec.conform
        return conform(rows if inside is None else rows.filter(inside), file.path, columns)
