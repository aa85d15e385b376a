"""A file of a repo at a revision, read in ranges: each is a request, and nothing travels but what is read.

A large file lies in a storage, to which the Hub leads from the file's address: once for all ranges that are read of its
content. What is read, and whether it is what was asked for, is the caller's business.
"""

import io
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from govbr_assets.io.parallel import map_ordered

_AT_ONCE = 8  # ranges of one file
_ADDRESSES = 1_000
_EXPIRED = (401, 403, 404, 410)
"""What a storage says to an address that it does not know any more."""


class StorageAddresses:
    """Where the Hub's storage has contents, as the Hub has said last: addresses that are good for a while.

    Safe to use from any thread.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._lock = Lock()

    def get(self, content: str) -> str:
        """Return the address of a content; empty if none is known."""
        return self._known.get(content, "")

    def put(self, content: str, address: str) -> None:
        """Remember the address of a content, or that there is none any more if it is empty."""
        with self._lock:
            self._known.pop(content, None)
            if address:
                self._known[content] = address
            if len(self._known) > _ADDRESSES:
                del self._known[next(iter(self._known))]


class RangeFile(io.RawIOBase):
    """A file of which ranges are read, as one that can be read and sought in.

    Args:
        size: in bytes.
    """

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0

    @abstractmethod
    def range(self, start: int, end: int) -> bytes:
        """Return the bytes of a half-open range; fewer if what gives them was cut off."""

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return where the next bytes are read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, also beyond the end."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Read so many bytes, to the end of the file at most."""
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        found = self.range(self._at, end) if self._at < end else b""
        self._at += len(found)
        return found

    def readall(self) -> bytes:
        """Read the rest."""
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - a buffer
        """Read as many bytes as a buffer has."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


class RemoteFile(RangeFile):
    """A file on the Hub, each range of which is a request.

    Args:
        address: of the file at the Hub, which names a commit.
        content: its content id.
        size: in bytes.
        token: gives the token; asked for each request to the Hub, and never shown to the storage.
        storage: where contents lie in the storage.
    """

    def __init__(
        self, address: str, content: str, size: int, token: Callable[[], str | None], storage: StorageAddresses
    ) -> None:
        super().__init__(size)
        self._address, self._content, self._token, self._storage = address, content, token, storage

    def ranges(self, wanted: Sequence[tuple[int, int]], workers: int = _AT_ONCE) -> Iterator[bytes]:
        """Fetch ranges, half-open, at the same time as soon as it is known where the content lies."""
        alone = 0 if self._storage.get(self._content) else 1
        yield from (self.range(*each) for each in wanted[:alone])
        yield from map_ordered(lambda each: self.range(*each), wanted[alone:], min(workers, len(wanted) - alone))

    def range(self, start: int, end: int) -> bytes:
        """Fetch a range from the storage that is known, or from where the Hub leads to. Safe to use from any thread."""
        if start >= end:
            return b""
        asked = {"range": f"bytes={start}-{end - 1}"}
        answer = None
        if address := self._storage.get(self._content):
            answer = _get(address, asked)
        if answer is None or answer.status_code in _EXPIRED:
            answer = _get(self._address, {**asked, **build_hf_headers(token=self._token())})
            elsewhere = urlsplit(str(answer.url)).netloc != urlsplit(self._address).netloc
            self._storage.put(self._content, str(answer.url) if elsewhere and answer.is_success else "")
        hf_raise_for_status(answer)
        # A server need not know ranges, and gives the whole file then.
        return answer.content[start:end] if answer.status_code == 200 and start else answer.content[: end - start]


def _get(address: str, headers: dict[str, str]) -> Any:
    """Send a request, by the client's own connections and retries."""
    try:
        return http_backoff("GET", address, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
    except RuntimeError as error:  # a connection of another thread has failed, and the client has closed all
        if "closed" not in str(error):
            raise
        raise ConnectionError(str(error)) from error
