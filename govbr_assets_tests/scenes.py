"""A repo and a database in the middle of their life, and the laws that hold at every revision of such a repo.

Three days with a shard each, beside a legacy file that nobody compacts; then late rows come to PostgreSQL. Content is
new in every scene: the client sends no chunk twice that it has sent once, and an upload that does not happen cannot
break.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from dagster import ExecuteInProcessResult
from huggingface_hub import CommitOperationAdd, HfApi

from govbr_assets.core.days import Day
from govbr_assets.errors import GovbrAssetsError, PermanentError
from govbr_assets.local.hub.changes import Put
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.tables import encode, shard, usual_card

DAYS = ("2026-01-14", "2026-01-15", "2026-01-16")
LEGACY = "data/train-00000-of-00001.parquet"


@dataclass
class Scene:
    """A repo that holds something already, and a database that holds more.

    Attributes:
        graph: the repo, the database and the ways to run.
        bulk: rows of each day that the legacy file holds beside the others.
        base: the revision before the late rows came; None if there was no repo.
        old_ids: for each id on the Hub that is not the row's id in PostgreSQL, that one.
    """

    graph: Graph
    bulk: int = 2
    base: str | None = None
    old_ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, bulk: int = 2) -> "Scene":
        """Publish the past, and let the late rows come."""
        scene = cls(graph, bulk)
        scene.old_ids = {scene.id("old-b"): scene.id("b")}
        scene._write("a legacy file", {LEGACY: scene._legacy()})
        shards = {"2026-01-14": ["e"], "2026-01-15": ["c", "d", "gone"], "2026-01-16": ["f", "wanderer"]}
        files = {
            NEWS.layout.day_path(Day.of(day)): encode(
                shard(scene.ids(*names), at=Day.of(day).start + timedelta(hours=9))
            )
            for day, names in shards.items()
        }
        scene.base = scene._write("shards", {**files, "README.md": usual_card(None).encode()})
        graph.insert(*scene.ids("e", "late-14"), day="2026-01-14")
        graph.insert(*scene.ids("a", "moved", "c", "d", "wanderer", "late-1"), day="2026-01-15")
        graph.insert(scene.id("b"), legacy=scene.id("old-b"))
        graph.insert(scene.id("late-2"), legacy=scene.id("old-late-2"))
        graph.insert(*scene.ids("f", "late-16"), day="2026-01-16")
        graph.execute(*map(scene._bulk, DAYS))
        graph.local_hub.faults.forget()
        return scene

    @property
    def repo_id(self) -> str:
        """The repo."""
        return self.graph.repo_id

    @property
    def new_commits(self) -> list[str]:
        """The revisions since `base`, oldest first."""
        revisions = [commit.sha for commit in self.graph.local_hub.store.commits(self.repo_id)][::-1]
        return revisions[revisions.index(self.base) + 1 if self.base else 0 :]

    def id(self, name: str) -> str:
        """Make an id that no other scene has."""
        return f"{self.repo_id.rsplit('-', 1)[1]}-{name}"

    def ids(self, *names: str) -> list[str]:
        """Make several ids."""
        return [self.id(name) for name in names]

    def somebody_else_commits(self) -> None:
        """Let another writer commit something that is no news; without a request that something could go wrong with."""
        store = self.graph.local_hub.store
        note = store.blobs.add(store.head(self.repo_id).encode())
        store.commit(self.repo_id, None, [Put("notes.txt", note)], "something else")

    def somebody_else_publishes(self, *names: str, path: str = "data/train-00001-of-00002.parquet") -> None:
        """Let another writer publish rows of the day in a file of its own."""
        self._write("rows", {path: encode(shard(self.ids(*names)))})

    def files(self, revision: str) -> dict[str, pa.Table]:
        """Read the data files of a revision where the Hub keeps them, by path."""
        tree = self.graph.local_hub.store.tree(self.repo_id, revision)
        return {path: pq.ParquetFile(blob.path).read() for path, blob in tree.items() if path.startswith("data/")}

    def rows_of(self, tables: Sequence[pa.Table]) -> Counter[str]:
        """Count rows by the id that they have in PostgreSQL: two ids of one row are one."""
        return self._count(each for table in tables for each in table["unique_id"].to_pylist())

    def rows_at(self, revision: str) -> Counter[str]:
        """Count the rows of a revision, likewise."""
        tree = self.graph.local_hub.store.tree(self.repo_id, revision)
        return self._count(each for path, blob in tree.items() if path.startswith("data/") for each in _ids(blob.path))

    def _count(self, ids: Iterable[str]) -> Counter[str]:
        return Counter(self.old_ids.get(each, each) for each in ids)

    def check_history(self) -> None:
        """Every revision since `base` has each row once and all that the one before had, and a card beside its rows."""
        before = self.rows_at(self.base) if self.base else Counter()
        for revision in self.new_commits:
            rows = self.rows_at(revision)
            assert {each: count for each, count in rows.items() if count > 1} == {}
            assert set(before) - set(rows) <= {self.id("gone")}  # which PostgreSQL has nowhere
            tree = self.graph.local_hub.store.tree(self.repo_id, revision)
            assert not rows or "data/train-*.parquet" in tree["README.md"].path.read_text()
            before = rows

    def check_readers(self, folder: Path) -> None:
        """Every revision since `base` is read by readers alike, from what the real client downloads of it."""
        for revision in self.new_commits:
            downloaded = readers.download(self.graph, folder / revision, revision)
            held = self.rows_at(revision)
            for name in ("polars", "pyarrow"):
                assert self.rows_of([readers.ON_FILES[name](downloaded)]) == held

    def check_complete(self, days: Sequence[str]) -> None:
        """Every row of the days and of the past is there once, but for the one that PostgreSQL has nowhere."""
        wanted = self.rows_of(list(self._in_postgres(days).values()))
        past = self.rows_at(self.base) if self.base else Counter()
        gone = {self.id("gone")} if DAYS[1] in days else set()
        assert self.rows_at("main") == Counter({*past, *wanted} - gone)

    def check_shards(self, days: Sequence[str]) -> None:
        """The shards of the days hold what PostgreSQL has of them and no file that is not compacted holds."""
        files = self.files("main")
        for day, rows in self._in_postgres(days).items():
            path = NEWS.layout.day_path(Day.of(day))
            elsewhere = self.rows_of([table for other, table in files.items() if NEWS.layout.day_of(other) is None])
            wanted = _without(rows, elsewhere).sort_by(NEWS.sorted_by)
            assert files.get(path, NEWS.schema.empty_table()).equals(wanted), path

    def _in_postgres(self, days: Sequence[str]) -> dict[str, pa.Table]:
        """Read the rows of some days, over one connection."""
        take = self._news.read_days([Day.of(day) for day in days])
        return {day: take(Day.of(day)).select(NEWS.schema.names) for day in days}

    @cached_property
    def _news(self) -> NewsTable:
        """PostgreSQL as the product reads it."""
        return NewsTable(self.graph.postgres_url, NEWS)

    def _write(self, title: str, files: dict[str, bytes]) -> str:
        """Commit as another writer does, with a client of its own."""
        hub = self.graph.local_hub
        api = HfApi(endpoint=hub.endpoint, token=hub.write_token)
        api.create_repo(self.repo_id, repo_type="dataset", exist_ok=True)
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        return api.create_commit(self.repo_id, operations, commit_message=title, repo_type="dataset").oid

    def _legacy(self) -> bytes:
        """Make the legacy file: rows of all days in any order, one under its old id, one under another day."""
        rows = [shard(self.ids("a", "old-b")), shard([self.id("moved")], at=Day.of("2026-01-14").start)]
        for day in DAYS:
            bulk = self.ids(*(f"bulk-{day}-{number}" for number in range(1, self.bulk + 1)))
            rows.append(shard(bulk, at=Day.of(day).start))
        sink = pa.BufferOutputStream()
        pq.write_table(pa.concat_tables(rows), sink)
        return sink.getvalue().to_pybytes()

    def _bulk(self, day: str) -> str:
        """Insert the rows of a day that the legacy file holds."""
        return (
            "INSERT INTO news (unique_id, agency_id, title, published_at)"
            f" SELECT '{self.id(f'bulk-{day}-')}' || i, 1, 't', '{day}T00:00:00-03:00'"
            f" FROM generate_series(1, {self.bulk}) i"
        )


def verdict(result: ExecuteInProcessResult) -> tuple[type[GovbrAssetsError] | None, str]:
    """Say how a run ended: with one of our errors and its sentence, or with None and nothing.

    Raises:
        AssertionError: it failed otherwise: not by one step alone, by a foreign exception, or in more than a sentence.
    """
    if result.success:
        return None, ""
    (failed,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.error
    error = failed.error.cause or failed.error  # Dagster wraps it; what several days fail with has no one cause
    kinds = {kind.__name__: kind for kind in _kinds(GovbrAssetsError)} | {"Failure": PermanentError}
    assert error.cls_name in kinds, f"{error.cls_name} is none of our errors: {error.message}"
    sentence = error.message.strip().partition(": ")[2]
    if failed.user_failure_data:
        assert failed.user_failure_data.description == sentence
    assert "\n" not in sentence, sentence
    assert "Traceback" not in sentence
    return kinds[error.cls_name], sentence


def _kinds(kind: type[GovbrAssetsError]) -> set[type[GovbrAssetsError]]:
    """List a kind of error and all kinds of it."""
    return {kind, *(each for below in kind.__subclasses__() for each in _kinds(below))}


@cache
def _ids(path: Path) -> list[str]:
    """Read the ids in a file, which is the same at every revision that has it."""
    return pq.ParquetFile(path).read(["unique_id"])["unique_id"].to_pylist()


def _without(rows: pa.Table, others: Counter[str]) -> pa.Table:
    """Leave out the rows that stand elsewhere."""
    return rows.filter(pa.array([each not in others for each in rows["unique_id"].to_pylist()]))
