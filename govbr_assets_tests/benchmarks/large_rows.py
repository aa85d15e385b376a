"""Rows of megabytes: a day of them, a change of one, their compaction, a change in the year, the deep reconciliation.

Wanted: no process takes more than 800 MB, and no row group more than 64 MiB. The texts cannot be compressed much, as
pictures in base64 cannot: the files are nearly as large as the rows.
"""

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import LARGE_GROUP_BYTES
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import REPO_ID, LocalStack
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker, conditions

MOST_MEGABYTES = 800.0
ROW_BYTES = 12_000_000

_DAY = date(2026, 1, 15)
_PARTITION = ("--partition", str(_DAY))
_DEEP = '{"ops": {"hub_reconciliation": {"config": {"deep": true}}}}'

# What a row says is its own in every part, so that nothing of it is known from another one.
_FILL = f"""
    UPDATE news SET content = (
        SELECT string_agg(encode(sha256((news.id::text || ':' || part::text)::bytea), 'base64'), '')
        FROM generate_series(1, {ROW_BYTES} / 44) AS part
    )"""
_CHANGE = "UPDATE news SET title = title || ' (corrected)' WHERE id = (SELECT min(id) + {} FROM news)"


def run(rows: int = 40) -> None:
    """Measure and print.

    Args:
        rows: of the day.

    Raises:
        RuntimeError: a command failed, or the Hub does not hold what it should.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as folder, LocalStack(Path(folder)) as stack:
        bench = _Bench(stack, Path(folder))
        print(f"Filling {rows} rows with {ROW_BYTES / 1e6:.0f} MB each ...", flush=True)
        bench.prepare(rows)
        print("Measuring ...", flush=True)
        _show(rows, dict(bench.cases()))


class _Bench:
    """Runs the cases on a stack of its own, each on what the ones before have left."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack, self._worker = stack, Worker(folder)

    def prepare(self, rows: int) -> None:
        """Fill a day."""
        load(self._stack.postgres.url, sample_news(rows, _DAY, _DAY))
        self._execute(_FILL)

    def cases(self) -> Iterator[tuple[str, tuple[Cost, int]]]:
        """Run every case once, and tell beside its cost the largest row group that it leaves."""
        daily = lambda: self._worker.materialize(PRODUCT, self._environment, *_PARTITION)  # noqa: E731
        yield "first publication", self._measured(daily())
        yield "again, nothing new", self._measured(daily())
        self._execute(_CHANGE.format(3))
        yield "a change in the shard", self._measured(daily())
        yield "the compaction", self._measured(self._run("consolidated_dataset"))
        self._execute(_CHANGE.format(5))
        yield "a change in the year", self._measured(daily())
        yield "deep reconciliation", self._measured(self._run("hub_reconciliation", "--config-json", _DEEP))

    def _measured(self, cost: Cost) -> tuple[Cost, int]:
        """See that the Hub holds what PostgreSQL does, and how large the row groups are."""
        with adbc.connect(self._stack.postgres.url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT unique_id, title, octet_length(content) FROM news")
            wanted = sorted(cursor.fetchall())
        held, largest = [], 0
        for path, blob in self._stack.hub.store.tree(REPO_ID).items():
            if NEWS.layout.day_of(path) or NEWS.layout.period_of(path):
                parquet = pq.ParquetFile(blob.path)
                for group in range(parquet.num_row_groups):
                    largest = max(largest, parquet.metadata.row_group(group).total_byte_size)
                    rows = parquet.read_row_group(group, ["unique_id", "title", "content"]).to_pylist()
                    held += [(row["unique_id"], row["title"], len(row["content"])) for row in rows]
        if sorted(held) != wanted:
            raise RuntimeError("The Hub does not hold the rows of PostgreSQL.")
        return cost, largest

    def _run(self, asset: str, *options: str) -> Cost:
        command = "asset", "materialize", "-m", PRODUCT, "--select", asset
        return self._worker.run("dagster", self._environment, *command, *options)

    @property
    def _environment(self) -> dict[str, str]:
        return self._stack.environment(date(2026, 1, 1))

    def _execute(self, statement: str) -> None:
        with adbc.connect(self._stack.postgres.url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(statement)


def _show(rows: int, cases: dict[str, tuple[Cost, int]]) -> None:
    """Print a table, and whether what is wanted holds."""
    print(f"\n{rows} rows of {ROW_BYTES / 1e6:.0f} MB on {Day(_DAY)}, `dagster asset materialize`")
    print(f"{conditions()}\n")
    print(f"{'':<24}{'seconds':>8}{'MB':>7}{'row group MB':>14}")
    for case, (cost, largest) in cases.items():
        print(f"{case:<24}{cost.seconds:>8.1f}{cost.megabytes:>7.0f}{largest / 1e6:>14.1f}")
    holds = all(cost.megabytes < MOST_MEGABYTES and size < LARGE_GROUP_BYTES for cost, size in cases.values())
    print(f"\nWanted: under {MOST_MEGABYTES:.0f} MB, row groups of 64 MiB: {'holds' if holds else 'missed'}")
