"""Memory that was freed: given back to the system at once, or kept for what soon asks for as much again.

A worker has little memory, and so `lean` is how the process begins. But who frees and takes megabytes again and again
spends a tenth of the time on asking the system for them: a `roomy` heap keeps some, until it is told to `give_back`.
Only glibc lets itself be told; with another C library nothing changes.
"""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h: bytes at the end of a heap that it keeps, bytes of a piece that is no part of it, heaps."""

_LEAN = {_TRIM_THRESHOLD: 128 << 10, _MMAP_THRESHOLD: 1 << 20, _ARENA_MAX: 1}
_ROOMY = {_TRIM_THRESHOLD: 12 << 20, _MMAP_THRESHOLD: 8 << 20}


def limit_heap() -> None:
    """Give back pieces of a megabyte and more as soon as they are free: glibc would keep ever larger ones for later."""
    _set(_LEAN)


@contextmanager
def keep_free_memory() -> Iterator[None]:
    """Keep what is free from now on, for the time being, and do not look for garbage in what is there already."""
    release_free_memory()
    _set(_ROOMY)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        limit_heap()
        release_free_memory()


def release_free_memory() -> None:
    """Give what is free back to the system."""
    pa.default_memory_pool().release_unused()


def _set(options: dict[int, int]) -> None:
    with suppress(OSError, AttributeError, TypeError):  # another C library
        for option, value in options.items():
            ctypes.CDLL(None).mallopt(option, value)
