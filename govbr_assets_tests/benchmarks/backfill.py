"""Twenty-three years at once: a range of 8,400 days with 310,000 rows, with Dagster's records in SQLite or PostgreSQL.

The floors under it are the same rows from PostgreSQL into files on disk (`day_files`), and the least that Dagster can
record of the same days (`day_events`). An empty graph of the same shape over the same days (`empty_graph`) shows what
Dagster's own bookkeeping takes if each event is stored by itself; with SQLite only. Afterwards the backfill is started
again and has nothing to publish.

Wanted: see the constants. The memory is wanted as such: a worker has so much and no more.
"""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from govbr_assets.core.layout import is_parquet
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import REPO_ID, LocalStack
from govbr_assets_tests.benchmarks.day_events import CHANGED, DAYS
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import EMPTY, EVENTS, PRODUCT, Worker, conditions

MOST_COMMITS = 100
MOST_TIMES = 2.5
"""The time of the backfill over the time of both floors."""
MOST_TIMES_EMPTY = 2.0
"""The time of the backfill over the time of the day files and the empty graph."""
MOST_MEGABYTES = 400

_DAGSTER = "DAGSTER_POSTGRES_URL"
_IN_POSTGRES = f"storage:\n  postgres:\n    postgres_url:\n      env: {_DAGSTER}\n"

ROWS, _DAYS = 310_000, 8_400
_FIRST = date(2003, 1, 1)


def run(rows: int = ROWS, *, postgres: bool = False) -> None:
    """Measure and print.

    Args:
        rows: how many; the days are fewer or more with them.
        postgres: Dagster's records are in PostgreSQL, and not in SQLite.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    days = max(2, round(rows * _DAYS / ROWS))
    last = _FIRST + timedelta(days=days - 1)
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name), last, postgres=postgres)
        print(f"Loading {rows:,} rows of {days:,} days into PostgreSQL ...", flush=True)
        load(stack.postgres.url, sample_news(rows, _FIRST, last))
        costs = {"day files": bench.day_files(), "day events": bench.day_events()}
        if not postgres:  # there it takes an hour, each event with a connection of its own
            costs["empty graph"] = bench.empty_graph()
        costs["backfill"], commits = bench.backfill(rows)
        costs["started again"], more = bench.backfill(rows)
    if more:
        raise RuntimeError(f"The backfill that was started again has made {more} commits.")
    print(f"\nDagster's records are in {'PostgreSQL' if postgres else 'SQLite'}.", end="")
    _show(costs, commits, rows, days)


class _Bench:
    """Runs the commands on a stack whose PostgreSQL has all rows and whose Hub has none."""

    def __init__(self, stack: LocalStack, folder: Path, last: date, *, postgres: bool) -> None:
        self._stack, self._folder, self._last, self._postgres = stack, folder, last, postgres
        self._worker = Worker(folder)
        self._environment = stack.environment(_FIRST)

    def day_files(self) -> Cost:
        """Measure the floor without Dagster and Hub."""
        print("Measuring rows into files on disk ...", flush=True)
        files = self._folder / "day-files"
        files.mkdir()
        arguments = self._stack.postgres.url, str(_FIRST), str(self._last), str(files)
        cost = self._worker.run("govbr_assets_tests.benchmarks.day_files", self._environment, *arguments)
        if len(list(files.iterdir())) != len(self._stack.rows_by_day()):
            raise RuntimeError("There is not one file for each day with rows.")
        return cost

    def day_events(self) -> Cost:
        """Measure the floor without rows."""
        print("Measuring the least that Dagster records ...", flush=True)
        days, changed = self._folder / "days", self._folder / "changed"
        all_days = [str(_FIRST + timedelta(days=number)) for number in range((self._last - _FIRST).days + 1)]
        days.write_text("\n".join(all_days))
        changed.write_text("\n".join(self._stack.rows_by_day()))
        settings = self._home("events") | {DAYS: str(days), CHANGED: str(changed)}
        command = ("asset", "materialize", "-m", EVENTS, "--select", "day_events")
        return self._worker.run("dagster", self._environment | settings, *command)

    def empty_graph(self) -> Cost:
        """Measure Dagster's own bookkeeping for a graph of this shape."""
        print("Measuring the empty graph ...", flush=True)
        return self._materialize(EMPTY, self._home("empty"))

    def backfill(self, rows: int) -> tuple[Cost, int]:
        """Measure the product, see that the Hub has all rows, and count the commits that it made."""
        print("Measuring the backfill, which has nothing to publish the second time ...", flush=True)
        store = self._stack.hub.store
        before = len(store.commits(REPO_ID)) if store.repos() else 1  # the Hub itself makes the first one of a repo
        cost = self._materialize(PRODUCT, self._home("product"))
        shards = [blob.path for path, blob in store.tree(REPO_ID).items() if is_parquet(path)]
        held, days = sum(pq.read_metadata(path).num_rows for path in shards), len(self._stack.rows_by_day())
        if (held, len(shards)) != (rows, days):
            raise RuntimeError(f"The Hub holds {held} rows in {len(shards)} shards, not {rows} in {days}.")
        return cost, len(store.commits(REPO_ID)) - before

    def _home(self, name: str) -> dict[str, str]:
        """Make a home of Dagster, unless it is there; give the settings that lead to it."""
        home, server = self._folder / f"home-{name}", self._stack.postgres
        if not home.exists():
            home.mkdir()
            plain = (self._folder / "dagster" / "dagster.yaml").read_text()
            (home / "dagster.yaml").write_text(plain + (_IN_POSTGRES if self._postgres else ""))
            if self._postgres:
                (home / "url").write_text(server.create_database(f"dagster-{name}", "template0"))
        return {"DAGSTER_HOME": str(home)} | ({_DAGSTER: (home / "url").read_text()} if self._postgres else {})

    def _materialize(self, graph: str, settings: dict[str, str]) -> Cost:
        """Run the command of a user on a graph, over all days."""
        return self._worker.materialize(
            graph, self._environment | settings, "--partition-range", f"{_FIRST}...{self._last}"
        )


