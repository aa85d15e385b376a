"""What file systems raise as our errors: one sentence with GOVBR_STORAGE_URL, and whether another try can help."""

import errno
from contextlib import AbstractContextManager
from types import TracebackType

from govbr_assets.errors import ConfigurationError, GovbrAssetsError, NoRoomError, StorageUnavailableError

_PASSING = {"ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError"}
"""Names of classes of what passes, in Python and in the clients of object stores, none of which is imported here."""

_BUSY = {errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT, getattr(errno, "EREMOTEIO", errno.EBUSY)}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_CHARACTERS = 300  # of what the file system says


class storage_failures(AbstractContextManager[None, bool | None]):  # noqa: N801 - called like a function
    """Turn what a file system raises into our errors.

    A file system is a plug-in and raises what it likes, its own classes and those of its libraries, so that whatever
    comes by here is taken for its answer.

    Args:
        doing: what was tried, such as `writing a/b.parquet`.
        among_others: whether errors of others come by as well: then only what has the class of a file system's is ours.
    """

    def __init__(self, doing: str, *, among_others: bool = False) -> None:
        self._doing, self._among_others = doing, among_others

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Raise our error in place of theirs, without theirs: it is the stack of a client that nobody can use."""
        if not isinstance(error, Exception) or isinstance(error, GovbrAssetsError):
            return None
        if self._among_others and not isinstance(error, OSError) and not _passes(error):
            return None
        raise _ours(error, self._doing) from None


def _ours(error: Exception, doing: str) -> GovbrAssetsError:
    """Choose our error."""
    nothing = "such a file system cannot do this" if isinstance(error, NotImplementedError) else type(error).__name__
    said = " ".join(str(error).split())[:_CHARACTERS].rstrip(".") or nothing
    told = f"GOVBR_STORAGE_URL fails while {doing}: {said}"
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL:
        return NoRoomError(f"{told}. Make room there.")
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return ConfigurationError(
            f"{told}. Look at its key or user, which must have the rights to list, read, write and delete there."
        )
    if isinstance(error, FileNotFoundError):
        return ConfigurationError(
            f"{told}. Look at its bucket or folder: there is none of this name, and none is made."
        )
    if number in _BUSY or _passes(error):
        return StorageUnavailableError(f"{told}.")
    return ConfigurationError(f"{told}. Look at the URL, and at what its file system needs.")


def _passes(error: Exception) -> bool:
    return not _PASSING.isdisjoint(each.__name__ for each in type(error).__mro__)
