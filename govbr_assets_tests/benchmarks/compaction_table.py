"""The figures of `compaction`: what is wanted of them, and the tables that are printed."""

from collections.abc import Mapping, Sequence

from govbr_assets_tests.benchmarks.compaction_peers import SORTS
from govbr_assets_tests.benchmarks.compaction_run import Compaction
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import conditions

MOST_MEGABYTES = 350
MOST_TIMES = 1.5
"""The time of the compaction over that of the floor."""
DELTA = "delta-rs compacts"


def show(
    rows: int,
    files: int,
    size: int,
    costs: Mapping[str, Cost],
    compactions: Sequence[Compaction],
    reads: Mapping[str, tuple[Cost, Cost]],
) -> None:
    """Print tables, and whether what is wanted holds.

    Args:
        rows: of the dataset.
        files: before the compaction.
        size: of these files, in bytes.
        costs: of the parts of the floor, Dagster's own, and the peers.
        compactions: the compaction, and once more with nothing to compact.
        reads: cost before and after the compaction, by reader.
    """
    compaction, again = compactions
    print(f"\nCompacting {rows:,} rows in {files:,} files, {size / 1e6:.1f} MB, `dagster asset materialize`")
    print(f"{conditions()}\n")
    fetch, floor = costs["fetch"], _after(costs["fetch"], costs["rewrite"])
    lines = {"fetch": fetch, "rewrite": costs["rewrite"], "the floor: both": floor, "compaction": compaction.cost}
    lines |= {"nothing to compact": again.cost, "empty graph": costs["empty graph"]}
    lines |= {f"fetch, {job}": _after(fetch, costs[job]) for job in (*SORTS, DELTA)}
    print(f"{'':<25}{'seconds':>9}{'of the floor':>14}{'CPU s':>8}{'peak MB':>9}")
    for case, cost in lines.items():
        times = (cost / floor).seconds
        print(f"{case:<25}{cost.seconds:>9.1f}{times:>14.2f}{cost.cpu_seconds:>8.0f}{cost.megabytes:>9.0f}")
    print("The fetch was measured once and counts in all three; the peers sort into one file,")
    print("and delta-rs compacts into files of 100 MB without sorting.")
    print(
        f"{len(compaction.commits)} commits, of {max(compaction.commits)} files at most; all ids are there, each once,"
    )
    print(f"in year files of {compaction.size / 1e6:.1f} MB; {compaction.fetched / 1e6:.1f} MB came from the Hub.")
    times = (compaction.cost / floor).seconds
    for text, figure, most in (
        (f"{compaction.cost.megabytes:.0f} MB at the peak", compaction.cost.megabytes, MOST_MEGABYTES),
        (f"{times:.2f} times the floor", times, MOST_TIMES),
    ):
        print(f"{text}, wanted at most {most}: {'holds' if figure <= most else 'missed'}")
    _show_reads(reads)


def _after(first: Cost, second: Cost) -> Cost:
    """Add one process to another that ended before it."""
    seconds, cpu_seconds = first.seconds + second.seconds, first.cpu_seconds + second.cpu_seconds
    return Cost(seconds, max(first.megabytes, second.megabytes), cpu_seconds)


def _show_reads(reads: Mapping[str, tuple[Cost, Cost]]) -> None:
    """Print what reading takes, imports included."""
    print(f"\n{'all rows, local copy':<22}{'seconds before':>15}{'after':>8}{'times':>7}{'MB before':>11}{'after':>8}")
    for job, (before, after) in reads.items():
        print(
            f"{job:<22}{before.seconds:>15.1f}{after.seconds:>8.1f}{(before / after).seconds:>7.1f}"
            f"{before.megabytes:>11.0f}{after.megabytes:>8.0f}"
        )
