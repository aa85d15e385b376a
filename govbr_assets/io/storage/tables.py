"""The tables between assets, stored as Parquet files.

A rejected day has its reason stored in place of its table; reading the table raises it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.errors import NotMaterializedError
from govbr_assets.io.staged import Rows
from govbr_assets.io.staging import parquet_rows, write_parquet
from govbr_assets.io.storage.errors import storage_failures
from govbr_assets.io.storage.folder import Folder

_TABLE, _REASON = "parquet", "refused.txt"


class TableStorage:
    """Tables of assets, each a Parquet file such as `postgres_news_partition/2026-01-15.parquet`.

    An unpartitioned asset has one file, `hub_reconciliation.parquet`, which the next materialization replaces.

    Args:
        url: a path, or an fsspec URL.
        keep_days: age in days from which a partition's table is deleted.
    """

    def __init__(self, url: str, keep_days: int) -> None:
        self._folder, self._keep_days = Folder(url), keep_days

    def write(self, asset: str, key: str | None, table: Rows) -> str:
        """Write a table, replacing any older one and any rejection.

        Args:
            asset: name of the asset.
            key: its partition; None if it is unpartitioned.
            table: [n rows x any columns].

        Returns:
            The URL of its file.
        """
        name = _name(asset, key, _TABLE)
        with self._folder.writing(name) as file:
            write_parquet(file, table, compression="zstd", use_dictionary=False)
        address = self._folder.address(name)
        self._folder.drop(_name(asset, key, _REASON))
        return address

    def reject(self, asset: str, key: str, reason: str) -> None:
        """Store the reason why a partition has no table, and delete any older table."""
        self._folder.drop(_name(asset, key, _TABLE))
        self._folder.write(_name(asset, key, _REASON), reason.encode())

    def read(self, asset: str, key: str | None) -> Rows:
        """Read a table; a large one is read lazily from its file.

        Raises:
            NotMaterializedError: it is missing or damaged, or its partition was rejected; the message says why.
        """
        name = _name(asset, key, _TABLE)
        if (file := self._folder.open(name)) is not None:
            with self._reading(name):
                rows = parquet_rows(pq.ParquetFile(file), around=lambda: self._reading(name))
            if isinstance(rows, pa.Table):
                file.close()
            return rows
        reason = self._folder.read(_name(asset, key, _REASON))
        if reason is not None:
            raise NotMaterializedError(reason.decode())
        raise NotMaterializedError(
            f"{asset}{f' of {key}' if key else ''} is not in {self._folder.url}: {self._why(key)}."
        )

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Raise NotMaterializedError for a damaged table."""
        with storage_failures(f"reading {name}"):
            try:
                yield
            except (pa.ArrowException, OSError) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                text = f"{name} in {self._folder.url} is damaged ({error}): materialize it again."
                raise NotMaterializedError(text) from error

    def _why(self, key: str | None) -> str:
        """Return what to do about a missing table."""
        if self._folder.ends_with_the_process:
            return (
                "what GOVBR_STORAGE_URL keeps there ends with each process, so materialize it in the same run, or write"
                " a folder or a bucket"
            )
        return f"materialize it first{f' (tables are dropped after {self._keep_days} days)' if key else ''}"

    def prune(self, asset: str) -> int:
        """Delete the tables of an asset that are older than `keep_days`.

        Returns:
            The number of tables deleted.
        """
        old = self._folder.older_than(asset, self._keep_days)
        for name in old:
            self._folder.drop(name)
        return len(old)


def _name(asset: str, key: str | None, kind: str) -> str:
    return f"{asset}/{key}.{kind}" if key else f"{asset}.{kind}"
