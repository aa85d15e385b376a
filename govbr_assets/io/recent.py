"""Streams of tables that were taken last, in memory, for those who ask for the same ones again and again."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock

import pyarrow as pa


class RecentTables:
    """Keeps the streams that were taken last, as long as all of them together are small. Safe to use from any thread.

    Args:
        size: bytes at most of all that is kept.
    """

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, Lock()
        self._kept: OrderedDict[str, tuple[list[pa.Table], int]] = OrderedDict()  # with the bytes of each
        self._held = 0

    def stream(self, name: str, source: Callable[[], Iterator[pa.Table] | None]) -> Iterator[pa.Table] | None:
        """Stream the tables of a name: those that are kept, or else the source's, which are kept once all are taken.

        Args:
            name: of the stream, whose tables never change.
            source: begins the stream; None if there is none, which is asked again the next time.
        """
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None:
                self._kept.move_to_end(name)
                return iter(kept[0])
        found = source()
        return None if found is None else self._keeping(name, found)

    def _keeping(self, name: str, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Pass tables on, and keep them unless they are too large."""
        taken, size = list[pa.Table](), 0
        for table in tables:
            size += table.nbytes
            if size <= self._size:
                taken.append(table)
            else:
                taken.clear()
            yield table
        if size <= self._size:
            self._keep(name, taken, size)

    def _keep(self, name: str, tables: list[pa.Table], size: int) -> None:
        """Keep a stream as the last one, and drop the first ones that have no room any more."""
        with self._lock:
            _, before = self._kept.pop(name, ([], 0))
            self._kept[name] = tables, size
            self._held += size - before
            while self._held > self._size:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._held -= dropped
