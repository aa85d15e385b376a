"""Downloads of whole files of the Hub, to the disk or into memory, verified by content id."""

from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from govbr_assets.errors import HubUnavailableError
from govbr_assets.huggingface.blob import Blob
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.huggingface.remote_file import RemoteFile
from govbr_assets.huggingface.snapshot import DataFile

_PIECE = 4 << 20  # bytes of one request
_AT_ONCE = 3  # pieces, each of which is in memory
_MAX_SHORT = 5  # responses in a row that may be shorter than requested


def fetch(hub: RepoClient, file: DataFile, path: Path) -> None:
    """Write a file to the disk, a piece at a time.

    Raises:
        HubUnavailableError: the Hub is out of reach, or what came is not the file.
    """
    with path.open("wb") as sink:
        sink.writelines(_pieces(hub, file))
    _check(file, path)


def fetched(hub: RepoClient, file: DataFile) -> bytes:
    """Return a file, which fits into memory; see `fetch`, which takes a third longer for a small one."""
    headers = build_hf_headers(token=hub.token)
    with translated_errors(hub.repo_id, f"fetching {file.path}"):
        answer = http_backoff("GET", hub.address(file), headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
        hf_raise_for_status(answer)
    whole = len(answer.content) >= file.size
    content = answer.content if whole else b"".join(_pieces(hub, file))  # which asks for what is missing
    _check(file, content)
    return content


def _pieces(hub: RepoClient, file: DataFile) -> Iterator[bytes]:
    """Fetch a file in pieces, some at the same time; request the rest of a response that was cut off."""
    starts = range(0, file.size, _PIECE)
    with translated_errors(hub.repo_id, f"fetching {file.path}"), hub.remote(file) as remote:
        parts = [(start, min(start + _PIECE, file.size)) for start in starts]
        for (start, end), piece in zip(parts, remote.ranges(parts, _AT_ONCE), strict=True):
            yield piece
            yield from _rest(remote, file, start + len(piece), end)


def _rest(remote: RemoteFile, file: DataFile, start: int, end: int) -> Iterator[bytes]:
    """Fetch what a response lacks that was cut off."""
    for _ in range(_MAX_SHORT):
        if start == end:
            return
        piece = remote.range(start, end)
        start += len(piece)
        yield piece
    if start < end:
        raise HubUnavailableError(f"{file.path} comes from the Hub in too small pieces: {_MAX_SHORT} were cut off.")


def _check(file: DataFile, content: Blob) -> None:
    """Raise unless the contents match the file's content id."""
    if not file.holds(content):
        raise HubUnavailableError(f"{file.path} came from the Hub with other bytes than it has: try again.")
