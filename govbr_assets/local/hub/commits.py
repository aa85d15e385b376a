"""A commit: what it says, how it gets its name, and how it is written down with what it changed.

In which order commits follow each other, and where they are kept, belongs to `history`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from govbr_assets.local.hub.blobs import Blob, Blobs
from govbr_assets.local.hub.changes import Change


@dataclass(frozen=True, slots=True)
class Commit:
    """A point in a repo's history.

    Attributes:
        sha: 40 hex digits, a digest of everything below and of the tree.
        parent: the sha of the commit before it; None for the first.
        title: first line of the message.
        description: the rest of the message.
        created_at: aware, UTC, whole milliseconds, never before the parent's.
    """

    sha: str
    parent: str | None
    title: str
    description: str
    created_at: datetime


def new_commit(head: Commit | None, tree: Mapping[str, Blob], title: str, description: str) -> Commit:
    """Make a commit, named after its content as git does.

    Args:
        head: the commit before it, if any.
        tree: path to content, in the order of the paths.
        title: first line of the message.
        description: the rest of the message.
    """
    now = datetime.now(UTC)
    created_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    if head is not None:
        created_at = max(created_at, head.created_at)
    listing = "".join(f"100644 {path}\0{blob.oid}" for path, blob in tree.items())
    parent = head.sha if head else None
    named = [_digest(listing), parent, created_at.isoformat(), title, description]
    return Commit(_digest(json.dumps(named)), parent, title, description, created_at)


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def dump(commit: Commit, change: Change) -> bytes:
    """Write a commit and its change down."""
    return json.dumps(
        {
            "sha": commit.sha,
            "parent": commit.parent,
            "title": commit.title,
            "description": commit.description,
            "created_at": commit.created_at.isoformat(),
            "put": {path: [blob.oid, blob.size, blob.sha256] for path, blob in change.put.items()},
            "deleted": list(change.deleted),
        },
        indent=1,
    ).encode()


def load(text: bytes, blobs: Blobs) -> tuple[Commit, Change]:
    """Read what `dump` has written."""
    record = json.loads(text)
    created_at = datetime.fromisoformat(record["created_at"])
    commit = Commit(record["sha"], record["parent"], record["title"], record["description"], created_at)
    put = {file: blobs.describe(*digests) for file, digests in record["put"].items()}
    return commit, Change(put, tuple(record["deleted"]))
