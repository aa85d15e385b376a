"""Columns are added to a compacted dataset: time and memory of the migration, and with Xet the bytes that travel.

The processes (`migration_run`) have a client that has sent the dataset as it was before. New are the bytes that came
into the Hub's storage of chunks; beside them stand those of the new columns in the files. A changed row, and a week
that is compacted, are measured before and after: the migration is not to make them dearer. The same once more where
two years have ten times as many rows each: memory is that of a month, however many files there are.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset.parquet import encode_groups
from govbr_assets.io.staged import table_of
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import Worker, conditions

MOST_MEGABYTES, MOST_TIMES = 350.0, 1.5
"""What a migration may take: memory, and new bytes as a multiple of those of the new columns."""

_RUN = "govbr_assets_tests.benchmarks.migration_run"
_FIRST, _LAST, _DENSE = date(2003, 1, 1), date(2025, 12, 31), date(2024, 1, 1)
_FEATURES = """
    CREATE TABLE news_features (unique_id varchar(120) PRIMARY KEY, features jsonb, updated_at timestamptz);
    INSERT INTO news_features SELECT unique_id, jsonb_build_object('score', random(), 'entities',
        jsonb_build_array(agency_key, left(title, 40), md5(unique_id))), now() FROM news"""


@dataclass(frozen=True)
class Figures:
    """What a command took.

    Attributes:
        cost: time and memory of the process.
        new: bytes that came into the Hub's storage.
        columns: bytes of the new columns in the files.
        footers: bytes of the files that are in no column: page indexes and footers.
        groups: row groups of the files.
        size: bytes of the files.
        rows: of the files.
    """

    cost: Cost
    new: int
    columns: int
    footers: int
    groups: int
    size: int
    rows: int


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: of the dataset.

    Raises:
        RuntimeError: a command failed, or rows were lost.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        worker = Worker(Path(name))
        for first, most in ((_FIRST, rows), (_DENSE, rows * 10 * 2 // 23)):
            print(f"Publishing {most:,} rows of {_LAST.year - first.year + 1} years ...", flush=True)
            migrated = _Migrated(stack, worker, Path(name) / str(first), first, most)
            before = {each: migrated.run(each, "1") for each in ("row", "week")}
            for version, columns in ((2, "score"), (3, "agency_name,entities")):
                _show(columns, migrated.run("columns", columns))
                for each, then in before.items():
                    now = migrated.run(each, str(version))
                    print(f"  a {each}: {now.new / 1e3:,.0f} kB new, {then.new / 1e3:,.0f} before any migration")
        print(conditions())


class _Migrated:
    """A dataset that is migrated.

    Args:
        stack: its Hub and its database.
        worker: where commands run.
        folder: gets the files and what the client keeps.
        first: first day.
        rows: of the dataset.
    """

    def __init__(self, stack: LocalStack, worker: Worker, folder: Path, first: date, rows: int) -> None:
        self._stack, self._worker, self._repo = stack, worker, f"bench/news-{first.year}"
        folder.mkdir()
        url = stack.postgres.create_database(f"news_{first.year}")
        self._environment: Mapping[str, str] = stack.environment(first) | {
            "BENCH_ENDPOINT": stack.hub.endpoint,
            "BENCH_POSTGRES_URL": url,
            "BENCH_REPO": self._repo,
            "BENCH_TOKEN": stack.hub.write_token,
            "HF_HOME": str(folder / "hf"),
        }
        load(url, sample_news(rows, first, _LAST))
        with adbc.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in _FEATURES.split(";"):
                cursor.execute(statement)
        for year in range(first.year, _LAST.year + 1):
            _write_year(url, year, folder / "files" / NEWS.layout.compacted_path(year))
        self.run("publish", str(folder / "files"))

    def run(self, command: str, argument: str) -> Figures:
        """Run a command, and count what came of it."""
        stored, rows = self._stored(), sum(each.num_rows for each in self._footers())
        cost = self._worker.run(_RUN, self._environment, command, argument)
        footers = self._footers()
        if sum(each.num_rows for each in footers) < rows:
            raise RuntimeError(f"`{command} {argument}` did not keep every row.")
        groups = [each.row_group(index) for each in footers for index in range(each.num_row_groups)]
        leaves = [group.column(index) for group in groups for index in range(group.num_columns)]
        sizes = [(leaf.path_in_schema.split(".")[0], leaf.total_compressed_size) for leaf in leaves]
        new = sum(size for column, size in sizes if column in argument.split(","))
        size, rows = sum(self._files().values()), sum(each.num_rows for each in footers)
        rest = size - sum(size for _, size in sizes)
        return Figures(cost, self._stored() - stored, new, rest, len(groups), size, rows)

    def _files(self) -> dict[Path, int]:
        store = self._stack.hub.store
        if self._repo not in store.repos():
            return {}
        return {blob.path: blob.size for path, blob in store.tree(self._repo).items() if is_parquet(path)}

    def _footers(self) -> list[pq.FileMetaData]:
        return [pq.read_metadata(path) for path in self._files()]

    def _stored(self) -> int:
        """Count the bytes of the Hub's storage of chunks."""
        return sum(path.stat().st_size for path in (self._stack.hub.folder / "xorbs").iterdir())


def _write_year(url: str, year: int, place: Path) -> None:
    """Write the file of a year as a compaction does."""
    place.parent.mkdir(parents=True, exist_ok=True)
    first = date(year, 1, 1)
    days = [Day(first + timedelta(days=number)) for number in range((date(year + 1, 1, 1) - first).days)]
    read = NewsTable(url, NEWS).read_days(days)

    def months() -> Iterator[pa.Table]:
        for month in range(1, 13):
            here = (table_of(read(day)) for day in days if day.date.month == month)
            yield pa.concat_tables(here).select(NEWS.schema.names)

    with place.open("wb") as sink:
        encode_groups(sink, months(), NEWS)


def _show(columns: str, figures: Figures) -> None:
    """Print the figures, and whether they are within what is wanted."""
    times, cost = figures.new / max(1, figures.columns), figures.cost
    print(
        f"{columns}: {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} s of CPU, {cost.megabytes:.0f} MB (at most"
        f" {MOST_MEGABYTES:.0f});"
        f" {figures.new / 1e6:.2f} MB new of {figures.size / 1e6:.1f} MB with {figures.rows:,} rows in {figures.groups}"
        f" row groups, the new columns have {figures.columns / 1e6:.2f} MB: {times:.2f} times (at most {MOST_TIMES});"
        f" all footers and page indexes have {figures.footers / 1e6:.2f} MB"
    )
