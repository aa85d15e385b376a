"""Files that a benchmark puts on the local Hub, straight into its store. What is in them is not known here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from govbr_assets.core.layout import CARD_PATH
from govbr_assets.local.hub.changes import Put
from govbr_assets.local.hub.store import HubStore
from govbr_assets_tests.tables import usual_card


@dataclass(frozen=True)
class DataFile:
    """A file on disk that is to go to the Hub.

    Attributes:
        path: where it is to stand in the repo.
        place: where it is now.
        sha256: digest in hex.
        rows: how many it has.
    """

    path: str
    place: Path
    sha256: str
    rows: int

    @classmethod
    def of(cls, path: str, place: Path, rows: int, **more: Any) -> Self:
        """Describe a file that has just been written."""
        with place.open("rb") as file:
            return cls(path, place, hashlib.file_digest(file, "sha256").hexdigest(), rows, **more)


def put_on_hub(store: HubStore, repo_id: str, files: Sequence[DataFile]) -> None:
    """Put files and a card into a repo, which is made if it is not there; the files are moved, not read."""
    if repo_id not in store.repos():
        store.create(repo_id)
    operations = [Put(CARD_PATH, store.blobs.add(usual_card(None).encode()))]
    for file in files:
        target = store.blobs.describe("", 0, file.sha256).path
        target.parent.mkdir(exist_ok=True)
        file.place.replace(target)
        blob = store.blobs.large(file.sha256)
        assert blob
        operations.append(Put(file.path, blob))
    store.commit(repo_id, None, operations, "Put files here")
