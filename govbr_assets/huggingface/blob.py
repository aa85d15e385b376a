"""Contents of a file to be published: bytes in memory, or a local file that is read piece by piece."""

import hashlib
import io
from pathlib import Path

Blob = bytes | Path


def size_of(content: Blob) -> int:
    """Return the size in bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def bytes_of(content: Blob) -> bytes:
    """Return the bytes of a small blob."""
    return content if isinstance(content, bytes) else content.read_bytes()


def opened(content: Blob) -> io.BytesIO | io.BufferedReader:
    """Open a blob for reading."""
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def sha256_of(content: Blob) -> str:
    """Return the sha256, the Hub's content id of a large file: 64 hex digits."""
    with opened(content) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_id_of(content: Blob) -> str:
    """Return git's blob id, the Hub's content id of a small file: 40 hex digits."""
    header = f"blob {size_of(content)}\0".encode()
    with opened(content) as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(header, usedforsecurity=False)).hexdigest()
