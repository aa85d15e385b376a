"""What never changes for a content of the Hub, kept by its id and so fetched once: footers, keys and digests.

The footer of a Parquet file says its schema and where its columns lie; its keys are each row's id and time, and its
digests stand for all that each row says. Nothing here speaks to the Hub: without a folder, or where nothing is kept,
the answer is None and `scan` asks.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.storage import Folder

KEYS_SCHEMA = pa.schema([NEWS_SCHEMA.field(name) for name in ("unique_id", "published_at")])
"""The keys of a row."""

DIGESTS_SCHEMA = KEYS_SCHEMA.append(pa.field("digest", pa.int64()))
"""The keys of a row, and what `core.digest` makes of all of it."""

_FOLDER, _FOOTER, _KEYS, _DIGESTS, _SHA256 = "hub", "footer", "keys.parquet", "digests.parquet", ".sha256"
_KINDS = {_FOOTER, _KEYS, _KEYS + _SHA256, _DIGESTS, _DIGESTS + _SHA256}
_KEEP_DAYS = 30  # after which nobody plans at a revision that still had a content which is gone
_DIGEST = 32  # bytes


class Kept:
    """Footers, keys and digests by content id; what a disk has damaged is as good as not kept.

    Args:
        folder: where they are; None keeps nothing.
    """

    def __init__(self, folder: Folder | None) -> None:
        self._folder, self._pruned = folder, False
        self._intact: set[str] = set()  # names of tables that have been found to be as they were written

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self._folder is not None

    def footer(self, content: str) -> bytes | None:
        """Give the end of a Parquet file, from its footer on."""
        found = self._folder.read(_name(content, _FOOTER)) if self._folder else None
        if found is None or sha256(found[_DIGEST:]).digest() != found[:_DIGEST]:
            return None
        return found[_DIGEST:]

    def keep_footer(self, content: str, footer: bytes) -> None:
        """Keep the end of a Parquet file."""
        if self._folder:
            self._folder.write(_name(content, _FOOTER), sha256(footer).digest() + footer)

    def keys(self, content: str) -> pq.ParquetFile | None:
        """Open the keys of a file: [n rows x 2] of `KEYS_SCHEMA`, in the file's order."""
        return self._table(_name(content, _KEYS))

    def has_keys(self, content: str) -> bool:
        """Say whether the keys of a file are kept, every byte as it was written."""
        return self._has(_name(content, _KEYS))

    def keeping_keys(self, content: str) -> AbstractContextManager[Callable[[pa.Table], None]]:
        """Keep the keys of a file, a table of `KEYS_SCHEMA` at a time; half of them are as good as none."""
        return self._keeping(_name(content, _KEYS), KEYS_SCHEMA)

    def digests(self, content: str) -> pq.ParquetFile | None:
        """Open the digests of a file: [n rows x 3] of `DIGESTS_SCHEMA`, in the file's order."""
        return self._table(_name(content, _DIGESTS))

    def keeping_digests(self, content: str) -> AbstractContextManager[Callable[[pa.Table], None]]:
        """Keep the digests of a file, as `keeping_keys` does its keys."""
        return self._keeping(_name(content, _DIGESTS), DIGESTS_SCHEMA)

    def _table(self, name: str) -> pq.ParquetFile | None:
        """Open a table that is kept and intact."""
        found = self._folder.open(name) if self._folder and self._has(name) else None
        return pq.ParquetFile(found, pre_buffer=False) if found else None

    def _has(self, name: str) -> bool:
        """Say whether a table is kept and intact."""
        if name not in self._intact and self._folder:
            written = self._folder.read(name + _SHA256)
            if written is None or self._digest(name) != written:
                return False
            self._intact.add(name)
        return name in self._intact

    @contextmanager
    def _keeping(self, name: str, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
        """Keep a table once all of it has been written."""
        if not self._folder:
            yield lambda _: None
            return
        with (
            self._folder.writing(name) as sink,
            pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=False) as writer,
        ):
            yield writer.write_table
        self._folder.write(name + _SHA256, self._digest(name))

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


def _name(content: str, kind: str) -> str:
    return f"{_FOLDER}/{content}.{kind}"
