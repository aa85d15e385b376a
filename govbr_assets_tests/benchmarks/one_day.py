"""One day of 160 rows from PostgreSQL to the Hub, against an empty graph of the same shape, by the command of a user.

Wanted: at most 1.35 times the wall time and 1.6 times the memory of the empty graph. Both run in a production install.
"""

import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc

from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.local.load import load
from govbr_assets.local.news import late_news, sample_news
from govbr_assets.local.stack import REPO_ID, LocalStack
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.measure import Cost, typical
from govbr_assets_tests.benchmarks.worker import EMPTY, PRODUCT, Worker, conditions

WANTED = Cost(seconds=1.35, megabytes=1.6)
ROUNDS = 5

_DAY, _ROWS, _LATE_ROWS = date(2026, 1, 15), 160, 3
_BEFORE = (date(2026, 1, 2), date(2026, 1, 14))  # days that the Hub holds already
_PARTITION = ("--partition", str(_DAY))


def run() -> None:
    """Measure and print.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as folder, LocalStack(Path(folder)) as stack:
        bench = _Bench(stack, Path(folder))
        print(f"Measuring {ROUNDS} rounds of one day, each beside an empty graph ...", flush=True)
        bench.prepare()
        rounds = [dict(bench.round()) for _ in range(ROUNDS)]
    _show({case: [costs[case] for costs in rounds] for case in rounds[0]})


class _Bench:
    """Runs the cases on a stack that already has two weeks before the day."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack = stack
        self._hub = Dataset.open(REPO_ID, NEWS, token=stack.hub.write_token, endpoint=stack.hub.endpoint)
        self._homes = {PRODUCT: folder / "dagster", EMPTY: folder / "empty"}
        self._worker = Worker(folder)

    def prepare(self) -> None:
        """Publish the days before, and let both graphs run once: the first run makes Dagster's database."""
        url = self._stack.postgres.url
        load(url, sample_news(_ROWS, _DAY, _DAY))
        load(url, sample_news(1800, *_BEFORE, seed=1))
        self._homes[EMPTY].mkdir()
        (self._homes[EMPTY] / "dagster.yaml").write_text((self._homes[PRODUCT] / "dagster.yaml").read_text())
        for graph in self._homes:
            self._materialize(graph, "--partition-range", "...".join(map(str, _BEFORE)))

    def round(self) -> Iterator[tuple[str, Cost]]:
        """Run every case once; afterwards all is as before."""
        yield "empty graph", self._materialize(EMPTY, *_PARTITION)
        yield "first publication", self._publish(_ROWS)
        revision = self._hub.client.head().revision
        yield "again, nothing new", self._publish(_ROWS)
        if self._hub.client.head().revision != revision:
            raise RuntimeError("Publishing again has made a commit.")
        load(self._stack.postgres.url, [late_news(_DAY, _LATE_ROWS)])
        yield f"{_LATE_ROWS} late rows", self._publish(_ROWS + _LATE_ROWS)
        self._undo()

    def _publish(self, rows: int) -> Cost:
        """Publish the day, and see that the Hub has its rows."""
        cost = self._materialize(PRODUCT, *_PARTITION)
        held = self._hub.reader.day_rows(self._hub.client.head(), Day(_DAY), ["unique_id"]).num_rows
        if held != rows:
            raise RuntimeError(f"The Hub holds {held} rows of {_DAY} and should hold {rows}.")
        return cost

    def _undo(self) -> None:
        """Take the late rows and the day's shard away."""
        with adbc.connect(self._stack.postgres.url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM news WHERE id > (SELECT max(id) - {_LATE_ROWS} FROM news)")
        self._hub.client.commit(
            self._hub.client.head().revision or "",
            FileChanges(delete=(NEWS.layout.day_path(Day(_DAY)),), message="Take the day away again"),
        )

    def _materialize(self, graph: str, *partitions: str) -> Cost:
        """Run the command of a user on a graph."""
        environment = self._stack.environment(_BEFORE[0] - timedelta(days=1))
        environment["DAGSTER_HOME"] = str(self._homes[graph])
        return self._worker.materialize(graph, environment, *partitions)


def _show(cases: dict[str, list[Cost]]) -> None:
    """Print a table: medians, the spread of the times, and how many times the empty graph they are."""
    print(f"\nOne day of {_ROWS} rows, `dagster asset materialize`, medians of {ROUNDS} rounds")
    print(f"{conditions()}\n")
    print(f"{'':<20}{'seconds':>8}{'fastest':>9}{'slowest':>9}{'times':>7}{'MB':>7}{'times':>7}  at most")
    empty = typical(cases["empty graph"])
    for case, costs in cases.items():
        cost, seconds = typical(costs), [each.seconds for each in costs]
        times = cost / empty
        text = "" if case == "empty graph" else _verdict(times)
        print(
            f"{case:<20}{cost.seconds:>8.2f}{min(seconds):>9.2f}{max(seconds):>9.2f}{times.seconds:>7.2f}"
            f"{cost.megabytes:>7.0f}{times.megabytes:>7.2f}  {text}"
        )


def _verdict(times: Cost) -> str:
    """Say whether the wanted figures hold."""
    missed = [
        name
        for name, held in (
            ("time", times.seconds <= WANTED.seconds),
            ("memory", times.megabytes <= WANTED.megabytes),
        )
        if not held
    ]
    return f"{WANTED.seconds} and {WANTED.megabytes}: " + (f"missed in {' and '.join(missed)}" if missed else "holds")