def _show(costs: dict[str, Cost], commits: int, rows: int, days: int) -> None:
    """Print a table, and whether what is wanted holds."""
    floors = costs["day files"].seconds + costs["day events"].seconds
    print(f"\nA backfill of {rows:,} rows over {days:,} days, `dagster asset materialize --partition-range`")
    print(f"{conditions()}\n")
    print(f"{'':<15}{'seconds':>9}{'days a minute':>15}{'of both floors':>16}{'CPU s':>8}{'peak MB':>9}")
    for case, cost in costs.items():
        print(
            f"{case:<15}{cost.seconds:>9.1f}{days / cost.seconds * 60:>15,.0f}{cost.seconds / floors:>16.2f}"
            f"{cost.cpu_seconds:>8.0f}{cost.megabytes:>9.0f}"
        )
    cost, again = costs["backfill"], costs["started again"]
    wanted: list[tuple[str, float, float]] = [
        (f"{commits} commits", commits, MOST_COMMITS),
        (f"{cost.seconds / floors:.2f} times both floors", cost.seconds / floors, MOST_TIMES),
        (f"{cost.megabytes:.0f} MB at the peak", cost.megabytes, MOST_MEGABYTES),
    ]
    if "empty graph" in costs:
        times = cost.seconds / (costs["day files"].seconds + costs["empty graph"].seconds)
        wanted.append((f"{times:.2f} times day files and empty graph", times, MOST_TIMES_EMPTY))
    for text, figure, most in wanted:
        print(f"{text}, wanted at most {most}: {'holds' if figure <= most else 'missed'}")
    print(f"Started again: no commits, {again.seconds / cost.seconds:.2f} times the time of the first run")
