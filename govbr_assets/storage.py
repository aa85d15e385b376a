"""Tables at rest between assets: one Parquet file for each asset and day, in a folder or at an fsspec URL.

A day that was refused leaves its reason in the place of its table, so that whoever asks for it later is told why.
"""

import io
import time
from datetime import UTC, datetime

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.errors import ConfigurationError, NotMaterializedError

_TABLE, _REASON = "parquet", "refused.txt"


class TableStorage:
    """A folder of tables.

    Args:
        url: a path, or an fsspec URL such as `s3://bucket/folder`.
        keep_days: age in days at which a table is dropped.
    """

    def __init__(self, url: str, keep_days: int) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigurationError(
                f"GOVBR_STORAGE_URL is {url!r}: write a folder or an fsspec URL ({error})."
            ) from error
        self._url, self._keep_days = url, keep_days

    def write(self, asset: str, key: str, table: pa.Table) -> str:
        """Keep a table in place of what was there; nobody ever sees half of it.

        Returns:
            Its address.
        """
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd", use_dictionary=False)
        address = self._put(asset, key, _TABLE, sink.getvalue())
        self._drop(asset, key, _REASON)
        return address

    def refuse(self, asset: str, key: str, reason: str) -> None:
        """Keep the reason why a day has no table, and no older table of it."""
        self._drop(asset, key, _TABLE)
        self._put(asset, key, _REASON, reason.encode())

    def read(self, asset: str, key: str) -> pa.Table:
        """Read a table back.

        Raises:
            NotMaterializedError: it is not there; the message says why.
        """
        try:
            content = self._files.cat_file(self._path(asset, key, _TABLE))
            return pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)
        except FileNotFoundError:
            pass
        try:
            reason = self._files.cat_file(self._path(asset, key, _REASON)).decode()
        except FileNotFoundError:
            reason = (
                f"{asset} of {key} is not in {self._url}: materialize it first"
                f" (tables are dropped after {self._keep_days} days)."
            )
        raise NotMaterializedError(reason)

    def prune(self, asset: str) -> int:
        """Drop the asset's tables that are older than `keep_days`.

        Returns:
            How many were dropped.
        """
        oldest = datetime.fromtimestamp(time.time() - self._keep_days * 86400, UTC)
        folder = f"{self._root}/{asset}"
        files = self._files.ls(folder, detail=False) if self._files.exists(folder) else []
        old = [path for path in files if _aware(self._files.modified(path)) < oldest]
        if old:
            self._files.rm(old)
        return len(old)

    def _put(self, asset: str, key: str, kind: str, content: bytes) -> str:
        """Write a file whole or not at all."""
        path = self._path(asset, key, kind)
        self._files.makedirs(f"{self._root}/{asset}", exist_ok=True)
        with self._files.transaction, self._files.open(path, "wb") as file:
            file.write(content)
        return self._files.unstrip_protocol(path)

    def _drop(self, asset: str, key: str, kind: str) -> None:
        """Remove a file if it is there."""
        path = self._path(asset, key, kind)
        if self._files.exists(path):
            self._files.rm(path)

    def _path(self, asset: str, key: str, kind: str) -> str:
        """Name a file, such as `postgres_news_partition/2026-01-15.parquet`."""
        return f"{self._root}/{asset}/{key}.{kind}"


def _aware(instant: datetime) -> datetime:
    """Read a file system's time; one without a zone is UTC."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
