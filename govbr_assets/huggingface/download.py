"""Downloads of whole files of the Hub, to the disk or into memory, verified by content id."""

from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from govbr_assets.errors import HubUnavailableError
from govbr_assets.huggingface.blob import Blob
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.huggingface.snapshot import DataFile

_PIECE = 4 << 20  # bytes of one request
_MAX_SHORT = 5  # responses that may be shorter than requested


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
    """Fetch a file in pieces; request the rest of a response that was cut off."""
    most = file.size // _PIECE + _MAX_SHORT
    with translated_errors(hub.repo_id, f"fetching {file.path}"), hub.open(file) as remote:
        for _ in range(most):
            if not (piece := remote.read(_PIECE)):
                return
            yield piece
    raise HubUnavailableError(f"{file.path} comes from the Hub in too small pieces: {most} answers were cut off.")


def _check(file: DataFile, content: Blob) -> None:
    """Raise unless the contents match the file's content id."""
    if not file.holds(content):
        raise HubUnavailableError(f"{file.path} came from the Hub with other bytes than it has: try again.")
