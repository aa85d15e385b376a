"""Years of history on several workers: one range in one run, and split in as many runs as workers, at the same time.

Each run is a process with a home of its own, as on a machine of its own; here all share two cores, so that the seconds
say nothing of several machines. What is wanted is that the Hub has every row, and that splitting costs no commits.

Wanted: see the constants.
"""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from govbr_assets.core.layout import is_parquet
from govbr_assets.local.hub.faults import Exchange
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker, conditions

MOST_TIMES = 1.3
"""The commits of several runs over those of one."""

_RUNS = (1, 4, 8)
_ROWS, _ROWS_A_DAY = 30_400, 40
_FIRST = date(2020, 1, 1)


class _Case(NamedTuple):
    """What a range cost: its runs, commits, rejected commits, and the costs of each run."""

    runs: int
    commits: int
    rejected: int
    costs: Sequence[Cost]


def run(rows: int = _ROWS) -> None:
    """Measure and print.

    Args:
        rows: how many; the days are fewer or more with them.

    Raises:
        RuntimeError: a run failed, or the Hub has other rows than PostgreSQL.
    """
    days = max(max(_RUNS), rows // _ROWS_A_DAY)
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        print(f"Loading {rows:,} rows of {days:,} days into PostgreSQL ...", flush=True)
        load(stack.postgres.url, sample_news(rows, _FIRST, _FIRST + timedelta(days=days - 1)))
        worker = Worker(Path(name))
        cases = [_measure(stack, worker, Path(name), runs, days) for runs in _RUNS]
    _show(cases, rows, days)


def _measure(stack: LocalStack, worker: Worker, folder: Path, runs: int, days: int) -> _Case:
    """Publish the range to a repo of its own by a number of runs at once, and see that all of it is there."""
    print(f"Measuring {runs} runs ...", flush=True)
    repo_id, faults, store = f"demo/in-{runs}", stack.hub.faults, stack.hub.store
    faults.forget()
    bounds = [_FIRST + timedelta(days=days * number // runs) for number in range(runs + 1)]

    def materialize(number: int) -> Cost:
        home = folder / f"home-{runs}-{number}"
        home.mkdir()
        (home / "dagster.yaml").write_text((folder / "dagster" / "dagster.yaml").read_text())
        environment = {
            **stack.environment(_FIRST),
            "DAGSTER_HOME": str(home),
            "GOVBR_REPO_ID": repo_id,
            "GOVBR_STORAGE_URL": str(folder / f"tables-{runs}"),
        }
        last = bounds[number + 1] - timedelta(days=1)
        return worker.materialize(PRODUCT, environment, "--partition-range", f"{bounds[number]}...{last}")

    with ThreadPoolExecutor(runs) as pool:
        costs = list(pool.map(materialize, range(runs)))
    tree = {path: blob.path for path, blob in store.tree(repo_id).items() if is_parquet(path)}
    ids = [each for path in tree.values() for each in pq.read_table(path, columns=["unique_id"])[0].to_pylist()]
    wanted = stack.rows_by_day()
    if len(ids) != sum(wanted.values()) or len(set(ids)) != len(ids) or len(tree) != len(wanted):
        raise RuntimeError(f"The Hub holds {len(ids)} rows, {len(set(ids))} of them different, in {len(tree)} shards.")
    tries: list[Exchange] = faults.seen("POST", f"{repo_id}/commit/main$")
    return _Case(runs, len(store.commits(repo_id)) - 1, sum(each.status == 412 for each in tries), costs)


def _show(cases: Sequence[_Case], rows: int, days: int) -> None:
    """Print a table, and whether what is wanted holds."""
    print(f"\nA backfill of {rows:,} rows over {days:,} days on {os.cpu_count()} cores, split in runs at the same time")
    print(f"{conditions()}\n")
    print(f"{'runs':>5}{'commits':>9}{'times':>7}{'rejected':>10}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}")
    for case in cases:
        times, seconds = case.commits / cases[0].commits, max(each.seconds for each in case.costs)
        cpu, peak = sum(each.cpu_seconds for each in case.costs), max(each.megabytes for each in case.costs)
        print(f"{case.runs:>5}{case.commits:>9}{times:>7.2f}{case.rejected:>10}{seconds:>9.1f}{cpu:>8.0f}{peak:>9.0f}")
    most = max(case.commits for case in cases) / cases[0].commits
    print(f"\n{most:.2f} times the commits of one run, wanted at most {MOST_TIMES}:", end=" ")
    print("holds" if most <= MOST_TIMES else "missed")
