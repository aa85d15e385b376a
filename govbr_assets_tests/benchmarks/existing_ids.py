"""What one day of 160 new rows costs on a Hub that is compacted and large: requests, bytes, memory, seconds.

The same day goes to a Hub of three sizes (`compacted`), each time in an own process: with the ids from the viewer,
in the very first run, when nothing is kept in the storage, and as on every other day; with the ids from the files
themselves, and nothing kept from before; and so again with what the run before has kept. The peers are the dataset's
bytes, the same case on the smallest Hub, and the old way (`old_way`) on the same rows. The local viewer is told to
index all of them, where the real one stops at 5 GB.

What is wanted, and the table, stand in `existing_ids_table`.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import CARD_PATH, is_parquet
from govbr_assets.local.hub.changes import Delete, Put
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.compacted import FACTORS, YearFile, make_files
from govbr_assets_tests.benchmarks.existing_ids_table import COLD, FIRST, OLD, VIEWER, WARM, Figures, show
from govbr_assets_tests.benchmarks.hub_files import put_on_hub
from govbr_assets_tests.benchmarks.measure import Cost, measure
from govbr_assets_tests.benchmarks.worker import PRODUCT, ROOT, Worker
from govbr_assets_tests.tables import encode

_DAY, _ROWS = date(2026, 1, 15), 160
_SHARD = NEWS.layout.day_path(Day(_DAY))


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: of the Hub in the middle.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        bench = _Bench(stack, Path(name))
        print(
            f"Making the files of {', '.join(f'{round(rows * factor):,}' for factor in FACTORS)} rows ...", flush=True
        )
        (Path(name) / "files").mkdir()
        files = make_files(rows, Path(name) / "files")
        figures: list[Figures] = []
        for factor in FACTORS:
            figures += bench.size([file for file in files if file.factor == factor], old_way=factor != max(FACTORS))
    show(figures, _ROWS)


class _Bench:
    """Runs the cases on a stack that has the day in PostgreSQL."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack, self._folder, self._worker = stack, folder, Worker(folder)
        load(stack.postgres.url, sample_news(_ROWS, _DAY, _DAY))

    def size(self, files: Sequence[YearFile], *, old_way: bool) -> Iterator[Figures]:
        """Run every case on a Hub with these files; after each it is as before."""
        rows, size = sum(file.rows for file in files), sum(file.place.stat().st_size for file in files)
        print(f"Measuring a Hub of {rows:,} rows ...", flush=True)
        repo_id = f"bench/news-{rows}"
        put_on_hub(self._stack.hub.store, repo_id, files)
        self._stack.viewer.index.limit(repo_id, sys.maxsize)
        self._publish(repo_id, "viewer", "before")  # the first run makes Dagster's database and the viewer's index
        for case, source in ((FIRST, "viewer"), (VIEWER, "viewer"), (COLD, "exact"), (WARM, "exact")):
            yield Figures(
                case, rows, size, *self._counted(lambda source=source: self._publish(repo_id, source, source))
            )
        if old_way:
            yield Figures(OLD, rows, size, *self._counted(lambda: self._old_way(repo_id, rows)))

    def _counted(self, work: Callable[[], Cost]) -> tuple[Cost, int, int, int]:
        """Do something, and count what passes between it and the servers."""
        records = self._stack.hub.faults, self._stack.viewer.faults
        for record in records:
            record.forget()
        cost = work()
        passed = [exchange for record in records for exchange in record.requests]
        return cost, len(passed), sum(each.sent for each in passed), sum(each.received for each in passed)

    def _publish(self, repo_id: str, source: str, storage: str) -> Cost:
        """Publish the day with the ids from a source, see that it is there, and take it away again."""
        store, viewer = self._stack.hub.store, self._stack.viewer.faults
        before, asked = store.tree(repo_id), len(viewer.seen("GET", "^/filter"))
        environment = self._stack.environment(date(2026, 1, 1)) | {
            "GOVBR_REPO_ID": repo_id,
            "GOVBR_STORAGE_URL": str(self._folder / repo_id / storage),
            "HF_HOME": tempfile.mkdtemp(dir=self._folder),  # no run knows what another has uploaded
        }
        config = json.dumps({"ops": {"hf_existing_ids": {"config": {"source": source}}}})
        cost = self._worker.materialize(PRODUCT, environment, "--partition", str(_DAY), "--config-json", config)
        after = dict(store.tree(repo_id))
        shard = after.pop(_SHARD, None)
        if shard is None or pq.read_metadata(shard.path).num_rows != _ROWS or after != before:
            raise RuntimeError(f"The Hub does not hold {_ROWS} rows of {_DAY} beside what it held before.")
        if (len(viewer.seen("GET", "^/filter")) > asked) != (source == "viewer"):
            raise RuntimeError(f"The ids did not come from the source {source!r}.")
        store.commit(repo_id, None, [Delete(_SHARD)], "Take the day away again")
        return cost

    def _old_way(self, repo_id: str, rows: int) -> Cost:
        """Publish the day the old way, to a copy of the repo, and see that it is there."""
        store, copy, cache = self._stack.hub.store, repo_id + "-old-way", self._folder / "old-way"
        store.create(copy)
        # Without the card: `push_to_hub` fails at `dataset_info` without `splits`, as ours is.
        files = [Put(path, blob) for path, blob in store.tree(repo_id).items() if path != CARD_PATH]
        store.commit(copy, None, files, "Copy the data")
        new = self._folder / "new.parquet"
        new.write_bytes(encode(NewsTable(self._stack.postgres.url, NEWS).day(Day(_DAY)).select(NEWS.schema.names)))
        environment = self._stack.environment(_DAY) | {"HF_HOME": str(cache)}
        program = [sys.executable, "-m", "govbr_assets_tests.benchmarks.old_way", copy, str(new)]
        cost = measure(program, environment, ROOT, self._folder / "log")
        shutil.rmtree(cache)
        places = [blob.path for path, blob in store.tree(copy).items() if is_parquet(path)]
        if sum(pq.read_metadata(place).num_rows for place in places) != rows + _ROWS:
            raise RuntimeError(f"The old way has not added {_ROWS} rows.")
        return cost
