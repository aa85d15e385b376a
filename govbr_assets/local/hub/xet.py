"""Xet's formats, as far as an upload needs them: files that come as lists of chunks, and xorbs that hold the chunks.

The client sends only chunks that it has not sent before; from the list in a shard the Hub puts the whole file together,
and from there on it is an LFS file like any other. Downloads never go by Xet here.

The formats: https://huggingface.co/docs/xet/shard and https://huggingface.co/docs/xet/xorb
"""

import re
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from govbr_assets.local.hub.blobs import write_whole
from govbr_assets.local.hub.errors import RefusedError

_HASH = re.compile(r"[0-9a-f]{64}")
_RECORD = 48
_BOOKEND = b"\xff" * 32
_HEADER_TAG = b"HFRepoMetaData\0"
_HAS_VERIFICATION, _HAS_SHA256 = 1 << 31, 1 << 30
_PLAIN, _LZ4, _GROUPED_LZ4 = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a file: chunks `first` up to and without `end` of a xorb."""

    xorb: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class ChunkedFile:
    """A file as a shard has it.

    Attributes:
        sha256: of the whole content, in hex.
        size: bytes of the whole content.
        terms: the parts, in their order.
    """

    sha256: str
    size: int
    terms: tuple[Term, ...]


class Xorbs:
    """All xorbs of a store. They stay for ever, because clients remember which chunks they need not send again.

    Args:
        folder: where they lie; made if it is not there.
        temporary: a folder on the same file system for what is being written.
    """

    def __init__(self, folder: Path, temporary: Path) -> None:
        self._folder = folder
        self._temporary = temporary
        if not (folder / "name").exists():
            write_whole(folder / "name", secrets.token_hex(8).encode(), temporary)
        self.name = (folder / "name").read_text()
        """Tells these xorbs from those of another folder at the same address, for the memory of clients."""

    def add(self, name: str, content: bytes) -> bool:
        """Keep a xorb.

        Returns:
            Whether it was new.

        Raises:
            RefusedError: the name is no hash.
        """
        if not _HASH.fullmatch(name):
            raise RefusedError(f"{name!r} is not the hash of a xorb.")
        if (self._folder / name).exists():
            return False
        write_whole(self._folder / name, content, self._temporary)
        return True

    def content(self, file: ChunkedFile) -> Iterator[bytes]:
        """Return the content of a file, chunk by chunk.

        Raises:
            RefusedError: a xorb is not there, is too short or broken.
        """
        for term in file.terms:
            place = self._folder / term.xorb
            if not place.exists():
                raise RefusedError(f"There is no xorb {term.xorb}.")
            with place.open("rb") as xorb:
                for number in range(term.end):
                    chunk = _chunk(xorb, wanted=number >= term.first)
                    if number >= term.first:
                        yield chunk


def files_of(shard: bytes) -> list[ChunkedFile]:
    """Read which files a shard describes.

    Raises:
        RefusedError: it is no shard, or a file in it has no SHA-256.
    """
    if not shard.startswith(_HEADER_TAG):
        raise RefusedError("That is not a shard.")
    records = iter([shard[start : start + _RECORD] for start in range(_RECORD, len(shard), _RECORD)])
    try:
        files = []
        while not (header := next(records)).startswith(_BOOKEND):
            flags, parts = struct.unpack_from("<II", header, 32)
            terms, sizes = zip(*[_term(next(records)) for _ in range(parts)], strict=True) if parts else ((), ())
            for _ in range(parts if flags & _HAS_VERIFICATION else 0):
                next(records)
            if not flags & _HAS_SHA256:
                raise RefusedError("A file in the shard has no SHA-256.")
            files.append(ChunkedFile(_hex(next(records)), sum(sizes), terms))
    except (StopIteration, struct.error):
        raise RefusedError("The shard is cut off.") from None
    return files


def _term(record: bytes) -> tuple[Term, int]:
    """Read a part of a file, and its size in bytes."""
    _flags, size, first, end = struct.unpack_from("<IIII", record, 32)
    return Term(_hex(record), first, end), size


def _hex(record: bytes) -> str:
    """Write a hash as Xet does: four little-endian numbers of 64 bits."""
    return "".join(f"{number:016x}" for number in struct.unpack_from("<4Q", record))


def _chunk(xorb: BinaryIO, *, wanted: bool) -> bytes:
    """Read the next chunk, or step over it."""
    header = xorb.read(8)
    packed_size, kind, size = int.from_bytes(header[1:4], "little"), header[4:5], int.from_bytes(header[5:8], "little")
    packed = xorb.read(packed_size)
    if len(header) < 8 or len(packed) < packed_size:
        raise RefusedError("A xorb has fewer chunks than a file needs.")
    if not wanted or kind == bytes([_PLAIN]):
        return packed
    if kind[0] not in (_LZ4, _GROUPED_LZ4):
        raise RefusedError(f"A chunk is compressed in a way that is not known here: {kind[0]}.")
    try:
        chunk = pa.Codec("lz4").decompress(packed, size, asbytes=True)
    except OSError:
        raise RefusedError("A chunk cannot be decompressed.") from None
    return chunk if kind[0] == _LZ4 else _ungrouped(chunk)


def _ungrouped(grouped: bytes) -> bytes:
    """Put bytes back that were sorted by their place in groups of four."""
    chunk, start = bytearray(len(grouped)), 0
    for place in range(4):
        end = start + len(range(place, len(grouped), 4))
        chunk[place::4] = grouped[start:end]
        start = end
    return bytes(chunk)
