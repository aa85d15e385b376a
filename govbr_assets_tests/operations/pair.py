"""A full dataset and its projection on the local Hub, read past the product's code; and an old sibling of others."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.core.projection import Projection
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import SourceRevision
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.operations.project.plan import ProjectionReport, project
from govbr_assets.publications import REDUCED
from govbr_assets_tests import stranger
from govbr_assets_tests.tables import encode, shard

OLD_CARD = b"""---
license: cc-by-4.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
- config_name: agencies
  data_files: agencies.csv
dataset_info:
  features:
  - name: published_at
    dtype: string
  splits:
  - name: train
    num_bytes: 1
    num_examples: 1
  dataset_size: 1
---
Ours since 2024.
"""


OLD_FILES = {
    f"data/train-{name}.parquet": stranger.as_others_write(pa.table({"url": [name]}))
    for name in ("00000-of-00003", "00001-of-00003", "00002-of-00003", "2026-01-10-061203")
}
"""Those of a sibling that somebody else has made: three base files, and a shard with a time in its name."""


class Pair:
    """The full dataset and its projection, as they lie on the Hub."""

    def __init__(self, local_hub: LocalHub, repo_id: str, projection: Projection = REDUCED) -> None:
        self.hub, self.repo_id, self.reduced_id, self.projection = local_hub, repo_id, f"{repo_id}-small", projection
        self.kept: Path | None = None  # where metadata is kept between runs

    @property
    def full(self) -> Dataset:
        return self._open(self.repo_id, self.projection.of)

    @property
    def reduced(self) -> Dataset:
        return self._open(self.reduced_id, self.projection.spec)

    def _open(self, repo_id: str, spec: DatasetSpec) -> Dataset:
        folder = Folder(str(self.kept / spec.name)) if self.kept else None
        return Dataset.open(repo_id, spec, token=self.hub.write_token, endpoint=self.hub.endpoint, folder=folder)

    def write(self, files: Mapping[str, bytes | None], repo_id: str = "") -> str:
        return stranger.write(self.hub.store, repo_id or self.repo_id, files)

    def project(self) -> list[ProjectionReport]:
        """Mirror, with clients that know nothing; return what each commit did, and check every one of them."""
        results = [each for each in project(self.full, self.reduced, self.projection) if each.committed]
        for result in results:
            report = result.report
            self.check(report.source or "", result.after or "")
        self.hub.faults.clear()
        return [each.report for each in results]

    def files(self, repo_id: str, revision: str = "main") -> dict[str, pa.Table]:
        tree = self.hub.store.tree(repo_id, revision)
        return {path: stranger.read(blob) for path, blob in tree.items() if is_parquet(path)}

    def check(self, source: str = "main", revision: str = "main") -> None:
        """See that a revision holds what one of the full dataset does, file by file and row by row."""
        wanted = self.wanted(source)
        selected = {file.path for file in self.reduced.client.at(self.sha(revision)).data_files}
        found = {path: rows for path, rows in self.files(self.reduced_id, revision).items() if path in selected}
        assert {*found} == {*wanted}
        for path, rows in wanted.items():
            assert found[path].equals(rows), path
            assert found[path].schema.equals(self.projection.spec.schema, check_metadata=True)

    def wanted(self, source: str) -> dict[str, pa.Table]:
        rows = {path: self._projected(table) for path, table in self.files(self.repo_id, source).items()}
        return {path: table for path, table in rows.items() if table.num_rows}

    def _projected(self, table: pa.Table) -> pa.Table:
        only = self.projection.rows
        keep = [not only or each in only.values for each in table[only.column if only else "url"].to_pylist()]
        return (
            table.filter(pa.array(keep, pa.bool_())).select(self.projection.columns).cast(self.projection.spec.schema)
        )

    def sha(self, revision: str) -> str:
        return self.hub.store.head(self.reduced_id) if revision == "main" else revision

    def check_history(self) -> list[str]:
        """See that every commit of the projection is a state of the full dataset, whole; return their revisions."""
        named = {each.revision: SourceRevision.parse(each.message) for each in self.reduced.client.commits()}
        ours = {revision: each.revision for revision, each in named.items() if each}
        for revision, source in ours.items():
            self.check(source, revision)
        return [*ours]

    def source(self, revision: str = "main") -> str:
        commit = next(self.reduced.client.commits(revision))
        named = SourceRevision.parse(commit.message)
        return named.revision if named else ""


def day(day: str, *names: str, count: int = 3) -> dict[str, bytes]:
    """Make the shard of a day, every row with an address of its own."""
    rows = shard(names or [f"{day}-{number}" for number in range(count)], at=Day.of(day).start + timedelta(hours=9))
    urls = pa.array([f"https://{day}/{number}" for number in range(rows.num_rows)])
    return {f"data/train-{day}.parquet": encode(rows.set_column(rows.column_names.index("url"), "url", urls))}
