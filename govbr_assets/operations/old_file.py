"""A data file as it stands before it is rewritten, a month at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import rows_at_once
from govbr_assets.core.periods import by_month, digested, in_order, months_of_groups
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import Rows, tables_of
from govbr_assets.io.staging import RowCollector

_ROWS, _BYTES = 1_000, 8 << 20  # that are read at a time


class OldSide(Protocol):
    """The rows of a file as it stands, a month at a time."""

    @property
    def months(self) -> Sequence[int]:
        """The months that it has rows of, each as often as it has row groups of it, if these are known."""
        ...

    def rows(self, month: int) -> Iterator[pa.Table]:
        """Stream the rows of a month in order: [n rows x columns] each of the `digested_schema`."""
        ...

    def sizes(self) -> Counter[int]:
        """Count the bytes of each month."""
        ...

    def changed_by(self, delete: pa.Table) -> set[int]:
        """Tell the months that are made anew when rows go, [n rows x 2] with their `unique_id`."""
        ...


@dataclass(frozen=True)
class OldFile:
    """A file in the order of every file, of which no row group has rows of two months.

    Attributes:
        local: its copy on the disk.
        months: of each row group.
        spec: of the dataset.
    """

    local: Path
    months: Sequence[int]
    spec: DatasetSpec

    @classmethod
    def of(cls, local: Path, year: int, spec: DatasetSpec) -> "OldFile | None":
        """Take a file of a year as it stands; None if it is not as this project writes them."""
        with _opened(local) as parquet:
            groups = range(parquet.num_row_groups)
            keys = (parquet.read_row_group(index, spec.keys_schema.names, use_threads=False) for index in groups)
            months = months_of_groups(keys, group_sizes(parquet.metadata), year, spec.layout)
        return None if months is None else cls(local, months, spec)

    @classmethod
    def of_day(cls, local: Path, day: Day, spec: DatasetSpec) -> "OldFile":
        """Take the shard of a day."""
        month = day.date.year * 100 + day.date.month
        return cls(local, [month] * pq.read_metadata(local).num_row_groups, spec)

    def keys(self, month: int) -> Iterator[pa.Table]:
        """Stream the keys of a month, a row group at a time."""
        names = self.spec.keys_schema.names
        with _opened(self.local) as parquet:
            for group in self._groups(month):
                yield parquet.read_row_group(group, names, use_threads=False)

    @property
    def group_rows(self) -> Sequence[int]:
        """How many rows each row group has."""
        return [rows for rows, _ in group_sizes(pq.read_metadata(self.local))]

    def rows(self, month: int) -> Iterator[pa.Table]:
        """Stream the rows of a month: [n rows x columns] each of its `digested_schema`."""
        with _opened(self.local) as parquet:
            sizes = group_sizes(parquet.metadata)
            for group in self._groups(month):
                at_once = rows_at_once(*sizes[group], most_rows=_ROWS, most_bytes=_BYTES)
                for batch in parquet.iter_batches(at_once, row_groups=[group], use_threads=False):
                    yield digested(pa.Table.from_batches([batch]), self.spec)

    def sizes(self) -> Counter[int]:
        """Count the bytes of each month before they were compressed."""
        sizes = Counter[int]()
        with _opened(self.local) as parquet:
            for month, (_, size) in zip(self.months, group_sizes(parquet.metadata), strict=True):
                sizes[month] += size
        return sizes

    def changed_by(self, delete: pa.Table) -> set[int]:
        """Return the months that change when rows go, [n rows x 2] with their `unique_id`; all others are copied."""
        return self._months_with(delete["unique_id"]) if delete.num_rows else set()

    def _groups(self, month: int) -> list[int]:
        return [index for index, each in enumerate(self.months) if each == month]

    def _months_with(self, ids: pa.ChunkedArray) -> set[int]:
        wanted = ids.combine_chunks()
        with _opened(self.local) as parquet:
            groups = (parquet.read_row_group(index, ["unique_id"]) for index in range(parquet.num_row_groups))
            found = [pc.any(pc.is_in(group["unique_id"], wanted)).as_py() for group in groups]
        return {month for month, here in zip(self.months, found, strict=True) if here}


class OldRows:
    """The rows of a file that is small, and is made anew as a whole: they may be in any order, as others write them.

    Args:
        rows: [n rows x columns].
        spec: of the dataset.
    """

    def __init__(self, rows: Rows, spec: DatasetSpec) -> None:
        self._rows, self._spec = rows_by_month(rows, spec), spec

    @property
    def months(self) -> Sequence[int]:
        """The months that it has rows of."""
        return list(self._rows)

    def rows(self, month: int) -> Iterator[pa.Table]:
        """Stream the rows of a month in order: [n rows x columns] each of its `digested_schema`."""
        return tables_of(in_order(self._rows[month], self._spec)) if month in self._rows else iter(())

    def sizes(self) -> Counter[int]:
        """Count the bytes of each month."""
        return Counter({month: rows.nbytes for month, rows in self._rows.items()})

    def changed_by(self, delete: pa.Table) -> set[int]:
        """Return the months that change when rows go: all are made anew."""
        return set(self._rows)


def rows_by_month(rows: Rows, spec: DatasetSpec) -> dict[int, Rows]:
    """Part rows by month and add their digests: [n rows x columns] become some of its `digested_schema`.

    Rows that are on the disk stay there, so that many months do not become too large together.
    """
    parts, in_memory = dict[int, RowCollector](), None if isinstance(rows, pa.Table) else 0
    for table in tables_of(rows):
        for month, part in by_month(digested(table, spec)):
            parts.setdefault(month, RowCollector(spec.digested_schema, in_memory)).add(part)
    return {month: part.rows() for month, part in parts.items()}


def _opened(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
