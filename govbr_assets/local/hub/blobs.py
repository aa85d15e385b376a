"""Contents of files, kept under the digest of what is in them, shared by all repos of a store.

Which path of which revision a content stands at belongs to `history`. A content is whole or not there at all: it is
written to a temporary file first and renamed into place.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from govbr_assets.local.hub.errors import RefusedError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"


@dataclass(frozen=True, slots=True)
class Blob:
    """A content.

    Attributes:
        oid: git's SHA-1 blob id, in hex; of an LFS file that of its pointer, as git has it.
        size: bytes of the content itself.
        sha256: SHA-256 of the content in hex if it is an LFS file, else None.
        path: the content on disk.
    """

    oid: str
    size: int
    sha256: str | None
    path: Path

    @property
    def pointer_size(self) -> int:
        """Bytes of the LFS pointer that git keeps in the content's place."""
        return len(_pointer(self.sha256 or "", self.size))


class Incoming:
    """A content on its way in: written in pieces, counted and hashed meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._file.write(piece)
        self._sha256.update(piece)
        self.size += len(piece)

    @property
    def sha256(self) -> str:
        """SHA-256 in hex of what has been written so far."""
        return self._sha256.hexdigest()


class Blobs:
    """All contents of a store.

    Args:
        folder: where they lie; made if it is not there.
        temporary: a folder on the same file system for what is being written.
    """

    def __init__(self, folder: Path, temporary: Path) -> None:
        self._folder = folder
        self._temporary = temporary
        for kind in ("git", "lfs"):
            (folder / kind).mkdir(parents=True, exist_ok=True)

    def add(self, content: bytes) -> Blob:
        """Keep a small content as git does: by its SHA-1 blob id."""
        blob = self.describe(git_oid(content), len(content), None)
        if not blob.path.exists():
            write_whole(blob.path, content, self._temporary)
        return blob

    @contextmanager
    def receive(self, sha256: str, size: int | None = None) -> Iterator[Incoming]:
        """Take in a large content piece by piece, and keep it if it is what it was announced as.

        Args:
            sha256: the announced SHA-256, in hex.
            size: the announced size in bytes; None if nobody said.

        Yields:
            What to write the pieces to. Nothing is kept if the block raises.

        Raises:
            RefusedError: what came has another digest or size.
        """
        descriptor, name = tempfile.mkstemp(dir=self._temporary)
        try:
            with os.fdopen(descriptor, "wb") as file:
                incoming = Incoming(file)
                yield incoming
            if size is not None and incoming.size != size:
                raise RefusedError(f"{incoming.size} bytes came where {size} were announced for {sha256}.")
            if incoming.sha256 != sha256:
                raise RefusedError(f"The content has SHA-256 {incoming.sha256}, not {sha256} as announced.")
            target = self._large_path(sha256)
            target.parent.mkdir(exist_ok=True)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)

    def large(self, sha256: str) -> Blob | None:
        """Look up a large content by its SHA-256; None if it has not come yet, or could never."""
        path = self._large_path(sha256)
        if not is_sha256(sha256) or not path.exists():
            return None
        size = path.stat().st_size
        return self.describe(git_oid(_pointer(sha256, size)), size, sha256)

    def describe(self, oid: str, size: int, sha256: str | None) -> Blob:
        """Return where a content lies that is known by its digests; does not look whether it is there."""
        path = self._large_path(sha256) if sha256 else self._folder / "git" / oid[:2] / oid
        return Blob(oid, size, sha256, path)

    def _large_path(self, sha256: str) -> Path:
        return self._folder / "lfs" / sha256[:2] / sha256


def is_sha256(text: str) -> bool:
    """Return whether a text is a SHA-256 in hex."""
    return _SHA256.fullmatch(text) is not None


def git_oid(content: bytes) -> str:
    """Compute git's blob id: SHA-1 over a header and the content, in hex."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def write_whole(path: Path, content: bytes, temporary: Path) -> None:
    """Write a file so that it is there whole or not at all, whenever the process is killed.

    Args:
        path: the file; its folder is made if it is not there.
        content: all of it.
        temporary: a folder on the same file system.
    """
    descriptor, name = tempfile.mkstemp(dir=temporary)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(name).replace(path)


def _pointer(sha256: str, size: int) -> bytes:
    return _POINTER.format(sha256=sha256, size=size).encode()
