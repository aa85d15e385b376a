"""PostgreSQL and the Hub as streams of comparable rows: a hash of the id, the day, and a digest of the contents."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.days import Day
from govbr_assets.core.digest import row_digests
from govbr_assets.core.identity import hashes
from govbr_assets.core.layout import LARGE_GROUP_BYTES
from govbr_assets.core.periods import GroupMonths
from govbr_assets.core.row_differences import CLAIMS_SCHEMA, ROWS_SCHEMA, local_days
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.local_copy import copy_to_disk
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.sizes import group_sizes
from govbr_assets.io.staged import tables_of
from govbr_assets.operations.compact.read_files import local_rows
from govbr_assets.postgres.news import NewsTable


def rows_of(keys: pa.Table) -> pa.Table:
    """Convert keys to rows to compare: [n rows x 3] of `ROWS_SCHEMA`; the digest is null if the keys have none."""
    digests = keys["digest"] if "digest" in keys.column_names else pa.nulls(keys.num_rows, pa.int64())
    columns = [hashes(keys["unique_id"]), local_days(keys["published_at"]), digests]
    return pa.table(columns, schema=ROWS_SCHEMA)


def claims_of(keys: pa.Table) -> pa.Table:
    """Return the legacy ids of keys of PostgreSQL, with the ids that claim them: [n claims x 2] of `CLAIMS_SCHEMA`."""
    claims = keys.filter(keys["legacy_unique_id"].is_valid())
    columns = [hashes(claims[name]) for name in ("legacy_unique_id", "unique_id")]
    return pa.table(columns, schema=CLAIMS_SCHEMA)


def postgres_digests(postgres: NewsTable, days: Sequence[Day], rejected: dict[Day, str]) -> Iterator[pa.Table]:
    """Stream the digests of whole rows of PostgreSQL, a day at a time: [n rows x 3] each of `ROWS_SCHEMA`.

    Args:
        postgres: the database.
        days: in order.
        rejected: filled with the days that cannot be published, each with its reason.
    """
    if not days:
        return
    take = postgres.read_days(days)
    for day in days:
        try:
            rows = take(day).select(postgres.spec.schema.names)
        except (ContractError, SourceError) as error:
            rejected[day] = str(error)
            continue
        yield from map(rows_of, map(partial(_digested, spec=postgres.spec), tables_of(rows)))


class HubSide:
    """The rows of the Hub at one revision.

    Args:
        dataset: the dataset.
        snapshot: the revision.
        folder: for temporary files.

    Attributes:
        spec: of the dataset.
        uncompacted: files that have to be compacted: with another name or schema, or not as compacted files are.
        fetched: number of files that were not in the metadata cache.
    """

    def __init__(self, dataset: Dataset, snapshot: Snapshot, folder: Path) -> None:
        self._dataset, self._snapshot, self._folder, self.spec = dataset, snapshot, folder, dataset.spec
        self.uncompacted: list[str] = []
        self.fetched = 0

    def rows(self, *, deep: bool) -> Iterator[pa.Table]:
        """Stream all rows: [n rows x 3] each of `ROWS_SCHEMA`, with digests if `deep`.

        Raises:
            ContractError: keys of a file, or its rows if `deep`, cannot be read in the published schema.
        """
        for file in self._snapshot.data_files:
            yield from map(rows_of, self._judged(file, self._digests(file) if deep else self._keys(file)))

    def whole_rows(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the rows of a file with all columns: [n rows x columns] each of the published schema.

        Raises:
            ContractError: rows cannot be read in the published schema.
        """
        self._look_at(file)
        if self._is_copied(file):
            yield from (rows.select(self.spec.schema.names) for rows in self._local_rows(file))
        else:
            yield from self._dataset.reader.row_groups(file, self.spec.schema.names)

    def _keys(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the keys of a file."""
        self.fetched += not self._dataset.cache.has_keys(file.content)
        self._look_at(file)
        return self._dataset.reader.keys(file)

    def _digests(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the keys and the digests of a file."""
        self._look_at(file)
        self.fetched += not self._dataset.cache.has_digests(file.content)
        if self._is_copied(file):
            local = (rows.select(self.spec.digests_schema.names) for rows in self._local_rows(file))
            return self._dataset.reader.digests(file, local)
        tables = self._dataset.reader.row_groups(file, self.spec.schema.names)
        # `map` lets go of a row group before the next is read: a loop's variable would hold it.
        return self._dataset.reader.digests(file, map(partial(_digested, spec=self.spec), tables))

    def _judged(self, file: DataFile, keys: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Stream the keys of a file; note it if it is a year's, and by them not as compacted files are."""
        period = self.spec.layout.period_of(file.path)
        if period is None or file.path in self.uncompacted:
            yield from keys
            return
        judged = GroupMonths(group_sizes(self._dataset.reader.footer(file)), period, self.spec.layout)
        for rows in keys:
            judged.add(rows)
            yield rows
        if judged.found() is None:
            self.uncompacted.append(file.path)

    def _is_copied(self, file: DataFile) -> bool:
        """Return whether a file is read from the disk: one of any origin, whose row groups may be of any size."""
        return file.text is None and (file.path in self.uncompacted or self._has_large_groups(file))

    def _has_large_groups(self, file: DataFile) -> bool:
        """Return whether a row group of a file is too large to be read at once."""
        return any(size > LARGE_GROUP_BYTES for _, size in group_sizes(self._dataset.reader.footer(file)))

    def _look_at(self, file: DataFile) -> pa.Schema:
        """Return the schema of a file; note the file if it has to be compacted first."""
        schema = self._dataset.reader.schema(file)
        if not self.spec.layout.is_ours(file.path) or self.spec.compare(schema):
            self.uncompacted.append(file.path)
        return schema

    def _local_rows(self, file: DataFile) -> Iterator[pa.Table]:
        """Copy a file to the disk and stream its rows: [n rows x columns] each of its `sourced_schema`."""
        path = self._folder / "copy"
        copy_to_disk(self._dataset, file, path)
        yield from local_rows(path, file.path, self.spec)
        path.unlink()


def _digested(rows: pa.Table, spec: DatasetSpec) -> pa.Table:
    """Add the digest to the keys of rows: [n rows x 3] of its `digests_schema`."""
    keys = rows.select(spec.keys_schema.names)
    return pa.table([*keys.columns, row_digests(rows, spec.schema)], schema=spec.digests_schema)
