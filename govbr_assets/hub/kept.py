"""What never changes for a content of the Hub, kept by its id and so fetched once in a lifetime: footers and keys.

The footer of a Parquet file says its schema and where its columns lie; its keys are each row's id and time. Nothing
here speaks to the Hub: without a folder, or where nothing is kept, the answer is None and `scan` asks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.storage import Folder

KEYS_SCHEMA = pa.schema([NEWS_SCHEMA.field(name) for name in ("unique_id", "published_at")])
"""The keys of a row."""

_FOLDER, _KINDS = "hub", ("footer", "keys.parquet", "keys.parquet.sha256")
_KEEP_DAYS = 30  # after which nobody plans at a revision that still had a content which is gone
_DIGEST = 32  # bytes


class Kept:
    """Footers and keys by content id; what a disk has damaged is as good as not kept.

    Args:
        folder: where they are; None keeps nothing.
    """

    def __init__(self, folder: Folder | None) -> None:
        self._folder, self._pruned = folder, False
        self._intact: set[str] = set()  # contents whose keys have been found to be as they were written

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self._folder is not None

    def footer(self, content: str) -> bytes | None:
        """Give the end of a Parquet file, from its footer on."""
        found = self._folder.read(_name(content, 0)) if self._folder else None
        if found is None or sha256(found[_DIGEST:]).digest() != found[:_DIGEST]:
            return None
        return found[_DIGEST:]

    def keep_footer(self, content: str, footer: bytes) -> None:
        """Keep the end of a Parquet file."""
        if self._folder:
            self._folder.write(_name(content, 0), sha256(footer).digest() + footer)

    def keys(self, content: str) -> pq.ParquetFile | None:
        """Open the keys of a file: [n rows x 2] of `KEYS_SCHEMA`, in the file's order."""
        if not self._folder or not self.has_keys(content):
            return None
        found = self._folder.open(_name(content, 1))
        return pq.ParquetFile(found, pre_buffer=False) if found else None

    def has_keys(self, content: str) -> bool:
        """Say whether the keys of a file are kept, every byte as it was written."""
        if content not in self._intact and self._folder:
            written = self._folder.read(_name(content, 2))
            if written is None or self._digest(_name(content, 1)) != written:
                return False
            self._intact.add(content)
        return content in self._intact

    @contextmanager
    def keeping_keys(self, content: str) -> Iterator[Callable[[pa.Table], None]]:
        """Keep the keys of a file, a table of `KEYS_SCHEMA` at a time; half of them are as good as none."""
        if not self._folder:
            yield lambda _: None
            return
        name = _name(content, 1)
        with (
            self._folder.writing(name) as sink,
            pq.ParquetWriter(sink, KEYS_SCHEMA, compression="zstd", use_dictionary=False) as writer,
        ):
            yield writer.write_table
        self._folder.write(_name(content, 2), self._digest(name))

    def _digest(self, name: str) -> bytes:
        """Digest a file, a megabyte at a time; nothing for a file that is not there."""
        file, digest = self._folder.open(name) if self._folder else None, sha256()
        if file is None:
            return b""
        with file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.digest()

    def prune(self, living: set[str]) -> None:
        """Drop what is old and of no content that is still on the Hub, once in the life of this object."""
        old = self._folder.older_than(_FOLDER, _KEEP_DAYS) if self._folder and not self._pruned else []
        self._pruned = True
        for name in old:
            content, _, kind = name.rsplit("/", 1)[1].partition(".")
            if self._folder and (content not in living or kind not in _KINDS):
                self._folder.drop(name)


def _name(content: str, kind: int) -> str:
    return f"{_FOLDER}/{content}.{_KINDS[kind]}"
