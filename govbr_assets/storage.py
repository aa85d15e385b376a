"""Files at rest, in a folder or at an fsspec URL, and the tables between assets kept as such files.

A day that was refused leaves its reason in the place of its table, so that whoever asks for it later is told why.
What is kept for the contents of the Hub's files is `hub.kept`'s business.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO
from uuid import uuid4

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.errors import ConfigurationError, NotMaterializedError

_TABLE, _REASON = "parquet", "refused.txt"


class Folder:
    """A folder of files that are there whole or not at all.

    Args:
        url: a path, or an fsspec URL such as `s3://bucket/folder`.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigurationError(
                f"GOVBR_STORAGE_URL is {url!r}: write a folder or an fsspec URL ({error})."
            ) from error
        self.url = url

    def read(self, name: str) -> bytes | None:
        """Read a file; None when it is not there."""
        try:
            return self._files.cat_file(self._path(name))
        except FileNotFoundError:
            return None

    def open(self, name: str) -> IO[bytes] | None:
        """Open a file for reading ranges of it; None when it is not there."""
        try:
            return self._files.open(self._path(name), "rb")
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """Say whether a file is there."""
        return self._files.exists(self._path(name))

    def write(self, name: str, content: bytes) -> str:
        """Write a file in place of what was there; nobody ever sees half of it.

        Returns:
            Its address.
        """
        with self.writing(name) as file:
            file.write(content)
        return self._files.unstrip_protocol(self._path(name))

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file bit by bit, in place of what was there once all of it is written."""
        path = self._path(name)
        draft = f"{path}.{uuid4().hex}.part"
        self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        try:
            with self._files.open(draft, "wb") as file:
                yield file
            self._files.mv(draft, path)
        finally:
            if self._files.exists(draft):
                self._files.rm(draft)

    def drop(self, name: str) -> None:
        """Remove a file if it is there."""
        if self.has(name):
            self._files.rm(self._path(name))

    def names(self, folder: str) -> list[str]:
        """List the files of a sub-folder, with its name before theirs."""
        path = self._path(folder)
        self._files.invalidate_cache(path)  # other processes write there too
        entries = self._files.ls(path, detail=False) if self._files.exists(path) else []
        return sorted(f"{folder}/{entry.rsplit('/', 1)[1]}" for entry in entries)

    def older_than(self, folder: str, days: int) -> list[str]:
        """List the files of a sub-folder that were written more than some days ago."""
        oldest = datetime.fromtimestamp(time.time() - days * 86400, UTC)
        return [name for name in self.names(folder) if _aware(self._files.modified(self._path(name))) < oldest]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


class TableStorage:
    """The tables between assets: one Parquet file for each asset and day, `postgres_news_partition/2026-01-15.parquet`.

    An asset without days has one, `hub_reconciliation.parquet`, which stays until the next takes its place.

    Args:
        url: a path, or an fsspec URL.
        keep_days: age in days at which a table is dropped.
    """

    def __init__(self, url: str, keep_days: int) -> None:
        self._folder, self._keep_days = Folder(url), keep_days

    def write(self, asset: str, key: str | None, table: pa.Table) -> str:
        """Keep a table in place of what was there; no key is that of an asset without days.

        Returns:
            Its address.
        """
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd", use_dictionary=False)
        address = self._folder.write(_name(asset, key, _TABLE), sink.getvalue())
        self._folder.drop(_name(asset, key, _REASON))
        return address

    def refuse(self, asset: str, key: str, reason: str) -> None:
        """Keep the reason why a day has no table, and no older table of it."""
        self._folder.drop(_name(asset, key, _TABLE))
        self._folder.write(_name(asset, key, _REASON), reason.encode())

    def read(self, asset: str, key: str | None) -> pa.Table:
        """Read a table back.

        Raises:
            NotMaterializedError: it is not there; the message says why.
        """
        content = self._folder.read(_name(asset, key, _TABLE))
        if content is not None:
            return pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)
        reason = self._folder.read(_name(asset, key, _REASON))
        raise NotMaterializedError(
            reason.decode()
            if reason is not None
            else f"{asset}{f' of {key}' if key else ''} is not in {self._folder.url}: materialize it first"
            f"{f' (tables are dropped after {self._keep_days} days)' if key else ''}."
        )

    def prune(self, asset: str) -> int:
        """Drop the asset's tables that are older than `keep_days`.

        Returns:
            How many were dropped.
        """
        old = self._folder.older_than(asset, self._keep_days)
        for name in old:
            self._folder.drop(name)
        return len(old)


def _name(asset: str, key: str | None, kind: str) -> str:
    return f"{asset}/{key}.{kind}" if key else f"{asset}.{kind}"


def _aware(instant: datetime) -> datetime:
    """Read a file system's time; one without a zone is UTC."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
