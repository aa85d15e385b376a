"""One row of a compacted year: its title changes, it is removed, it moves to another day; its day is synced.

Beside the product, on copies of the repo and in the same run: the same by hand (`one_change_by_hand`), with the year's
file as one table, and a row group at a time. Bytes are new as in `compaction_week`: each party has a client that has
sent what its own repo held before. The ids come from the files themselves, so that the index of the local viewer takes
no time from anybody.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.local.hub.changes import Put
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.compaction_run import CompactedRepo
from govbr_assets_tests.benchmarks.hub_files import DataFile, put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost, typical
from govbr_assets_tests.benchmarks.one_change_by_hand import NOTHING, SUFFIX, WAYS, shifted
from govbr_assets_tests.benchmarks.one_change_table import PRODUCT_WAY, Figures, show
from govbr_assets_tests.benchmarks.worker import EMPTY, PRODUCT, Worker

ROUNDS = 3

_REPO, _YEAR = "bench/news", 2025
_PATH = NEWS.layout.compacted_path(_YEAR)
_DAYS = [Day(date(_YEAR, 1, 1) + timedelta(days=number)) for number in range(365)]
_CHANGES = {
    "title": f"UPDATE news SET title = title || '{SUFFIX}'",
    "removed": "DELETE FROM news",
    "moved": "UPDATE news SET published_at = published_at + interval '{days} days'",
}


@dataclass(frozen=True)
class _Change:
    """What happens to a row.

    Attributes:
        kind: a key of `_CHANGES`.
        unique_id: of the row.
        day: that is to be made true.
        sql: that does it to PostgreSQL.
    """

    kind: str
    unique_id: str
    day: Day
    sql: str

    @classmethod
    def of(cls, kind: str, row: Mapping[str, object], day: Day) -> "_Change":
        """Describe what happens to a row of a day."""
        by = shifted(day)
        sql = f"{_CHANGES[kind].format(days=by.days)} WHERE unique_id = '{row['unique_id']}'"
        return cls(kind, str(row["unique_id"]), Day(day.date + by) if kind == "moved" else day, sql)


def run(rows: int = 50_000) -> None:
    """Measure and print.

    Args:
        rows: of the year.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name))
        print(f"Loading {rows:,} rows and compacting them ...", flush=True)
        size = bench.prepare(rows)
        print(f"Measuring {ROUNDS} rounds ...", flush=True)
        empty, cases = bench.empty_graph(), list(bench.cases())
    show(cases, empty, rows, size, ROUNDS)


class _Bench:
    """Runs the cases on a stack of its own, each on what the ones before have left."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack, self._folder, self._worker = stack, folder, Worker(folder)
        self._repo = CompactedRepo(stack, self._worker, folder, _REPO)

    def prepare(self, rows: int) -> int:
        """Fill PostgreSQL and compact the same rows, so that the product's client has sent them; return bytes."""
        load(self._stack.postgres.url, sample_news(rows, _DAYS[0].date, _DAYS[-1].date))
        place = self._folder / "legacy.parquet"
        with place.open("wb") as sink:
            encode_to(sink, [self._postgres_rows()], NEWS)
        put_on_hub(self._stack.hub.store, _REPO, [DataFile.of("data/train-00000-of-00001.parquet", place, rows)])
        size = self._repo.compact().size
        for way in WAYS:
            self._copy(way)
        return size

    def empty_graph(self) -> Cost:
        """Measure the floor of Dagster, which has its database by then."""
        home = self._folder / "empty"
        home.mkdir()
        (home / "dagster.yaml").write_text((self._folder / "dagster" / "dagster.yaml").read_text())
        environment = self._repo.environment | {"DAGSTER_HOME": str(home)}
        runs = [self._worker.materialize(EMPTY, environment, "--partition", str(_DAYS[0])) for _ in range(ROUNDS + 1)]
        return typical(runs[1:])

    def cases(self) -> Iterator[Figures]:
        """Let every kind of change happen in every round, to rows that lie all over the year."""
        rows = self._postgres_rows().select(["unique_id", "published_at"])
        count = ROUNDS * len(_CHANGES)
        chosen = rows.take([(2 * number + 1) * rows.num_rows // (2 * count) for number in range(count)]).to_pylist()
        for number, row in enumerate(chosen):
            yield from self._case(_Change.of([*_CHANGES][number % len(_CHANGES)], row, Day.at(row["published_at"])))

    def _case(self, change: _Change) -> Iterator[Figures]:
        """Let a change happen, and see that each Hub is like PostgreSQL after it."""
        with adbc.connect(self._stack.postgres.url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(change.sql)
        wanted = self._postgres_rows()
        for way in WAYS:
            yield self._figures(change, way, wanted, lambda way=way: self._by_hand(way, change.kind, change.unique_id))
        yield self._figures(change, PRODUCT_WAY, wanted, lambda: self._materialize(change.day))

    def _figures(self, change: _Change, way: str, wanted: pa.Table, work: Callable[[], Cost]) -> Figures:
        """Do something, count what passes between it and the Hub, and see that the repo holds the wanted rows."""
        record = self._stack.hub.faults
        record.forget()
        cost = work()
        fetched = sum(exchange.sent for exchange in record.requests)
        new = sum(exchange.received for exchange in record.seen("POST", "/v1/xorbs/"))
        tree = self._stack.hub.store.tree(_repo_of(way))
        held = [pq.ParquetFile(blob.path).read() for path, blob in tree.items() if is_parquet(path)]
        if not pa.concat_tables(held).sort_by(NEWS.sorted_by).equals(wanted):
            raise RuntimeError(f"{change.kind}, {way}: {_repo_of(way)} does not hold the rows of PostgreSQL.")
        return Figures(change.kind, way, cost, fetched, tree[_PATH].size, new)

    def _copy(self, way: str) -> None:
        """Copy the repo as it is and what its client knows, and let its year's file be one by hand."""
        store, environment = self._stack.hub.store, self._repo.environment
        store.create(_repo_of(way))
        puts = [Put(path, blob) for path, blob in store.tree(_REPO).items()]
        store.commit(_repo_of(way), None, puts, "Copy everything")
        shutil.copytree(environment["HF_HOME"], self._folder / way / "hf")
        self._by_hand(way, NOTHING, "")

    def _by_hand(self, way: str, kind: str, unique_id: str) -> Cost:
        environment = self._repo.environment | {"HF_HOME": str(self._folder / way / "hf")}
        arguments = way, _repo_of(way), _PATH, unique_id, kind, str(self._folder / way)
        return self._worker.run("govbr_assets_tests.benchmarks.one_change_by_hand", environment, *arguments)

    def _materialize(self, day: Day) -> Cost:
        config = json.dumps({"ops": {"hf_existing_ids": {"config": {"source": "exact"}}}})
        options = "--partition", str(day), "--config-json", config
        return self._worker.materialize(PRODUCT, self._repo.environment, *options)

    def _postgres_rows(self) -> pa.Table:
        """Read the year: [n rows x 24]."""
        take = NewsTable(self._stack.postgres.url, NEWS).read_days(_DAYS)
        rows = pa.concat_tables([take(day) for day in _DAYS]).select(NEWS.schema.names)
        return rows.sort_by(NEWS.sorted_by)


def _repo_of(way: str) -> str:
    """Name the repo of a party."""
    return _REPO if way == PRODUCT_WAY else f"{_REPO}-{way.replace(' ', '-')}"
