"""The reconciliation of a compacted dataset, by the command of a user: when its files are new, and as every day.

The floor is an empty asset of the same kind with an empty check (`empty_reconciliation`), in the same install. The
older half of the files knows rows by their legacy ids, and of one day they lack all rows: what is found has to be just
that. Nothing is wanted of runs that compare contents, and of those on new files.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import ROW_GROUP_ROWS
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import REPO_ID, LocalStack
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.hub_files import DataFile, put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost, typical
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker, conditions
from govbr_assets_tests.tables import WRITER_SETTINGS

MOST_SECONDS, MOST_MEGABYTES, MOST_FETCHED = 10.0, 250.0, 0.01
"""What a run may take when nothing is new on the Hub: beyond the floor, and as a part of the dataset's bytes."""
ROUNDS = 3

COLD, WARM, DEEP_COLD, DEEP_WARM = "cold", "warm", "deep, cold", "deep, warm"

_EMPTY = "govbr_assets_tests.benchmarks.empty_reconciliation"
_FIRST, _DAYS = date(2003, 1, 1), 8_400


@dataclass(frozen=True)
class Figures:
    """What a case took.

    Attributes:
        case: its name.
        cost: time and memory of the process.
        requests: to the Hub.
        fetched: bytes that the Hub sent.
    """

    case: str
    cost: Cost
    requests: int
    fetched: int


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: in PostgreSQL.

    Raises:
        RuntimeError: a command failed, or did not find what is to be found.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name))
        print(f"Loading {rows:,} rows and compacting them ...", flush=True)
        size = bench.prepare(rows)
        print("Measuring ...", flush=True)
        floor = typical([bench.floor() for _ in range(ROUNDS + 1)][1:])  # the first run makes Dagster's database
        cases = [bench.cases(deep=deep) for deep in (False, True)]
        _show([figures for case in cases for figures in case], floor, rows, size)


