"""What never changes for a content of the Hub, kept by its id and so fetched once in a lifetime: footers and keys.

The footer of a Parquet file says its schema and where its columns lie; its keys are each row's id and time. Nothing
here speaks to the Hub: without a folder, or where nothing is kept, the answer is None and `scan` asks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.storage import Folder

KEYS_SCHEMA = pa.schema([NEWS_SCHEMA.field(name) for name in ("unique_id", "published_at")])
"""The keys of a row."""

_FOLDER, _KINDS = "hub", ("footer", "keys.parquet")
_KEEP_DAYS = 30  # after which nobody plans at a revision that still had a content which is gone


class Kept:
    """Footers and keys by content id.

    Args:
        folder: where they are; None keeps nothing.
    """

    def __init__(self, folder: Folder | None) -> None:
        self._folder, self._pruned = folder, False

    def footer(self, content: str) -> bytes | None:
        """Give the end of a Parquet file, from its footer on."""
        return self._folder.read(_footer(content)) if self._folder else None

    def keep_footer(self, content: str, footer: bytes) -> None:
        """Keep the end of a Parquet file."""
        if self._folder:
            self._folder.write(_footer(content), footer)

    def keys(self, content: str) -> pq.ParquetFile | None:
        """Open the keys of a file: [n rows x 2] of `KEYS_SCHEMA`, in the file's order and row groups."""
        found = self._folder.open(_keys(content)) if self._folder else None
        try:
            return pq.ParquetFile(found, pre_buffer=False) if found else None
        except pa.ArrowInvalid:  # a disk that lost its content: as good as not kept
            return None

    def has_keys(self, content: str) -> bool:
        """Say whether the keys of a file are kept."""
        return bool(self._folder and self._folder.has(_keys(content)))

    @contextmanager
    def keeping_keys(self, content: str) -> Iterator[Callable[[pa.Table], None]]:
        """Keep the keys of a file, a table of `KEYS_SCHEMA` at a time; half of them are as good as none."""
        if not self._folder:
            yield lambda _: None
            return
        with (
            self._folder.writing(_keys(content)) as sink,
            pq.ParquetWriter(sink, KEYS_SCHEMA, compression="zstd", use_dictionary=False) as writer,
        ):
            yield writer.write_table

    def prune(self, living: set[str]) -> None:
        """Drop what is old and of no content that is still on the Hub, once in the life of this object."""
        old = self._folder.older_than(_FOLDER, _KEEP_DAYS) if self._folder and not self._pruned else []
        self._pruned = True
        for name in old:
            content, _, kind = name.rsplit("/", 1)[1].partition(".")
            if self._folder and (content not in living or kind not in _KINDS):
                self._folder.drop(name)


def _footer(content: str) -> str:
    return f"{_FOLDER}/{content}.{_KINDS[0]}"


def _keys(content: str) -> str:
    return f"{_FOLDER}/{content}.{_KINDS[1]}"
