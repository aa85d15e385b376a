"""Sets of ids of any size in little memory: eight bytes of each id, in files on the disk."""

from array import array
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

_BUCKETS = 64


class IdBuckets:
    """The hashes of ids, as often as they were added, divided into files by hash.

    Args:
        folder: made for the files, and removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.count = folder, 0
        folder.mkdir()
        self._paths = [folder / str(number) for number in range(_BUCKETS)]
        self._sinks = [path.open("wb") for path in self._paths]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for sink, path in zip(self._sinks, self._paths, strict=True):
            sink.close()
            path.unlink()
        self._folder.rmdir()

    def add(self, ids: pa.ChunkedArray) -> None:
        """Add the ids of a table."""
        buckets = [array("q") for _ in self._paths]
        for each in ids.to_pylist():
            value = hash(each)
            buckets[value % _BUCKETS].append(value)
        for sink, bucket in zip(self._sinks, buckets, strict=True):
            if bucket:
                bucket.tofile(sink)
        self.count += len(ids)

    def repeated(self) -> pa.Array:
        """Give the hashes that were added more than once."""
        found = [pa.array([], pa.int64())]
        for number in range(_BUCKETS):
            counts = pc.value_counts(self._bucket(number))
            found.append(counts.field("values").filter(pc.greater(counts.field("counts"), 1)))
        return pa.concat_arrays(found)

    def missing_in(self, other: "IdBuckets") -> int:
        """Count the ids that were added here and not there."""
        pairs = ((pc.unique(self._bucket(number)), other._bucket(number)) for number in range(_BUCKETS))
        return sum(pc.sum(pc.invert(pc.is_in(here, value_set=there))).as_py() or 0 for here, there in pairs)

    def _bucket(self, number: int) -> pa.Array:
        self._sinks[number].flush()
        content = self._paths[number].read_bytes()
        return pa.Array.from_buffers(pa.int64(), len(content) // 8, [None, pa.py_buffer(content)])
