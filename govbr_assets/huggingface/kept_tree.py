"""What a repo holds at its newest commit, as bytes that are kept from run to run, so that it is not listed again.

Only the last one is kept, and it counts only where the Hub says that its commit is the newest. Where they are kept is
the cache's business.
"""

import json
import zlib

from govbr_assets.huggingface.snapshot import DataFile, Snapshot


def tree_of(snapshot: Snapshot) -> bytes:
    """Write the paths, content ids and sizes of a snapshot's files, and its revision."""
    files = [[file.path, file.content, file.size] for file in snapshot.files.values()]
    return zlib.compress(json.dumps([snapshot.revision, files], separators=(",", ":")).encode(), 1)


def snapshot_of(tree: bytes, revision: str) -> Snapshot | None:
    """Read a snapshot, without its card; None if it is of another revision.

    Args:
        tree: as `tree_of` has written it.
        revision: 40 hex digits.
    """
    kept, files = json.loads(zlib.decompress(tree))
    if kept != revision:
        return None
    return Snapshot(revision, {path: DataFile(path, content, size, revision) for path, content, size in files})
