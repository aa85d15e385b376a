"""One commit in the client's words: its operations, what of them is uploaded together, and whether they were sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, constants

from govbr_assets.huggingface.blob import Blob
from govbr_assets.huggingface.snapshot import DataFileAt

UPLOAD_BYTES = 8_000_000
"""Bytes that are uploaded together: the client takes up eight files at once, with several times their size in memory.

Source: measured with hf_xet 1.8; 8 files of 50 MB took 700 MB together, and 180 MB one after another.
"""

PIECE_BYTES = 16 << 20
"""Bytes of a file that are uploaded at once before the file itself is, where that many are new.

The client collects 64 MB of chunks before it sends any, in three copies. Of the file itself it sends no chunk that it
has sent in a piece: but for the two of them at each cut, 1% of what is new, nothing travels twice.
Source: measured with hf_xet 1.8; a file of 314 MB took 245 MB of memory, in pieces 66 MB.
"""

LARGE_BYTES = 2 * PIECE_BYTES
"""New bytes of a file from which on they are uploaded in pieces."""

Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def operations_of(put: Mapping[str, Blob], delete: Iterable[str], copy: Iterable[DataFileAt]) -> list[Operation]:
    """Put a change into the client's words."""
    copies = ((each.file.path, each.revision) for each in copy)
    return [
        *(CommitOperationAdd(path_in_repo=path, path_or_fileobj=content) for path, content in put.items()),
        *(CommitOperationCopy(path, path, src_revision=revision) for path, revision in copies),
        *(CommitOperationDelete(path_in_repo=path) for path in delete),
    ]


def upload_groups(operations: Sequence[Operation]) -> list[list[CommitOperationAdd]]:
    """Divide what is to be uploaded into groups of `UPLOAD_BYTES` at most; a larger file is one of its own."""
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
    """Say what is uploaded before the commit that names it, one after another; what is missing the commit uploads.

    Args:
        operations: of the commit.
        fresh: of files by their path, which bytes are new to the Hub.
    """
    groups = upload_groups(operations)
    for group in groups:
        for operation in group:
            yield from ([piece] for piece in _pieces(operation, fresh.get(operation.path_in_repo, ())))
        if len(groups) > 1:
            yield group


def _pieces(operation: CommitOperationAdd, fresh: Sequence[range]) -> Iterator[CommitOperationAdd]:
    """Cut what is new of a file, if it is much; a piece is never committed, and only Xet knows it again in the file."""
    by_xet = not constants.HF_HUB_DISABLE_XET and find_spec("hf_xet")
    if not by_xet or sum(map(len, fresh)) < LARGE_BYTES:
        return
    with operation.as_file() as file:
        for part in (each[start : start + PIECE_BYTES] for each in fresh for start in range(0, len(each), PIECE_BYTES)):
            file.seek(part.start)
            yield CommitOperationAdd(operation.path_in_repo, file.read(len(part)))


def were_sent(operations: Sequence[Operation]) -> bool:
    """Say whether the client has asked for a commit: it does not if the head has all of the files already.

    Of what the commit holds it says nothing: to the client a file that it was told to ignore is committed, too.
    """
    return any(
        operation._is_committed
        if isinstance(operation, CommitOperationAdd)
        else isinstance(operation, CommitOperationDelete) or operation._src_oid != operation._dest_oid
        for operation in operations
    )
