"""One commit in the client's words: its operations, what of them is uploaded together, and whether they were sent."""

from collections.abc import Iterable, Mapping, Sequence

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

from govbr_assets.hub.content import Content
from govbr_assets.hub.snapshot import HubFileAt

UPLOAD_BYTES = 8_000_000
"""Bytes that are uploaded together: the client takes up eight files at once, with several times their size in memory.

Source: measured with hf_xet 1.8; 8 files of 50 MB took 700 MB together, and 180 MB one after another.
"""

Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def operations_of(put: Mapping[str, Content], delete: Iterable[str], copy: Iterable[HubFileAt]) -> list[Operation]:
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


def were_sent(operations: Sequence[Operation]) -> bool:
    """Say whether the client has sent operations: it sends none if the head has all of their files already."""
    return any(
        operation._is_committed
        if isinstance(operation, CommitOperationAdd)
        else isinstance(operation, CommitOperationDelete) or operation._src_oid != operation._dest_oid
        for operation in operations
    )
