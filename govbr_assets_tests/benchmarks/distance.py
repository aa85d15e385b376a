"""A Hub, its storage and its viewer that are 150 ms away: what waits for what, and how long that takes.

Days of 160 rows come to compacted years, one after another as in production, by the commands of a user: on a machine
that has nothing yet and on one that has run before, with a viewer that has indexed everything and without one. Then
the same day again, late rows, a changed row of a year, a range, a compaction, `mend` with nothing to do; and at last a
machine that has nothing yet meets thousands of small files (`distance_shards`).
"""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import ROW_GROUP_ROWS
from govbr_assets.local.load import load
from govbr_assets.local.news import late_news, sample_news
from govbr_assets.local.stack import REPO_ID, LocalStack
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks import distance_shards
from govbr_assets_tests.benchmarks.distance_table import DELAY, Figures, show
from govbr_assets_tests.benchmarks.hub_files import DataFile, put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker
from govbr_assets_tests.tables import WRITER_SETTINGS

_FIRST, _LAST = date(2003, 1, 1), date(2025, 12, 31)
_NEW = [Day(date(2026, 1, 5) + timedelta(days=number)) for number in range(36)]
_ROWS, _LATE_ROWS, _RANGE = 160, 3, 30
_CHANGED = Day(date(2025, 6, 10))
_NOWHERE = "http://127.0.0.1:1"
"""An address of this machine where nobody listens."""

_SHARD_ROWS = 70


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: that are compacted; those of the small files are as many.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name))
        print(f"Loading {rows:,} rows and compacting them ...", flush=True)
        bench.prepare(rows)
        print("Measuring ...", flush=True)
        show(rows, list(bench.cases()))
        distance_shards.run(stack, bench.worker, Path(name), rows // _SHARD_ROWS)


class _Bench:
    """Runs the cases on a stack of its own, each on what the ones before have left."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack, self._folder, self.worker = stack, folder, Worker(folder)

    def prepare(self, rows: int) -> None:
        """Fill PostgreSQL, put year files of its rows on the Hub, and then fill the days that are new."""
        url, days = self._stack.postgres.url, (_LAST - _FIRST).days + 1
        load(url, sample_news(rows, _FIRST, _LAST))
        take = NewsTable(url, NEWS).read_days([Day(_FIRST + timedelta(days=number)) for number in range(days)])
        files = [self._year(year, of_year, take) for year, of_year in groupby(map(_day, range(days)), _year_of)]
        put_on_hub(self._stack.hub.store, REPO_ID, files)
        for day in _NEW:
            load(url, sample_news(_ROWS, day.date, day.date, seed=day.date.toordinal()))

    def _year(self, year: int, days: Iterator[Day], take: Callable[[Day], pa.Table]) -> DataFile:
        """Write the file of a year; row groups end with months."""
        place, held = self._folder / f"{year}.parquet", 0
        with pq.ParquetWriter(place, NEWS.schema, **WRITER_SETTINGS) as writer:
            for _, of_month in groupby(days, lambda day: day.date.month):
                news = pa.concat_tables([take(day) for day in of_month]).select(NEWS.schema.names)
                if news.num_rows:
                    writer.write_table(news.sort_by(NEWS.sorted_by).combine_chunks(), ROW_GROUP_ROWS)
                held += news.num_rows
        return DataFile.of(NEWS.layout.compacted_path(year), place, held)

    def cases(self) -> Iterator[Figures]:
        """Run every case once."""
        first, second, third, fourth, *rest = _NEW
        yield self._day("first run of a machine", first, "one")
        yield self._day("later", second, "one")
        yield self._day("first run, no viewer", third, "two", viewer=False)
        yield self._day("later, no viewer", fourth, "two", viewer=False)
        yield self._day("again, nothing new", fourth, "two", commits=0)
        load(self._stack.postgres.url, [late_news(fourth.date, _LATE_ROWS)])
        yield self._day(f"{_LATE_ROWS} late rows", fourth, "two")
        self._execute(
            "UPDATE news SET title = title || '!' WHERE id = (SELECT min(id) FROM news WHERE"
            f" published_at >= '{_CHANGED.start.isoformat()}' AND published_at < '{_CHANGED.end.isoformat()}')"
        )
        yield self._day("a changed row of a year", _CHANGED, "two")
        span = f"{rest[0]}...{rest[_RANGE - 1]}"
        yield self._measured(f"{_RANGE} days", 1, lambda: self._materialize("two", "--partition-range", span))
        compaction = "asset", "materialize", "-m", PRODUCT, "--select", "consolidated_dataset"
        yield self._measured("weekly compaction", 1, lambda: self._run("two", "dagster", *compaction))
        self._execute(f"DELETE FROM news WHERE published_at >= '{rest[_RANGE].start.isoformat()}'")
        self._run("two", PRODUCT, "mend", "--json")  # the first one reads the digests of all files
        yield self._measured("mend, nothing to do", 0, lambda: self._run("two", PRODUCT, "mend", "--json"))

    def _day(self, case: str, day: Day, machine: str, *, viewer: bool = True, commits: int = 1) -> Figures:
        return self._measured(case, commits, lambda: self._materialize(machine, "--partition", str(day), viewer=viewer))

    def _measured(self, case: str, commits: int, work: Callable[[], Cost]) -> Figures:
        """Do something at a distance, and see that it has made as many commits as it should."""
        store, servers = self._stack.hub.store, (self._stack.hub, self._stack.viewer)
        before = len(store.commits(REPO_ID))
        for server in servers:
            server.distance.seconds = DELAY
            server.faults.forget()
        cost = work()
        for server in servers:
            server.distance.seconds = 0.0
        if (made := len(store.commits(REPO_ID)) - before) != commits:
            raise RuntimeError(f"{case}: {made} commits were made, and {commits} should have been.")
        figures = Figures(case, cost, [each for server in servers for each in server.faults.requests])
        print(f"{case}: {cost.seconds:.1f} s, {len(figures.requests)} requests", flush=True)
        return figures

    def _materialize(self, machine: str, *partitions: str, viewer: bool = True) -> Cost:
        return self.worker.materialize(PRODUCT, self._environment(machine, viewer=viewer), *partitions)

    def _run(self, machine: str, module: str, *arguments: str) -> Cost:
        return self.worker.run(module, self._environment(machine), *arguments)

    def _environment(self, machine: str, *, viewer: bool = True) -> dict[str, str]:
        """Make the environment of a machine, with what it has kept."""
        folder, home = self._folder / machine, self._folder / machine / "dagster"
        if not home.exists():
            home.mkdir(parents=True)
            (home / "dagster.yaml").write_text((self._folder / "dagster" / "dagster.yaml").read_text())
        return self._stack.environment(_FIRST) | {
            "DAGSTER_HOME": str(home),
            "GOVBR_STORAGE_URL": str(folder / "tables"),
            "HF_HOME": str(folder / "hf"),
            **({} if viewer else {"GOVBR_VIEWER_URL": _NOWHERE}),
        }

    def _execute(self, sql: str) -> None:
        with adbc.connect(self._stack.postgres.url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(sql)


def _day(number: int) -> Day:
    return Day(_FIRST + timedelta(days=number))


def _year_of(day: Day) -> int:
    return day.date.year
