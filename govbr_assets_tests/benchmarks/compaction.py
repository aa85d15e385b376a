"""The first compaction of the public dataset: 4,400 day shards and three legacy files become one file a year.

Beside it, in the same run: the floor (`compaction_floor`), which is the fetch of all files and then one pass over
their rows; DuckDB and polars that sort the same rows (`compaction_peers`), and delta-rs that compacts them
(`compaction_delta`), for which the time of that fetch is added; and Dagster's own floor. Then the libraries that people
read the dataset with read it before and after the compaction, from local copies.

Wanted: see the constants. The memory is wanted as such: a worker has so much and no more.
"""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from govbr_assets.local.stack import REPO_ID, LocalStack
from govbr_assets_tests.benchmarks.compaction_data import day_shards, legacy_files
from govbr_assets_tests.benchmarks.compaction_peers import READS, SORTS
from govbr_assets_tests.benchmarks.compaction_run import CompactedRepo, Compaction
from govbr_assets_tests.benchmarks.compaction_table import DELTA, show
from govbr_assets_tests.benchmarks.hub_files import DataFile, put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost, measure
from govbr_assets_tests.benchmarks.peers.environment import python_of
from govbr_assets_tests.benchmarks.worker import EMPTY, ROOT, Worker

DAYS = 4_400

_BEGINNING, _LAST = date(2003, 1, 1), date(2025, 12, 31)


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: how many; the days stay the same.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name), rows)
        files = before_the_compaction(rows, Path(name) / "files")
        size = sum(file.place.stat().st_size for file in files)
        put_on_hub(stack.hub.store, REPO_ID, files)
        costs = bench.floor() | {"empty graph": bench.empty_graph()} | bench.sorts() | {DELTA: bench.delta()}
        compactions = bench.compactions()
        reads = bench.reads()
    show(rows, len(files), size, costs, compactions, reads)


def before_the_compaction(rows: int, folder: Path) -> list[DataFile]:
    """Make the files of a dataset that was never compacted: half of the rows in legacy files, half in shards."""
    print(f"Making files of {rows:,} rows ...", flush=True)
    folder.mkdir()
    first = _LAST - timedelta(days=DAYS - 1)
    half = rows // 2
    legacy = legacy_files(rows - half, _BEGINNING, first - timedelta(days=1), folder)
    return [*legacy, *day_shards(half, first, _LAST, folder)]


class _Bench:
    """Runs the cases on a repo with all files; each case that needs them on the disk finds them in `before`."""

    def __init__(self, stack: LocalStack, folder: Path, rows: int) -> None:
        self._rows, self._folder, self._worker = str(rows), folder, Worker(folder)
        self._repo = CompactedRepo(stack, self._worker, folder, REPO_ID)
        self._before, self._after = self._made("before"), self._made("after")

    def floor(self) -> dict[str, Cost]:
        """Measure the two parts of the floor."""
        program = "govbr_assets_tests.benchmarks.compaction_floor"
        parts = {"fetch": (REPO_ID, self._before), "rewrite": (self._before, self._made("rewritten"), self._rows)}
        return {
            part: self._worker.run(program, self._repo.environment, part, *map(str, arguments))
            for part, arguments in parts.items()
        }

    def empty_graph(self) -> Cost:
        """Measure the floor of Dagster, which has its database by then."""
        home = self._made("empty")
        (home / "dagster.yaml").write_text((self._folder / "dagster" / "dagster.yaml").read_text())
        environment = self._repo.environment | {"DAGSTER_HOME": str(home)}
        runs = [self._worker.materialize(EMPTY, environment, "--partition", str(_LAST)) for _ in range(2)]
        return runs[-1]

    def sorts(self) -> dict[str, Cost]:
        """Measure the peers that sort."""
        return {job: self._peer(job, self._before, "sorted.parquet") for job in SORTS}

    def delta(self) -> Cost:
        """Measure delta-rs, which has a table of the files by then."""
        print("Measuring how delta-rs compacts ...", flush=True)
        program = [python_of("deltalake"), str(ROOT / "govbr_assets_tests" / "benchmarks" / "compaction_delta.py")]
        table, log = str(self._made("delta")), self._folder / "log"
        measure([*program, "make", str(self._before), table], self._repo.environment, ROOT, log)
        return measure([*program, "compact", table, self._rows], self._repo.environment, ROOT, log)

    def compactions(self) -> list[Compaction]:
        """Measure the product, the second time with nothing to compact."""
        print("Measuring the compaction ...", flush=True)
        compactions = [self._repo.compact(), self._repo.compact()]
        if compactions[1].commits:
            raise RuntimeError(f"With nothing to compact there were {len(compactions[1].commits)} commits.")
        for path, blob in self._repo.files().items():
            shutil.copyfile(blob.path, self._after / Path(path).name)
        return compactions

    def reads(self) -> Mapping[str, tuple[Cost, Cost]]:
        """Measure readers, before and after the compaction."""
        return {
            job: (self._peer(job, self._before, f"{job} before"), self._peer(job, self._after, f"{job} after"))
            for job in READS
        }

    def _peer(self, job: str, files: Path, place: str) -> Cost:
        print(f"Measuring how {job} ...", flush=True)
        program = [sys.executable, "-m", "govbr_assets_tests.benchmarks.compaction_peers", job, str(files)]
        arguments = [str(self._folder / place), self._rows]
        return measure([*program, *arguments], self._repo.environment, ROOT, self._folder / "log")

    def _made(self, name: str) -> Path:
        (self._folder / name).mkdir()
        return self._folder / name
