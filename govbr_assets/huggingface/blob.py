"""What a file on the Hub is made of: bytes at hand, or a local file that is read a piece at a time and never held."""

import hashlib
import io
from pathlib import Path

Blob = bytes | Path


def size_of(content: Blob) -> int:
    """Count the bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def bytes_of(content: Blob) -> bytes:
    """Give the bytes of something small."""
    return content if isinstance(content, bytes) else content.read_bytes()


def opened(content: Blob) -> io.BytesIO | io.BufferedReader:
    """Open it for reading."""
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def sha256_of(content: Blob) -> str:
    """Name it as the Hub does a large file: 64 hex digits."""
    with opened(content) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_id_of(content: Blob) -> str:
    """Name it as git does, and so the Hub a small file: 40 hex digits."""
    header = f"blob {size_of(content)}\0".encode()
    with opened(content) as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(header, usedforsecurity=False)).hexdigest()
