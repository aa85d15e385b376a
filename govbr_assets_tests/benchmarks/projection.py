"""The reduced dataset follows a day that was published: seconds, and bytes from and to the Hub; and all of it at first.

Beside it, in the same process and on a repo of its own, the least that a program does which knows the path of the
new file: it reads the columns of that file through the Hub's file system, and sends the file made of them in a commit.
"""

import io
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem

from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.parquet import encode, encode_to
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets.operations.project.plan import project
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS, REDUCED
from govbr_assets_tests.benchmarks.hub_files import DataFile, put_on_hub

DAYS, DAY_ROWS = 7, 450

_REPO, _REDUCED, _BY_HAND = "bench/news", "bench/news-reduced", "bench/by-hand"
_YEAR, _FIRST = 2025, date(2026, 1, 1)


@dataclass(frozen=True)
class _Cost:
    """What it took.

    Attributes:
        seconds: wall time.
        down: bytes from the Hub.
        up: bytes to the Hub.
        requests: how many.
    """

    seconds: float
    down: int
    up: int
    requests: int


def run(rows: int = 20_000) -> None:
    """Measure and print.

    Args:
        rows: of the year that is there before.

    Raises:
        RuntimeError: a day was not mirrored.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name))
        print(f"Publishing {rows:,} rows of a year ...", flush=True)
        size = bench.prepare(rows)
        first = bench.measure(bench.project)
        cases = [bench.day(Day(_FIRST + timedelta(days=number))) for number in range(DAYS)]
        nothing = bench.measure(bench.project)
    product, by_hand, sizes = zip(*cases, strict=True)
    print(f"\nThe reduced dataset: {DAYS} days of {DAY_ROWS} rows ({median(sizes) / 1e3:.0f} kB each), medians\n")
    print(f"{'':<34}{'seconds':>9}{'kB down':>9}{'kB up':>8}{'requests':>10}")
    _show(f"at first, a year of {size / 1e6:.0f} MB", [first])
    _show("a day", product)
    _show("a day by hand", by_hand)
    _show("nothing new", [nothing])


class _Bench:
    """Publishes days, and has them mirrored."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._full, self._reduced = (
            Dataset.open(
                repo_id,
                spec,
                token=stack.hub.write_token,
                endpoint=stack.hub.endpoint,
                folder=Folder(str(folder / spec.name)),
            )
            for repo_id, spec in ((_REPO, NEWS), (_REDUCED, REDUCED.spec))
        )
        self._api = HfApi(token=stack.hub.write_token, endpoint=stack.hub.endpoint)

    def prepare(self, rows: int) -> int:
        """Publish a year in one file; return its bytes."""
        url, days = self._stack.postgres.url, [Day(date(_YEAR, 1, 1) + timedelta(days=each)) for each in range(365)]
        load(url, sample_news(rows, days[0].date, days[-1].date))
        last = _FIRST + timedelta(days=DAYS - 1)
        load(url, sample_news(DAY_ROWS * DAYS, _FIRST, last, seed=1))
        take, place = NewsTable(url, NEWS).read_days(days), self._folder / "year.parquet"
        with place.open("wb") as sink:
            written = encode_to(sink, (take(day).select(NEWS.schema.names) for day in days), NEWS)
        size = place.stat().st_size
        put_on_hub(self._stack.hub.store, _REPO, [DataFile.of(NEWS.layout.compacted_path(_YEAR), place, written)])
        self._api.create_repo(_BY_HAND, repo_type="dataset")
        return size

    def day(self, day: Day) -> tuple[_Cost, _Cost, int]:
        """Publish a day, and mirror it both ways; return both costs, and the bytes of its shard."""
        content = encode(
            NewsTable(self._stack.postgres.url, NEWS).read_days([day])(day).select(NEWS.schema.names), NEWS
        )
        place, path = self._folder / "day.parquet", NEWS.layout.day_path(day)
        place.write_bytes(content)
        put_on_hub(self._stack.hub.store, _REPO, [DataFile.of(path, place, 0)])
        by_hand = self.measure(lambda: self._by_hand(path))
        product = self.measure(self.project)
        if self._reduced.client.head().data_file(path) is None:
            raise RuntimeError(f"{path} was not mirrored.")
        return product, by_hand, len(content)

    def project(self) -> None:
        """Mirror what is new."""
        for _ in project(self._full, self._reduced, REDUCED):
            pass

    def measure(self, action: Callable[[], None]) -> _Cost:
        """Do something, and count."""
        faults = self._stack.hub.faults
        faults.forget()
        began = time.perf_counter()
        action()
        seconds, requests = time.perf_counter() - began, faults.requests
        return _Cost(
            seconds, sum(each.sent for each in requests), sum(each.received for each in requests), len(requests)
        )

    def _by_hand(self, path: str) -> None:
        """Mirror one file whose path is known."""
        files = HfFileSystem(
            endpoint=self._stack.hub.endpoint, token=self._stack.hub.write_token, skip_instance_cache=True
        )
        with files.open(f"datasets/{_REPO}/{path}", "rb", cache_type="readahead", block_size=1 << 16) as remote:
            rows = pq.ParquetFile(remote, pre_buffer=False).read(list(REDUCED.columns))
        sink = io.BytesIO()
        pq.write_table(rows.select(list(REDUCED.columns)), sink, compression="zstd", use_content_defined_chunking=True)
        operation = CommitOperationAdd(path, sink.getvalue())
        self._api.create_commit(_BY_HAND, [operation], commit_message="A day", repo_type="dataset")


def _show(name: str, costs: Iterable[_Cost]) -> None:
    """Print a line: medians."""
    all_of = [*costs]
    seconds, requests = median(each.seconds for each in all_of), median(each.requests for each in all_of)
    down, up = (median(getattr(each, name) for each in all_of) / 1e3 for name in ("down", "up"))
    print(f"{name:<34}{seconds:>9.2f}{down:>9.0f}{up:>8.0f}{requests:>10.0f}")
