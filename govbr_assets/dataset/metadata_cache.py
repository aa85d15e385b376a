"""What never changes for a content or a revision of the Hub, kept by its id: footers, keys, digests and cards.

The footer of a Parquet file says its schema and where its columns lie; its keys are each row's id and time, and its
digests stand for all that each row says. Of a revision the keys of all its rows can be kept at once, and of one of a
projection what it mirrors; of a repo, what it held last. Nothing here speaks to the Hub: without a folder, or where
nothing is kept, the answer is None, and whoever wants to know asks.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import IO

import pyarrow as pa

from govbr_assets.core.spec import DatasetSpec
from govbr_assets.io.storage.folder import Folder

_FOLDER, _FOOTER, _KEYS, _CARD, _SOURCE = "hub", "footer", "keys", "card", "source"
_TREE = "tree"
_KEEP_DAYS = 30  # after which nobody plans at a revision that still had a content which is gone
_DIGEST = 32  # bytes
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


class MetadataCache:
    """Footers, keys, digests and cards by content id; what a disk has damaged is as good as not kept.

    Args:
        folder: where they are; None keeps nothing.
        spec: of the dataset.
    """

    def __init__(self, folder: Folder | None, spec: DatasetSpec) -> None:
        self._folder, self._spec, self._pruned = folder, spec, False
        self._digests = f"xxh3-{spec.fingerprint}"  # how, and of which columns: others must not be taken for them
        self._intact: set[str] = set()  # names of tables that have been found to be as they were written

    def of(self, spec: DatasetSpec) -> "MetadataCache":
        """Give the same cache for other columns: digests are kept for each set of them."""
        return MetadataCache(self._folder, spec)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self._folder is not None

    def footer(self, content: str) -> bytes | None:
        """Return the end of a Parquet file, from its footer on."""
        return self._bytes(_name(content, _FOOTER))

    def keep_footer(self, content: str, footer: bytes) -> None:
        """Keep the end of a Parquet file."""
        self._keep_bytes(_name(content, _FOOTER), footer)

    def card(self, content: str) -> bytes | None:
        """Return a dataset card."""
        return self._bytes(_name(content, _CARD))

    def keep_card(self, content: str, card: bytes) -> None:
        """Keep a dataset card."""
        self._keep_bytes(_name(content, _CARD), card)

    def tree(self, repo: str) -> bytes | None:
        """Return what a repo held last, as `huggingface.kept_tree` has written it."""
        return self._bytes(_name(repo, _TREE))

    def keep_tree(self, repo: str, tree: bytes) -> None:
        """Keep what a repo holds, in place of what it held before."""
        self._keep_bytes(_name(repo, _TREE), tree)

    def source(self, revision: str) -> str:
        """Return what a revision of a projection was found to mirror, as the trailers of a commit; empty if unknown.

        Args:
            revision: as `RepoClient.key_of` names it.
        """
        return (self._bytes(_name(revision, _SOURCE)) or b"").decode()

    def keep_source(self, revision: str, trailers: str) -> None:
        """Keep what a revision of a projection mirrors."""
        self._keep_bytes(_name(revision, _SOURCE), trailers.encode())

    def keys(self, content: str) -> Iterator[pa.Table] | None:
        """Stream the keys of a file: [n rows x 2] each of the spec's `keys_schema`, in the file's order."""
        return self._tables(_name(content, _KEYS))

    def has_keys(self, content: str) -> bool:
        """Return whether the keys of a file are kept, every byte as it was written."""
        return self._has(_name(content, _KEYS))

    def keeping_keys(self, content: str) -> AbstractContextManager[Callable[[pa.Table], None]]:
        """Keep the keys of a file, a table at a time; half of them are as good as none."""
        return self._keeping(_name(content, _KEYS), self._spec.keys_schema)

    def digests(self, content: str) -> Iterator[pa.Table] | None:
        """Stream the digests of a file: [n rows x 3] each of the spec's `digests_schema`, in the file's order."""
        return self._tables(_name(content, self._digests))

    def has_digests(self, content: str) -> bool:
        """Return whether the digests of a file are kept, every byte as it was written."""
        return self._has(_name(content, self._digests))

    def keeping_digests(self, content: str) -> AbstractContextManager[Callable[[pa.Table], None]]:
        """Keep the digests of a file, as `keeping_keys` does its keys."""
        return self._keeping(_name(content, self._digests), self._spec.digests_schema)

    def _bytes(self, name: str) -> bytes | None:
        """Give bytes that are kept and intact."""
        found = self._folder.read(name) if self._folder else None
        if found is None or sha256(found[_DIGEST:]).digest() != found[:_DIGEST]:
            return None
        return found[_DIGEST:]

    def _keep_bytes(self, name: str, content: bytes) -> None:
        if self._folder:
            self._folder.write(name, sha256(content).digest() + content)

    def _tables(self, name: str) -> Iterator[pa.Table] | None:
        """Stream tables that are kept and intact."""
        file = self._open(name)
        return _tables(file) if file else None

    def _has(self, name: str) -> bool:
        """Return whether tables are kept and intact."""
        if name not in self._intact and (file := self._open(name)):
            file.close()
        return name in self._intact

    def _open(self, name: str) -> IO[bytes] | None:
        """Open tables that are kept and intact: once, as in an object store each time is two requests."""
        file = self._folder.open(name) if self._folder else None
        if file and name not in self._intact:
            if not _is_intact(file):
                file.close()
                return None
            self._intact.add(name)
            file.seek(0)
        return file

    @contextmanager
    def _keeping(self, name: str, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
        """Keep tables once all of them have been written."""
        if not self._folder:
            yield lambda _: None
            return
        with self._folder.writing(name) as sink:
            hashed = _Hashed(sink)
            with pa.ipc.new_stream(hashed, schema, options=_OPTIONS) as writer:
                yield writer.write_table
            sink.write(hashed.digest())

    def prune(self, living: set[str]) -> None:
        """Drop what is old and of no content that is still on the Hub, once in the life of this object."""
        old = self._folder.older_than(_FOLDER, _KEEP_DAYS) if self._folder and not self._pruned else []
        self._pruned = True
        for name in old:
            content, _, kind = name.rsplit("/", 1)[1].partition(".")
            if self._folder and (content not in living or kind not in (_FOOTER, _KEYS, self._digests, _CARD)):
                self._folder.drop(name)


class _Hashed(io.RawIOBase):
    """Writes to a file, and digests what it writes."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink, self._sha256 = sink, sha256()

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes | memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - a buffer
        self._sha256.update(piece)
        return self._sink.write(piece)

    def digest(self) -> bytes:
        """Digest what was written."""
        return self._sha256.digest()


def _is_intact(file: IO[bytes]) -> bool:
    """Return whether a file ends with the digest of what is before it, which it reads a megabyte at a time."""
    digest, tail = sha256(), b""
    while piece := file.read(1 << 20):
        tail += piece
        digest.update(tail[:-_DIGEST])
        tail = tail[-_DIGEST:]
    return tail == digest.digest()


def _tables(file: IO[bytes]) -> Iterator[pa.Table]:
    """Stream what is kept; the digest comes after the end of the stream."""
    with file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _name(content: str, kind: str) -> str:
    folder = _FOLDER if kind != _TREE else _TREE  # of which there is one a repo, and which is never pruned
    return f"{folder}/{content}.{kind}"
