"""Exceptions of file systems, translated into ours: one sentence with GOVBR_STORAGE_URL, transient or permanent."""

import errno
import logging
from contextlib import AbstractContextManager
from types import TracebackType

from govbr_assets.errors import ConfigurationError, GovbrAssetsError, NoRoomError, StorageUnavailableError

logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs what it raises, with a traceback

_TRANSIENT = {"ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError"}
"""Names of transient exceptions, in Python and in the clients of object stores, which are not imported here."""

_DENIED = {"NoCredentialsError", "PartialCredentialsError", "GoogleAuthError"}
"""Names of exceptions of these clients about a key that is missing or not taken, likewise."""

_DENIED_STATUS = {401, 403}
_TRANSIENT_STATUS = {408, 429, *range(500, 505)}

_BUSY = {errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT, getattr(errno, "EREMOTEIO", errno.EBUSY)}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_MAX_CHARACTERS = 300  # of the file system's message


class storage_failures(AbstractContextManager[None, bool | None]):  # noqa: N801 - called like a function
    """Translate the exceptions of a file system into ours.

    A file system is a plug-in that may raise any class, its own or a library's, so every exception is translated.

    Args:
        doing: the action for the message, such as `writing a/b.parquet`.
        among_others: whether the block also runs code of others, so that only OSError and known classes are translated.
    """

    def __init__(self, doing: str, *, among_others: bool = False) -> None:
        self._doing, self._among_others = doing, among_others

    def __enter__(self) -> None:
        """Enter the context."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Raise our error without its cause, whose traceback of a client helps nobody."""
        if not isinstance(error, Exception) or isinstance(error, GovbrAssetsError):
            return None
        if self._among_others and not isinstance(error, OSError) and not _is_transient(error):
            return None
        raise _translate(error, self._doing) from None


def _translate(error: Exception, doing: str) -> GovbrAssetsError:
    """Return our error for one of a file system."""
    # Base classes of fsspec raise it without a word for what a file system has not got.
    name = "such a file system cannot do this" if isinstance(error, NotImplementedError) else type(error).__name__
    reason = " ".join(str(error).split())[:_MAX_CHARACTERS].rstrip(".") or name
    text = f"GOVBR_STORAGE_URL fails while {doing}: {reason}"
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL:
        return NoRoomError(f"{text}. Make room there.")
    if isinstance(error, PermissionError) or number == errno.EROFS or _is_denied(error):
        return ConfigurationError(
            f"{text}. Look at its key or user, which must have the rights to list, read, write and delete there."
        )
    if isinstance(error, FileNotFoundError):
        return ConfigurationError(
            f"{text}. Look at its bucket or folder: there is none of this name, and none is made."
        )
    if number in _BUSY or _is_transient(error):
        return StorageUnavailableError(f"{text}.")
    return ConfigurationError(f"{text}. Look at the URL, and at what its file system needs.")


def _is_transient(error: Exception) -> bool:
    return _is_any(error, _TRANSIENT) or _status(error) in _TRANSIENT_STATUS


def _is_denied(error: Exception) -> bool:
    # `gcsfs` says nothing of a 403 but these words.
    forbidden = isinstance(error, OSError) and str(error).startswith("Forbidden")
    return forbidden or _is_any(error, _DENIED) or _status(error) in _DENIED_STATUS


def _is_any(error: Exception, names: set[str]) -> bool:
    return not names.isdisjoint(kind.__name__ for kind in type(error).__mro__)


def _status(error: Exception) -> int | None:
    """Return the status of the answer that an exception of `gcsfs` tells of."""
    code = str(getattr(error, "code", ""))
    return int(code) if code.isdecimal() else None
