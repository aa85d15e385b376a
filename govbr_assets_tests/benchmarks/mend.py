"""`govbr-assets mend` from the damage of the public dataset to a Hub that equals PostgreSQL, and `status` of it.

By the command of a user, one after another: a dry run, the approved run, the same again with nothing to do, and the
status. The floor is to have both sides in hand once: all data files fetched, and the rows of PostgreSQL written into a
file a day. Wanted is a memory that does not grow with the rows: see the constant.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset.changeset import REMOVED_ROWS
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import REDUCED_REPO_ID, REPO_ID, LocalStack
from govbr_assets_tests import stranger
from govbr_assets_tests.benchmarks.damaged_hub import damaged_files
from govbr_assets_tests.benchmarks.hub_files import put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker, conditions
from govbr_assets_tests.damaged import CARD

MOST_MEGABYTES = 400

_ROWS, _DAYS = 310_000, 8_400
_LAST = date(2026, 1, 15)


@dataclass(frozen=True)
class Figures:
    """What a command took.

    Attributes:
        cost: time and memory of the process.
        requests: to the Hub.
        down: bytes from it.
        commits: to both repos.
    """

    cost: Cost
    requests: int = 0
    down: int = 0
    commits: int = 0


def run(rows: int = 40_000) -> None:
    """Measure and print.

    Args:
        rows: in PostgreSQL; the days are fewer with them, and end on the same one.

    Raises:
        RuntimeError: a command failed, or the Hub does not equal PostgreSQL afterwards.
    """
    first = _LAST - timedelta(days=max(60, round(rows * _DAYS / _ROWS)) - 1)
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name), first)
        print(f"Loading {rows:,} rows and damaging the dataset ...", flush=True)
        approved, size = bench.prepare(rows)
        print("Measuring ...", flush=True)
        figures = {"fetch the files": bench.fetch(), "rows into day files": bench.day_files()}
        approval = "--allow-removals", f"{approved}"
        figures["mend --dry-run"] = bench.command("mend", "--dry-run", *approval)
        figures["mend"] = bench.command("mend", *approval)
        bench.check(rows, approved)
        figures["mend again"] = bench.command("mend", *approval)
        figures["status"] = bench.command("status")
    _show(figures, rows, (_LAST - first).days + 1, size)


class _Bench:
    """Runs the commands on a stack of its own."""

    def __init__(self, stack: LocalStack, folder: Path, first: date) -> None:
        self._stack, self._folder, self._first = stack, folder, first
        self._worker, self._environment = Worker(folder), stack.environment(first, reduced=True)

    def prepare(self, rows: int) -> tuple[int, int]:
        """Fill PostgreSQL and both repos; return how many rows PostgreSQL has nowhere, and the bytes of the files."""
        store, url = self._stack.hub.store, self._stack.postgres.url
        load(url, sample_news(rows, self._first, _LAST))
        made = damaged_files(url, self._first, _LAST, self._folder)
        size = sum(file.place.stat().st_size for file in made.files)
        for repo_id, files in ((REPO_ID, made.files), (REDUCED_REPO_ID, [made.reduced])):
            put_on_hub(store, repo_id, files)
            stranger.write(store, repo_id, {"README.md": CARD.encode(), "dataset_infos.json": b"{}"})
        return made.nowhere, size

    def fetch(self) -> Figures:
        """Measure the half of the floor that is on the Hub."""
        files = self._folder / "fetched"
        files.mkdir()
        return self._counted(lambda: self._floor("compaction_floor", "fetch", REPO_ID, f"{files}"))

    def day_files(self) -> Figures:
        """Measure the half of the floor that is in PostgreSQL."""
        files = self._folder / "day-files"
        files.mkdir()
        days = f"{self._first}", f"{_LAST}"
        return self._counted(lambda: self._floor("day_files", self._stack.postgres.url, *days, f"{files}"))

    def command(self, *words: str) -> Figures:
        """Run a command, which has to say that all holds."""
        return self._counted(lambda: self._worker.run(PRODUCT, self._environment, *words))

    def check(self, rows: int, approved: int) -> None:
        """See that the Hub has as many rows as PostgreSQL, and that those went that were to go."""
        store = self._stack.hub.store
        held = sum(
            pq.read_metadata(blob.path).num_rows for path, blob in store.tree(REPO_ID).items() if is_parquet(path)
        )
        told = (
            re.search(rf"^{REMOVED_ROWS}: (\d+)$", each.description, re.MULTILINE) for each in store.commits(REPO_ID)
        )
        removed = sum(int(found[1]) for found in told if found)
        if (held, removed) != (rows, approved):
            raise RuntimeError(f"The Hub has {held} rows and {removed} were removed, not {rows} and {approved}.")

    def _floor(self, module: str, *arguments: str) -> Cost:
        return self._worker.run(f"govbr_assets_tests.benchmarks.{module}", self._environment, *arguments)

    def _counted(self, measured: Callable[[], Cost]) -> Figures:
        """Count what passes, and the commits."""
        record, before = self._stack.hub.faults, self._commits()
        record.forget()
        cost = measured()
        print(f"{cost.seconds:.1f} s, {cost.megabytes:.0f} MB", flush=True)  # hours are lost if the next one fails
        down = sum(exchange.sent for exchange in record.requests)
        return Figures(cost, len(record.requests), down, self._commits() - before)

    def _commits(self) -> int:
        return sum(len(self._stack.hub.store.commits(repo_id)) for repo_id in (REPO_ID, REDUCED_REPO_ID))


def _show(figures: dict[str, Figures], rows: int, days: int, size: int) -> None:
    """Print a table, and whether what is wanted holds."""
    (fetch, read), commands = [*figures.values()][:2], [*figures.values()][2:]
    floor = fetch.cost.seconds + read.cost.seconds
    print(f"\n{rows:,} rows over {days:,} days, damaged ({size / 1e6:.1f} MB), and an old reduced dataset")
    print(f"{conditions()}\n")
    print(f"{'':<21}{'seconds':>9}{'of the floor':>14}{'CPU s':>8}{'peak MB':>9}{'requests':>10}{'MB down':>9}", end="")
    print(f"{'commits':>9}")
    for case, each in figures.items():
        print(
            f"{case:<21}{each.cost.seconds:>9.1f}{each.cost.seconds / floor:>14.2f}{each.cost.cpu_seconds:>8.0f}"
            f"{each.cost.megabytes:>9.0f}{each.requests:>10,}{each.down / 1e6:>9.1f}{each.commits:>9}"
        )
    peak = max(each.cost.megabytes for each in commands)
    verdict = "holds" if peak <= MOST_MEGABYTES else "missed"
    print(f"\n{peak:.0f} MB at the peak of any command, wanted at most {MOST_MEGABYTES}: {verdict}")
