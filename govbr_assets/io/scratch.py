"""Temporary folders that are removed in any case, and a check of free disk space."""

import errno
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from govbr_assets.errors import NoRoomError

_PREFIX, _LOCK = "govbr-fold-", "lock"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a folder under `TMPDIR` and remove it at the end; also remove folders that killed processes have left.

    Raises:
        NoRoomError: the disk became full.
    """
    _remove_leftovers()
    made = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
    folder = made.with_name(made.name.removeprefix("new-"))
    try:
        with (made / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released by the system when the process is killed
            made.rename(folder)  # only now, since `_remove_leftovers` removes folders without a lock
            yield folder
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError(
            f"{folder.parent} has become full ({error.strerror}): set TMPDIR to a larger disk."
        ) from error
    finally:
        for path in (made, folder):
            shutil.rmtree(path, ignore_errors=True)


def check_room(folder: Path, size: int) -> None:
    """Raise unless a folder's disk has room.

    Args:
        folder: on the disk.
        size: bytes needed.

    Raises:
        NoRoomError: it has less free space.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise NoRoomError(
            f"The compaction needs about {size / 1e6:,.0f} MB in {folder.parent}, which has {free / 1e6:,.0f} MB free:"
            " set TMPDIR to a larger disk."
        )


def _remove_leftovers() -> None:
    """Remove the folders of killed processes: those whose lock is free."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
