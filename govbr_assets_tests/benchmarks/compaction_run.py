"""The compaction of one repo on the local stack by the command of a user, what it took, and whether it did its work.

What it did is read out of the Hub's store, past all of the product's code. Which repo, and what for, is not known here.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.layout import is_parquet
from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.stack import LocalStack
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker

MOST_FILES = 99
"""Files of a commit."""


@dataclass(frozen=True)
class Compaction:
    """What a run of the compaction took.

    Attributes:
        cost: time and memory of the process.
        commits: files that each of its commits put or deleted, in their order.
        fetched: bytes that the Hub sent.
        stored: bytes that came into the Hub's storage of chunks, where each chunk lies once.
        size: bytes of the dataset after it.
    """

    cost: Cost
    commits: list[int]
    fetched: int
    stored: int
    size: int


class CompactedRepo:
    """A repo that is compacted again and again, each time with what the times before have left on the machine.

    Args:
        stack: the repo's Hub.
        worker: where the compaction runs.
        folder: gets what the product keeps.
        repo_id: the repo.

    Attributes:
        environment: what the compaction sees of the environment.
    """

    def __init__(self, stack: LocalStack, worker: Worker, folder: Path, repo_id: str) -> None:
        self._stack, self._worker, self._repo_id = stack, worker, repo_id
        self.environment = stack.environment(date(2025, 1, 1)) | {
            "GOVBR_REPO_ID": repo_id,
            "GOVBR_STORAGE_URL": str(folder / repo_id / "tables"),
            "HF_HOME": str(folder / repo_id / "hf"),
        }

    def compact(self) -> Compaction:
        """Run the compaction, and see that all rows are in year files.

        Raises:
            RuntimeError: it failed, or did not do that.
        """
        store, record = self._stack.hub.store, self._stack.hub.faults
        start, ids, stored = store.head(self._repo_id), self._ids(), self._stored()
        record.forget()
        command = "asset", "materialize", "-m", PRODUCT, "--select", "consolidated_dataset"
        cost = self._worker.run("dagster", self.environment, *command)
        fetched = sum(exchange.sent for exchange in record.requests)
        self._check(ids)
        commits = self._commits_since(start)
        if max(commits, default=0) > MOST_FILES:
            raise RuntimeError(f"A commit has {max(commits)} files.")
        size = sum(blob.size for blob in self.files().values())
        return Compaction(cost, commits, fetched, self._stored() - stored, size)

    def files(self) -> dict[str, Blob]:
        """Give the data files as they are now, by path."""
        tree = self._stack.hub.store.tree(self._repo_id)
        return {path: blob for path, blob in tree.items() if is_parquet(path)}

    def _check(self, ids: pa.ChunkedArray) -> None:
        """Raise unless there are only year files, with every id once and no other."""
        if others := [path for path in self.files() if NEWS.layout.period_of(path) is None]:
            raise RuntimeError(f"{len(others)} files are not compacted, {others[0]} is one.")
        expected, found = pc.unique(ids), self._ids()
        if len(found) != len(expected) or not pc.all(pc.is_in(found, value_set=expected)).as_py():
            raise RuntimeError(f"The year files do not hold the {len(expected)} ids, each once, but {len(found)} rows.")
        if len(pc.unique(found)) != len(found):
            raise RuntimeError("An id stands twice in the year files.")

    def _ids(self) -> pa.ChunkedArray:
        tables = [pq.ParquetFile(blob.path).read(["unique_id"]) for blob in self.files().values()]
        return pa.concat_tables(table.replace_schema_metadata(None) for table in tables)["unique_id"]

    def _stored(self) -> int:
        return sum(path.stat().st_size for path in (self._stack.hub.folder / "xorbs").iterdir())

    def _commits_since(self, start: str) -> list[int]:
        """Count the files that each later commit changed."""
        store = self._stack.hub.store
        revisions = [commit.sha for commit in reversed(store.commits(self._repo_id))]
        trees = [set(store.tree(self._repo_id, each).items()) for each in revisions[revisions.index(start) :]]
        return [len({path for path, _ in before ^ after}) for before, after in pairwise(trees)]
