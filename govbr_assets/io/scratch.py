"""The folder that a fold works in: removed whatever happens, and with room enough."""

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
    """Make a folder where the system keeps temporary files (`TMPDIR`), and remove it, with what a kill has left.

    Raises:
        NoRoomError: the disk became full.
    """
    _remove_left()
    made = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
    folder = made.with_name(made.name.removeprefix("new-"))
    try:
        with (made / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the system takes it back from a process that is killed
            made.rename(folder)  # only now: who finds a folder without a lock takes it for left over
            yield folder
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError(
            f"{folder.parent} has become full ({error.strerror}): set TMPDIR to a larger disk."
        ) from error
    finally:
        for each in (made, folder):
            shutil.rmtree(each, ignore_errors=True)


def check_room(folder: Path, size: int) -> None:
    """Raise unless some bytes fit on the disk.

    Raises:
        NoRoomError: they do not.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise NoRoomError(
            f"The fold needs some {size / 1e6:,.0f} MB in {folder.parent}, which has {free / 1e6:,.0f} MB free:"
            " set TMPDIR to a larger disk."
        )


def _remove_left() -> None:
    """Remove the folders of folds that were killed: nobody holds their lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
