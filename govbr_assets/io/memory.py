"""Limits of malloc: whether freed memory is returned to the system at once, or kept for reuse.

The process starts with `limit_heap`, since a worker has little memory. Code that frees and allocates megabytes again
and again would spend a tenth of its time in system calls, and runs inside `keep_free_memory`. Only glibc has these
options; with another C library nothing changes.
"""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Options of glibc's malloc.h: free bytes kept at the top of the heap, size of blocks with their own mapping, number of
arenas."""

_LIMITED = {_TRIM_THRESHOLD: 128 << 10, _MMAP_THRESHOLD: 1 << 20, _ARENA_MAX: 1}
_KEEPING = {_TRIM_THRESHOLD: 12 << 20, _MMAP_THRESHOLD: 8 << 20}


def limit_heap() -> None:
    """Return freed blocks of a megabyte or more to the system at once; by default glibc raises that threshold."""
    _set(_LIMITED)


@contextmanager
def keep_free_memory() -> Iterator[None]:
    """Keep freed memory for reuse within a block, and exclude the objects that exist now from garbage collection."""
    release_free_memory()
    _set(_KEEPING)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        limit_heap()
        trim_heap()


def trim_heap() -> None:
    """Return all free memory to the system, also what lies between blocks in use: for the end of a piece of work.

    A process that does one after another would else have the largest free heap of each beside what the next one needs.
    """
    release_free_memory()
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def release_free_memory() -> None:
    """Return the free memory of Arrow's pool to the system."""
    pa.default_memory_pool().release_unused()


def _set(options: dict[int, int]) -> None:
    with suppress(OSError, AttributeError, TypeError):  # another C library
        for option, value in options.items():
            ctypes.CDLL(None).mallopt(option, value)
