"""Somebody else who writes to a repo: straight into the store of the local Hub, a commit in a millisecond.

Also what tests read back there, past all of the product's code: the ids in each data file of a revision.
"""

import hashlib
import io
import shutil
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.hub.changes import Delete, Operation, Put
from govbr_assets.local.hub.errors import RepoNotFoundError
from govbr_assets.local.hub.store import HubStore


def write(store: HubStore, repo_id: str, files: Mapping[str, bytes | None], title: str = "Somebody else's") -> str:
    """Make one commit on whatever the head is, in a repo that is made if it is not there.

    Args:
        store: of the local Hub.
        repo_id: which repo.
        files: content by path; None deletes the file.
        title: of the commit.

    Returns:
        The new revision.
    """
    if not exists(store, repo_id):
        store.create(repo_id)
    operations: list[Operation] = [
        Delete(path) if content is None else Put(path, _blob(store, content)) for path, content in files.items()
    ]
    return store.commit(repo_id, None, operations, title).sha


def exists(store: HubStore, repo_id: str) -> bool:
    """Say whether a repo is there."""
    try:
        store.head(repo_id)
    except RepoNotFoundError:
        return False
    return True


def copy_repo(store: HubStore, repo_id: str, to: str) -> None:
    """Copy a repo with its whole history: the same revisions under another name, which nothing has yet."""
    shutil.copytree(store._existing(repo_id), store._place(to))


def as_others_write(rows: pa.Table, row_group_size: int = 2) -> bytes:
    """Write rows as a Parquet file in the writer's own way: small row groups, snappy, whatever order they have."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, row_group_size=row_group_size)
    return sink.getvalue()


def read(blob: Blob) -> pa.Table:
    """Read a data file whole, as readers do."""
    return pq.ParquetFile(blob.path).read()


def _blob(store: HubStore, content: bytes) -> Blob:
    sha256 = hashlib.sha256(content).hexdigest()
    if store.blobs.large(sha256) is None:
        with store.blobs.receive(sha256, len(content)) as incoming:
            incoming.write(content)
    blob = store.blobs.large(sha256)
    assert blob
    return blob
