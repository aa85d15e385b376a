"""The repo of one peer on the local Hub, looked at and changed past all of its and the product's code."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.layout import CARD_PATH
from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.hub.changes import Put
from govbr_assets.local.hub.store import HubStore
from govbr_assets_tests.tables import encode

CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---
# News
"""
"""Says which files the dataset is, and nothing of columns: with these and without sizes, `push_to_hub` fails."""

OTHERS_FILE, OTHERS_LINE = "data/train-of-somebody-else.parquet", "A line of somebody else.\n"


@dataclass(frozen=True)
class Repo:
    """A copy of the dataset that one peer publishes to.

    Attributes:
        store: of the Hub.
        repo_id: its name.
    """

    store: HubStore
    repo_id: str

    @classmethod
    def copy(cls, store: HubStore, source: str, repo_id: str, texts: Mapping[str, str]) -> "Repo":
        """Make a repo with the data files of another one, a plain card, and some more texts."""
        store.create(repo_id)
        files = [Put(path, blob) for path, blob in store.tree(source).items() if path.startswith("data/")]
        store.commit(repo_id, None, [*files, *_texts(store, {CARD_PATH: CARD, **texts})], "Copy the data")
        return cls(store, repo_id)

    def commits(self) -> int:
        """Count the commits."""
        return len(self.store.commits(self.repo_id))

    def files(self) -> dict[str, Blob]:
        """Return the files that the card selects, by path."""
        tree = self.store.tree(self.repo_id)
        return {path: blob for path, blob in tree.items() if fnmatchcase(path, "data/train-*.parquet")}

    def link(self, folder: Path) -> None:
        """Put these files into a folder, without copying them."""
        for path, blob in self.files().items():
            (folder / Path(path).name).symlink_to(blob.path)

    def titles(self) -> dict[str, list[str]]:
        """Return the titles of all rows by id: more than one where a row stands twice."""
        found: dict[str, list[str]] = {}
        for blob in self.files().values():
            rows = pq.ParquetFile(blob.path).read(["unique_id", "title"]).to_pydict()
            for unique_id, title in zip(rows["unique_id"], rows["title"], strict=True):
                found.setdefault(unique_id, []).append(title)
        return found

    def card(self) -> str:
        """Return the text of the card."""
        return self.store.tree(self.repo_id)[CARD_PATH].path.read_text()

    def write_as_somebody_else(self, row: pa.Table) -> None:
        """Commit a file with a row of its own, and a line at the end of the card."""
        content = encode(row)
        sha256 = hashlib.sha256(content).hexdigest()
        with self.store.blobs.receive(sha256, len(content)) as incoming:
            incoming.write(content)
        blob = self.store.blobs.large(sha256)
        assert blob
        texts = _texts(self.store, {CARD_PATH: self.card() + OTHERS_LINE})
        self.store.commit(self.repo_id, None, [Put(OTHERS_FILE, blob), *texts], "Add a row")


def _texts(store: HubStore, texts: Mapping[str, str]) -> list[Put]:
    """Keep small files, to be put at their paths."""
    return [Put(path, store.blobs.add(text.encode())) for path, text in texts.items()]
