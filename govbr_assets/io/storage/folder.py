"""Files in a folder or at an fsspec URL, written atomically."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import fsspec
from fsspec.spec import AbstractFileSystem

from govbr_assets.errors import ConfigurationError, GovbrAssetsError
from govbr_assets.io.environment import write_in
from govbr_assets.io.settings import cleaned
from govbr_assets.io.storage.errors import storage_failures
from govbr_assets.redact import redact, remember_url

_OBJECT_STORES = {"s3", "s3a", "gs", "gcs"}
"""Protocols of which a file is there when it is closed, whole or not at all."""

_MALFORMED = re.compile(r"(s3a?|gcs?|gs|abfss?|az|adl|hdfs|memory|file)(:/{0,1}|//+)(?!/)", re.I)
"""A URL in which a colon or a slash is missing."""

_TIMES = ("mtime", "LastModified", "created")
"""What file systems call the time of a file in a listing: seconds, or an instant; "created" is that of memory."""


class Folder:
    """A folder of files that are written atomically.

    Names are never patterns, since they may contain brackets and stars. Buckets are never created: a missing one is a
    typing error.

    Args:
        url: a path, or an fsspec URL such as `s3://bucket/folder`.

    Raises:
        ConfigurationError: there is no such file system, or the URL has no bucket.
    """

    def __init__(self, url: str) -> None:
        remember_url(url)
        url = cleaned(url)
        if "://" not in url and _MALFORMED.match(url):
            raise ConfigurationError(
                "GOVBR_STORAGE_URL is malformed, for it names a file system without ://, and would be a folder: write a"
                " URL such as s3://bucket/folder, or the path of a folder."
            )
        with storage_failures("choosing a file system"):
            # Other processes write there too, so listings are not cached.
            self._files, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._root: str = root.rstrip("/")
        self._has_folders = root.startswith("/") or ":" in root[:2]  # an object store's root begins with a bucket
        if not self._has_folders and ("@" in root.partition("/")[0] or not self._root):
            raise ConfigurationError(
                "GOVBR_STORAGE_URL has no bucket, or a key in front of it: write a URL such as s3://bucket/folder, and"
                " the key where its file system looks for one (for s3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
            )
        self.url = url

    def check_writable(self) -> None:
        """Check that a folder of this machine can be written; a bucket is not asked.

        Raises:
            ConfigurationError: it cannot.
        """
        if "file" in self._protocols:
            try:
                write_in(Path(self._root))
            except OSError as error:
                raise ConfigurationError(
                    f"The folder {self._root} cannot be written ({error.strerror}): set GOVBR_STORAGE_URL to a folder"
                    " or a bucket that can."
                ) from None

    @property
    def ends_with_the_process(self) -> bool:
        """Whether the files are lost when the process ends."""
        return "memory" in self._protocols

    @property
    def _protocols(self) -> set[str]:
        """The names of the file system in URLs."""
        names = self._files.protocol
        return {names} if isinstance(names, str) else set(names)

    def read(self, name: str) -> bytes | None:
        """Return the contents of a file, or None if it does not exist."""
        with storage_failures(f"reading {name}"), suppress(FileNotFoundError):
            return self._files.cat_file(self._path(name))
        return None

    def open(self, name: str) -> IO[bytes] | None:
        """Open a file for random access, or return None if it does not exist."""
        with storage_failures(f"opening {name}"), suppress(FileNotFoundError):
            return self._files.open(self._path(name), "rb")
        return None

    def has(self, name: str) -> bool:
        """Return whether a file exists."""
        with storage_failures(f"looking for {name}"), suppress(FileNotFoundError):
            return bool(self._files.info(self._path(name)))
        return False

    def write(self, name: str, content: bytes) -> str:
        """Write a file atomically, replacing any older one.

        Returns:
            Its URL.
        """
        with self.writing(name) as file:
            file.write(content)
        return self.address(name)

    def address(self, name: str) -> str:
        """Return the URL of a file."""
        return redact(self._files.unstrip_protocol(self._path(name)))

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for writing; it replaces any older one when the block ends."""
        path = self._path(name)
        # An object store would copy a file that is renamed, and needs another right for it.
        draft = path if self._protocols & _OBJECT_STORES else f"{path}.{uuid4().hex}.part"
        if self._has_folders:
            with storage_failures(f"making the folder of {name}"):
                self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        with storage_failures(f"writing {name}"):
            file = self._files.open(draft, "wb")
        try:
            with storage_failures(f"writing {name}", among_others=True):
                yield file
            with storage_failures(f"writing {name}"):
                file.close()
                if draft != path:
                    self._move(draft, path)
        except BaseException:  # Ctrl-C as well: nothing of a half-written file may stay; raised again below
            with suppress(GovbrAssetsError), storage_failures(f"removing half of {name}"):  # keep the first error
                if draft == path:
                    _abandon(file)
                else:
                    file.close()
                    self._drop(draft)
            raise

    def drop(self, name: str) -> None:
        """Delete a file if it exists."""
        if self.has(name):
            with storage_failures(f"removing {name}"):
                self._drop(self._path(name))

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a sub-folder, each with the sub-folder in front, sorted."""
        return sorted(self._listed(folder))

    def older_than(self, folder: str, days: int) -> list[str]:
        """Return the names of the files in a sub-folder that were written more than some days ago, sorted."""
        oldest = datetime.fromtimestamp(time.time() - days * 86400, UTC)
        found = self._listed(folder).items()
        return sorted(name for name, entry in found if (at := self._written_at(name, entry)) and at < oldest)

    def _listed(self, folder: str) -> dict[str, Mapping[str, Any]]:
        """List the files in a sub-folder, by name with the sub-folder in front, with what the file system says."""
        with storage_failures(f"listing {folder}"), suppress(FileNotFoundError):
            entries = self._files.ls(self._path(folder), detail=True)
            # A console marks a folder by an empty object: of its name, or of none in it.
            found = {entry["name"].rsplit("/", 1)[1]: entry for entry in entries if entry["type"] == "file"}
            return {f"{folder}/{name}": entry for name, entry in found.items() if name}
        return {}

    def _written_at(self, name: str, entry: Mapping[str, Any]) -> datetime | None:
        """Return when a listed file was written, or None if it was deleted since and the listing does not say it."""
        for key in _TIMES:
            if at := entry.get(key):
                return _aware(at)
        with storage_failures(f"looking at {name}"), suppress(FileNotFoundError):
            return _aware(self._files.modified(self._path(name)))
        return None

    def _move(self, draft: str, path: str) -> None:
        if type(self._files).mv is AbstractFileSystem.mv:  # it would expand names as patterns
            self._files.cp_file(draft, path)
            self._drop(draft)
        else:
            self._files.mv(draft, path)

    def _drop(self, path: str) -> None:
        self._files.rm_file(path)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _abandon(file: Any) -> None:
    """Close a file of an object store so that nothing of it is stored."""
    file.discard()
    file.closed = True  # nor when it is collected


def _aware(at: datetime | float) -> datetime:
    """Return a file system's time as an aware one; without a zone it is UTC."""
    if isinstance(at, datetime):
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime.fromtimestamp(at, UTC)