class _Bench:
    """Runs the cases on a stack of its own."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack, self._folder, self._worker = stack, folder, Worker(folder)
        self._missing: tuple[date, int] = _FIRST, 0

    def prepare(self, rows: int) -> int:
        """Fill PostgreSQL, and put year files of its rows on the Hub; return their bytes."""
        last = _FIRST + timedelta(days=_DAYS - 1)
        load(self._stack.postgres.url, sample_news(rows, _FIRST, last))
        days = [Day(_FIRST + timedelta(days=number)) for number in range(_DAYS)]
        take, gap = NewsTable(self._stack.postgres.url, NEWS).read_days(days), days[-_DAYS // 10]
        files, years = [], groupby(days, lambda day: day.date.year)
        for year, of_year in years:
            place = self._folder / f"{year}.parquet"
            with pq.ParquetWriter(place, NEWS.schema, **WRITER_SETTINGS) as writer:
                held = 0
                for _, of_month in groupby(of_year, lambda day: day.date.month):
                    tables = {day: take(day) for day in of_month}
                    self._missing = (gap.date, tables.pop(gap).num_rows) if gap in tables else self._missing
                    news = _published(pa.concat_tables(tables.values()), old=year < _FIRST.year + 12)
                    if news.num_rows:
                        writer.write_table(news.combine_chunks(), ROW_GROUP_ROWS)
                    held += news.num_rows
            files.append(DataFile.of(NEWS.layout.compacted_path(year), place, held))
        size = sum(file.place.stat().st_size for file in files)
        put_on_hub(self._stack.hub.store, REPO_ID, files)
        return size

    def floor(self) -> Cost:
        """Run the empty asset."""
        return self._materialize(_EMPTY, "floor", deep=None)

    def cases(self, *, deep: bool) -> Iterator[Figures]:
        """Run with nothing kept, and then some times with all that was."""
        cold, warm = (DEEP_COLD, DEEP_WARM) if deep else (COLD, WARM)
        yield self._reconcile(cold, deep=deep)
        rounds = [self._reconcile(warm, deep=deep) for _ in range(ROUNDS)]
        yield Figures(warm, typical([each.cost for each in rounds]), rounds[0].requests, rounds[0].fetched)

    def _reconcile(self, case: str, *, deep: bool) -> Figures:
        """Run it, count what passes, and see that it found the rows that are missing."""
        record, storage = self._stack.hub.faults, "deep" if deep else "shallow"
        record.forget()
        cost = self._materialize(PRODUCT, storage, deep=deep)
        fetched = sum(exchange.sent for exchange in record.requests)
        (path,) = (self._folder / storage).glob("**/hub_reconciliation.parquet")
        found = pq.read_table(path).to_pylist()
        missing = {row["day"]: row["missing"] for row in found if row["missing"]}
        others = [row for row in found if row["surplus"] or row["duplicated"] or row["moved"]]
        if missing != dict([self._missing]) or others:  # rows under their legacy ids are changed
            raise RuntimeError(f"The reconciliation found {missing} and {others}, and should find {self._missing}.")
        return Figures(case, cost, len(record.requests), fetched)

    def _materialize(self, graph: str, storage: str, *, deep: bool | None) -> Cost:
        """Run the command of a user."""
        environment = self._stack.environment(_FIRST) | {
            "GOVBR_STORAGE_URL": str(self._folder / storage),
            "DAGSTER_HOME": str(self._folder / "dagster"),
        }
        config = [] if deep is None else [json.dumps({"ops": {"hub_reconciliation": {"config": {"deep": deep}}}})]
        options = ["--select", "hub_reconciliation", *(["--config-json", *config] if config else [])]
        return self._worker.run("dagster", environment, "asset", "materialize", "-m", graph, *options)


def _published(rows: pa.Table, *, old: bool) -> pa.Table:
    """Make published rows, under their legacy ids if they are old and have one."""
    if old:
        ids = pc.coalesce(rows["legacy_unique_id"], rows["unique_id"])
        rows = rows.set_column(0, NEWS.schema.field(0), ids)
    return rows.select(NEWS.schema.names).sort_by(NEWS.sorted_by)


def _show(cases: list[Figures], floor: Cost, rows: int, size: int) -> None:
    """Print a table, and whether what is wanted holds."""
    print(f"\n{rows:,} rows over {_DAYS:,} days, compacted ({size / 1e6:.1f} MB), `dagster asset materialize`")
    print(f"{conditions()}\n")
    print(f"{'':<12}{'seconds':>8}{'beyond':>8}{'times':>7}{'CPU s':>7}{'peak MB':>9}{'beyond':>8}{'times':>7}", end="")
    print(f"{'requests':>10}{'MB down':>9}{'of all':>8}")
    print(f"{'the floor':<12}{floor.seconds:>8.1f}{'':>15}{floor.cpu_seconds:>7.1f}{floor.megabytes:>9.0f}")
    for each in cases:
        cost, times = each.cost, each.cost / floor
        print(
            f"{each.case:<12}{cost.seconds:>8.1f}{cost.seconds - floor.seconds:>8.1f}{times.seconds:>7.2f}"
            f"{cost.cpu_seconds:>7.1f}{cost.megabytes:>9.0f}{cost.megabytes - floor.megabytes:>8.0f}"
            f"{times.megabytes:>7.2f}{each.requests:>10,}{each.fetched / 1e6:>9.2f}{each.fetched / size:>8.2%}"
        )
    warm = next(each for each in cases if each.case == WARM)
    wanted = f"under {MOST_SECONDS:.0f} seconds and {MOST_MEGABYTES:.0f} MB beyond the floor"
    print(f"\nWanted of `{WARM}`: {wanted}, under {MOST_FETCHED:.0%} of the bytes: {_verdict(warm, floor, size)}")


def _verdict(warm: Figures, floor: Cost, size: int) -> str:
    """Say whether what is wanted holds."""
    held = {
        "time": warm.cost.seconds - floor.seconds < MOST_SECONDS,
        "memory": warm.cost.megabytes - floor.megabytes < MOST_MEGABYTES,
        "bytes": warm.fetched < MOST_FETCHED * size,
    }
    missed = [name for name, holds in held.items() if not holds]
    return f"missed in {' and '.join(missed)}" if missed else "holds"
