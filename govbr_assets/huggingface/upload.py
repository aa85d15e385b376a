"""The operations of a commit for the Hub's client, and the order in which their files are uploaded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, constants

from govbr_assets.huggingface.blob import Blob, size_of
from govbr_assets.huggingface.snapshot import DataFile

UPLOAD_BYTES = 8_000_000
"""Maximum number of bytes uploaded together: the client uploads eight files at once, with several times their size in
memory.

Source: measured with hf_xet 1.8; 8 files of 50 MB took 700 MB together, and 180 MB one after another.
"""

PIECE_BYTES = 8 << 20
"""Size of the pieces of a large file that are uploaded before the file itself.

The client collects 64 MB of chunks in three copies before it sends any. It does not resend chunks that it has sent in a
piece; only the two chunks at each cut, 2% of the new bytes, are sent twice.
Source: measured with hf_xet 1.8; a file of 314 MB took 227 MB of memory, in pieces 53 MB, in pieces of 16 MB 66 MB; in
pieces of 4 MB it is no less, and twice as many requests.
"""

LARGE_BYTES = 2 * PIECE_BYTES
"""Number of new bytes from which on a file is uploaded in pieces."""


class TakenFile(NamedTuple):
    """What the Hub says of a file before it comes.

    Attributes:
        mode: how it is to be uploaded, `lfs` or `regular`; another text lets the client ask.
        content: id of what the head has at the path; None if there is nothing.
    """

    mode: str
    content: str | None


Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def operations_of(
    put: Mapping[str, Blob],
    delete: Iterable[str],
    copy: Iterable[DataFile],
    taken: Mapping[str, TakenFile] | None = None,
) -> list[Operation]:
    """Put a change into the client's words, with what the Hub has said of its files, so that it does not ask again."""
    copies = ((each.path, each.revision) for each in copy)
    return [
        *(_addition(path, content, (taken or {}).get(path)) for path, content in put.items()),
        *(CommitOperationCopy(path, path, src_revision=revision) for path, revision in copies),
        *(CommitOperationDelete(path_in_repo=path) for path in delete),
    ]


def _addition(path: str, content: Blob, taken: TakenFile | None) -> CommitOperationAdd:
    operation = CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)
    # A client that keeps this elsewhere asks again. An empty file it uploads in its own way.
    if taken and taken.mode in ("lfs", "regular") and size_of(content):
        operation._upload_mode, operation._remote_oid = taken.mode, taken.content
        operation._should_ignore = False
    return operation


def upload_groups(operations: Sequence[Operation]) -> list[list[CommitOperationAdd]]:
    """Group the files to upload into groups of at most `UPLOAD_BYTES`; a larger file is a group of its own."""
    groups: list[list[CommitOperationAdd]] = []
    room = 0
    for operation in operations:
        if isinstance(operation, CommitOperationAdd):
            size = operation.upload_info.size
            if not groups or size > room:
                groups.append([])
                room = UPLOAD_BYTES
            groups[-1].append(operation)
            room -= size
    return groups


def uploads_ahead(
    operations: Sequence[Operation], fresh: Mapping[str, Sequence[range]]
) -> Iterator[list[CommitOperationAdd]]:
    """Yield the uploads to make before the commit, one after another; the commit uploads what is missing.

    Args:
        operations: of the commit.
        fresh: ranges of bytes that are new to the Hub, by path.
    """
    groups = upload_groups(operations)
    for group in groups:
        for operation in group:
            yield from ([piece] for piece in _pieces(operation, fresh.get(operation.path_in_repo, ())))
        if len(groups) > 1:
            yield group


def _pieces(operation: CommitOperationAdd, fresh: Sequence[range]) -> Iterator[CommitOperationAdd]:
    """Yield the new bytes of a large file in pieces that are not committed, but that Xet finds in the file again."""
    by_xet = not constants.HF_HUB_DISABLE_XET and find_spec("hf_xet")
    if not by_xet or sum(map(len, fresh)) < LARGE_BYTES:
        return
    with operation.as_file() as file:
        for part in (each[start : start + PIECE_BYTES] for each in fresh for start in range(0, len(each), PIECE_BYTES)):
            file.seek(part.start)
            piece = CommitOperationAdd(operation.path_in_repo, file.read(len(part)))
            piece._upload_mode, piece._should_ignore = operation._upload_mode, operation._should_ignore
            yield piece


def were_sent(operations: Sequence[Operation]) -> bool:
    """Return whether the client has requested a commit, which it omits if the head has all of the files already.

    This does not mean that all files are in it: the client also counts ignored files as committed.
    """
    return any(
        operation._is_committed
        if isinstance(operation, CommitOperationAdd)
        else isinstance(operation, CommitOperationDelete) or operation._src_oid != operation._dest_oid
        for operation in operations
    )
