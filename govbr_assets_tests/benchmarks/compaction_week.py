"""The compaction of every week: seven shards with 1,100 new rows into a dataset that the product has compacted before.

Bytes are new if the storage of the Hub had no such chunk, by the real client's own chunking. The client remembers in
`HF_HOME` what it has sent; a new machine asks the Hub for that, which the local one does not answer.
"""

import tempfile
from datetime import date, timedelta
from pathlib import Path

from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.compaction_data import day_shards, legacy_files
from govbr_assets_tests.benchmarks.compaction_run import CompactedRepo, Compaction
from govbr_assets_tests.benchmarks.hub_files import put_on_hub
from govbr_assets_tests.benchmarks.worker import Worker, conditions

MOST_NEW = 0.03
"""The part of the dataset's bytes that may be new."""

_REPO, _BEGINNING, _MONDAY, _WEEK_ROWS = "bench/news", date(2003, 1, 1), date(2025, 12, 22), 1_100


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: that are compacted already.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        repo = CompactedRepo(stack, Worker(Path(name)), Path(name), _REPO)
        files = Path(name) / "files"
        files.mkdir()
        print(f"Compacting {rows:,} rows for the first time ...", flush=True)
        put_on_hub(stack.hub.store, _REPO, legacy_files(rows, _BEGINNING, _MONDAY - timedelta(days=1), files))
        repo.compact()
        print("Measuring the compaction of a week ...", flush=True)
        shards = day_shards(_WEEK_ROWS, _MONDAY, _MONDAY + timedelta(days=6), files)
        put_on_hub(stack.hub.store, _REPO, shards)
        _show(repo.compact(), rows, len(shards))


def _show(compaction: Compaction, rows: int, shards: int) -> None:
    """Print a table, and whether what is wanted holds."""
    print(f"\n{_WEEK_ROWS:,} rows in {shards} shards into {rows:,} compacted ones, `dagster asset materialize`")
    print(f"{conditions()}\n")
    print(f"{'':<18}{'MB':>9}{'of the dataset':>16}")
    for text, size in (
        ("dataset", compaction.size),
        ("fetched", compaction.fetched),
        ("new to the Hub", compaction.stored),
    ):
        print(f"{text:<18}{size / 1e6:>9.1f}{size / compaction.size:>16.2%}")
    cost, share = compaction.cost, compaction.stored / compaction.size
    print(f"{cost.seconds:.1f} seconds, {cost.cpu_seconds:.0f} of CPU, {cost.megabytes:.0f} MB at the peak, ", end="")
    print(f"{len(compaction.commits)} commit")
    text = "holds" if share < MOST_NEW else "missed"
    print(f"{share:.2%} of the dataset is new bytes, wanted under {MOST_NEW:.0%}: {text}")
