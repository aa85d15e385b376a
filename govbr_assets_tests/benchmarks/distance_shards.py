"""Thousands of small files, met by a machine that has nothing yet: footers and keys of all of them, at a distance.

The floor, in the same run, fetches as many bytes of the same files: 16 at once, each the end of a file and then a part
of its beginning, over connections that stay open.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import requests

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.local.hub.distance import by_kind, connections, in_sequence
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.compaction_data import day_shards
from govbr_assets_tests.benchmarks.distance_table import DELAY
from govbr_assets_tests.benchmarks.hub_files import put_on_hub
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker, conditions

MOST_TIMES = 1.3
"""How many times the floor's seconds the reading of footers and keys may take."""

_AT_ONCE = 16
_REPO, _LAST, _DAY, _ROWS = "bench/shards", date(2025, 12, 31), Day(date(2026, 3, 10)), 160
_TAIL, _SHARD_ROWS = 16 << 10, 70


def run(stack: LocalStack, worker: Worker, folder: Path, shards: int) -> None:
    """Measure and print.

    Args:
        stack: where the files lie.
        worker: where a day is published beside them.
        folder: gets the files, and what the machine keeps.
        shards: how many.
    """
    print(f"\nMaking {shards:,} shards ...", flush=True)
    (folder / "shards").mkdir()
    first = _LAST - timedelta(days=shards - 1)
    put_on_hub(stack.hub.store, _REPO, day_shards(shards * _SHARD_ROWS, first, _LAST, folder / "shards"))
    load(stack.postgres.url, sample_news(_ROWS, _DAY.date, _DAY.date, seed=_DAY.date.toordinal()))
    home = folder / "three" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text((folder / "dagster" / "dagster.yaml").read_text())
    environment = stack.environment(first) | {
        "DAGSTER_HOME": str(home),
        "GOVBR_REPO_ID": _REPO,
        "GOVBR_STORAGE_URL": str(folder / "three" / "tables"),
        "GOVBR_VIEWER_URL": "http://127.0.0.1:1",
        "HF_HOME": str(folder / "three" / "hf"),
    }
    stack.hub.distance.seconds = DELAY
    stack.hub.faults.forget()
    cost = worker.materialize(PRODUCT, environment, "--partition", str(_DAY))
    passed = [*stack.hub.faults.requests]
    reads = [each for each in passed if each.method == "GET" and each.path.startswith("/lfs/")]
    fetched = sum(each.sent for each in reads)
    began = [each.began_at for each in passed if "/resolve/" in each.path and is_parquet(each.path)]
    ours = max(each.ended_at for each in reads) - min(began)
    floor = _floor(stack, max(0, fetched // shards - _TAIL))
    stack.hub.distance.seconds = 0.0
    times = ours / floor
    print(f"\n{shards:,} shards, a machine without anything, {DELAY * 1000:.0f} ms\n{conditions()}\n")
    print(
        f"footers and keys {ours:.1f} s, {fetched / 1e6:.1f} MB; the floor {floor:.1f} s: {times:.2f} times, ", end=""
    )
    print(f"wanted at most {MOST_TIMES}: {'holds' if times <= MOST_TIMES else 'missed'}")
    print(f"the day {cost.seconds:.1f} s, {cost.megabytes:.0f} MB at the peak, {len(passed)} requests, ", end="")
    print(f"{len(in_sequence(passed))} in sequence, {connections(passed)} connections")
    for kind, number in by_kind(passed).most_common():
        print(f"{number:>6}  {kind}")


def _floor(stack: LocalStack, key_bytes: int) -> float:
    """Fetch the end of each file and some bytes of its beginning, 16 at once; return the seconds."""
    base = f"{stack.hub.endpoint}/datasets/{_REPO}/resolve/{stack.hub.store.head(_REPO)}"
    paths = [path for path in stack.hub.store.tree(_REPO) if is_parquet(path)]
    local = threading.local()

    def fetch(path: str) -> None:
        """Fetch what is wanted of a file."""
        session = local.__dict__.setdefault("session", requests.Session())
        headers = {"Authorization": f"Bearer {stack.hub.write_token}"}
        answer = session.get(f"{base}/{path}", headers={**headers, "Range": f"bytes=-{_TAIL}"}, timeout=60)
        answer.raise_for_status()
        assert urlsplit(answer.url).path.startswith("/lfs/")
        if key_bytes:
            session.get(answer.url, headers={"Range": f"bytes=4-{key_bytes + 3}"}, timeout=60).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(fetch, paths))
    return time.perf_counter() - began
