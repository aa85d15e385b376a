"""Columns are added to a compacted dataset: time and memory of the migration, and with Xet the bytes that travel.

The migration runs in a process of its own (`migration_run`), with a client that has sent the dataset as it was before.
New are the bytes that came into the Hub's storage of chunks; beside them stand those of the new columns in the files.
"""

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.compaction_run import CompactedRepo
from govbr_assets_tests.benchmarks.hub_files import DataFile, put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import Worker, conditions

MOST_MEGABYTES, MOST_BYTES = 350.0, 1.5
"""What a migration may take: memory, and new bytes as a multiple of those of the new columns."""

_REPO, _FIRST, _DAYS = "bench/news", date(2003, 1, 1), 8_400
_FEATURES = """
    CREATE TABLE news_features (unique_id varchar(120) PRIMARY KEY, features jsonb, updated_at timestamptz);
    INSERT INTO news_features SELECT unique_id, jsonb_build_object('score', random(), 'entities',
        jsonb_build_array(agency_key, left(title, 40), md5(unique_id))), now() FROM news"""


@dataclass(frozen=True)
class Figures:
    """What a migration took.

    Attributes:
        cost: time and memory of the process.
        new: bytes that came into the Hub's storage.
        columns: bytes of the new columns in the files.
        groups: row groups of the files.
        size: bytes of the files.
    """

    cost: Cost
    new: int
    columns: int
    groups: int
    size: int


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: of the dataset.

    Raises:
        RuntimeError: a command failed, or rows were lost.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        print(f"Loading {rows:,} rows and compacting them ...", flush=True)
        worker = Worker(Path(name))
        environment = _prepare(stack, worker, Path(name), rows)
        print("Migrating ...", flush=True)
        for columns in ("score", "agency_name,entities"):
            _show(columns, _migrate(stack, worker, environment, columns, rows))
        print(conditions())


def _prepare(stack: LocalStack, worker: Worker, folder: Path, rows: int) -> dict[str, str]:
    """Fill PostgreSQL, and let the product compact the same rows; return the environment of its client."""
    days = [Day(_FIRST + timedelta(days=number)) for number in range(_DAYS)]
    load(stack.postgres.url, sample_news(rows, days[0].date, days[-1].date))
    with adbc.connect(stack.postgres.url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in _FEATURES.split(";"):
            cursor.execute(statement)
    take, place = NewsTable(stack.postgres.url, NEWS).read_days(days), folder / "legacy.parquet"
    with place.open("wb") as sink:
        encode_to(sink, (pa.table(take(day).select(NEWS.schema.names)) for day in days), NEWS)
    put_on_hub(stack.hub.store, _REPO, [DataFile.of("data/train-00000-of-00001.parquet", place, rows)])
    repo = CompactedRepo(stack, worker, folder, _REPO)
    repo.compact()
    return dict(repo.environment)


def _migrate(stack: LocalStack, worker: Worker, environment: dict[str, str], columns: str, rows: int) -> Figures:
    """Add columns, and count what came of it."""
    stored = _stored(stack)
    told = environment | {"BENCH_POSTGRES_URL": stack.postgres.url, "BENCH_ENDPOINT": stack.hub.endpoint}
    told |= {"BENCH_TOKEN": stack.hub.write_token, "BENCH_REPO": _REPO}
    cost = worker.run("govbr_assets_tests.benchmarks.migration_run", told, columns)
    tree = stack.hub.store.tree(_REPO)
    footers = [pq.read_metadata(blob.path) for path, blob in tree.items() if is_parquet(path)]
    if sum(each.num_rows for each in footers) != rows:
        raise RuntimeError("The migration did not keep every row.")
    groups = [each.row_group(index) for each in footers for index in range(each.num_row_groups)]
    leaves = [group.column(index) for group in groups for index in range(group.num_columns)]
    new = sum(leaf.total_compressed_size for leaf in leaves if leaf.path_in_schema.split(".")[0] in columns.split(","))
    size = sum(blob.size for path, blob in tree.items() if is_parquet(path))
    return Figures(cost, _stored(stack) - stored, new, len(groups), size)


def _stored(stack: LocalStack) -> int:
    """Count the bytes of the Hub's storage of chunks."""
    return sum(path.stat().st_size for path in (stack.hub.folder / "xorbs").iterdir())


def _show(columns: str, figures: Figures) -> None:
    """Print the figures, and whether they are within what is wanted."""
    times = figures.new / max(1, figures.columns)
    print(
        f"{columns}: {figures.cost.seconds:.1f} s, {figures.cost.megabytes:.0f} MB (at most {MOST_MEGABYTES:.0f});"
        f" {figures.new / 1e6:.2f} MB new of {figures.size / 1e6:.1f} MB in {figures.groups} row groups, the new"
        f" columns have {figures.columns / 1e6:.2f} MB: {times:.1f} times (at most {MOST_BYTES})"
    )
