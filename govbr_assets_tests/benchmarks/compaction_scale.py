"""How the compaction scales: the same days with ten times the rows, about the same memory and ten times the time.

The larger size by default has 3,100,000 rows: it takes a quarter of an hour and 30 GB of disk.
"""

import tempfile
from pathlib import Path

from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.compaction import before_the_compaction
from govbr_assets_tests.benchmarks.compaction_run import CompactedRepo, Compaction
from govbr_assets_tests.benchmarks.hub_files import put_on_hub
from govbr_assets_tests.benchmarks.worker import Worker, conditions

FACTOR = 10
MOST_TIMES = 11
"""The time with `FACTOR` times the rows."""
MOST_MEMORY = 1.25
"""The peak with `FACTOR` times the rows."""


def run(rows: int = 310_000) -> None:
    """Measure and print.

    Args:
        rows: of the smaller size.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    compactions: dict[int, Compaction] = {}
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        worker = Worker(Path(name))
        for size in (rows, rows * FACTOR):
            repo_id = f"bench/news-{size}"
            put_on_hub(stack.hub.store, repo_id, before_the_compaction(size, Path(name) / f"files-{size}"))
            print("Measuring the compaction ...", flush=True)
            compactions[size] = CompactedRepo(stack, worker, Path(name), repo_id).compact()
    _show(compactions)


def _show(compactions: dict[int, Compaction]) -> None:
    """Print a table, and whether what is wanted holds."""
    print(f"\nThe first compaction in two sizes, `dagster asset materialize`\n{conditions()}\n")
    print(f"{'rows':>9}{'MB after':>10}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}{'commits':>9}")
    for rows, compaction in compactions.items():
        cost = compaction.cost
        print(
            f"{rows:>9,}{compaction.size / 1e6:>10.1f}{cost.seconds:>9.1f}{cost.cpu_seconds:>8.0f}"
            f"{cost.megabytes:>9.0f}{len(compaction.commits):>9}"
        )
    small, large = compactions.values()
    times = large.cost / small.cost
    for text, figure, most in (
        (f"{times.megabytes:.2f} times the memory", times.megabytes, MOST_MEMORY),
        (f"{times.seconds:.1f} times the time", times.seconds, MOST_TIMES),
    ):
        print(f"{text}, wanted at most {most}: {'holds' if figure <= most else 'missed'}")
