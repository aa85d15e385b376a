"""The figures of `existing_ids`: what is wanted of them, and the table that is printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import conditions

FIRST, VIEWER, COLD, WARM, OLD = "viewer, first", "viewer", "exact, cold", "exact, warm", "the old way"
WANTED = {FIRST: 0.02, VIEWER: 0.02, COLD: 0.05, WARM: 0.01}
"""The largest part of the dataset's bytes that a case may fetch."""
FLAT = 1.1
"""How many times the smallest Hub's figure counts as the same: of memory, and of the viewer's requests and bytes.

Bytes of the first run are left out of it: once in the life of a file its footer is read, and a large file has more.
"""


@dataclass(frozen=True)
class Figures:
    """What a case took on a Hub.

    Attributes:
        case: its name.
        rows: of the dataset before it.
        size: of the dataset, in bytes.
        cost: time and memory of the process.
        requests: to Hub and viewer.
        fetched: bytes that these two sent.
        uploaded: bytes that they were sent.
    """

    case: str
    rows: int
    size: int
    cost: Cost
    requests: int
    fetched: int
    uploaded: int


def show(figures: Sequence[Figures], day_rows: int) -> None:
    """Print a table, and how much more the old way takes.

    Args:
        figures: of all cases and Hubs, from the smallest Hub to the largest.
        day_rows: rows of the day.
    """
    print(f"\nOne day of {day_rows} new rows to a compacted Hub, `dagster asset materialize`\n{conditions()}\n")
    print(f"{'rows':>9}{'MB':>8}  {'case':<14}{'requests':>9}{'MB down':>9}{'of all':>8}{'MB up':>8}", end="")
    print(f"{'peak MB':>9}{'times':>7}{'CPU s':>7}{'seconds':>9}")
    smallest = {each.case: each for each in reversed(figures)}
    for each in figures:
        peer = smallest[each.case]
        print(
            f"{each.rows:>9,}{each.size / 1e6:>8.1f}  {each.case:<14}{each.requests:>9,}{each.fetched / 1e6:>9.2f}"
            f"{each.fetched / each.size:>8.2%}{each.uploaded / 1e6:>8.2f}{each.cost.megabytes:>9.0f}"
            f"{(each.cost / peer.cost).megabytes:>7.2f}{each.cost.cpu_seconds:>7.1f}{each.cost.seconds:>9.1f}"
            f"  {_verdict(each, peer)}"
        )
    shares = ", ".join(f"{share:.0%} ({case})" for case, share in WANTED.items())
    print(
        f"\n`times` is against the same case on the smallest Hub. Wanted: memory at most {FLAT} times, and so requests"
    )
    print(f"and bytes with the viewer; of all bytes of the dataset at most {shares}.")
    for old in figures:
        if old.case == OLD:
            print(_comparison(old, next(each for each in figures if each.rows == old.rows)))
    print("The old way is left out on the largest Hub: it would move over 20 GB to show the same.")


def _verdict(figures: Figures, peer: Figures) -> str:
    """Say whether what is wanted holds."""
    if figures.case == OLD:
        return ""
    missed = list(_missed(figures, peer))
    return f"missed: {', '.join(missed)}" if missed else "holds"


def _missed(figures: Figures, peer: Figures) -> Iterator[str]:
    """Name what is not as it is wanted."""
    if (figures.cost / peer.cost).megabytes > FLAT:
        yield "memory"
    if figures.fetched > WANTED[figures.case] * figures.size:
        yield "part of all bytes"
    if figures.case == VIEWER and figures.requests > FLAT * peer.requests:
        yield f"requests {figures.requests / peer.requests:.2f} times"
    if figures.case == VIEWER and figures.fetched > FLAT * peer.fetched:
        yield f"bytes {figures.fetched / peer.fetched:.2f} times"


def _comparison(old: Figures, new: Figures) -> str:
    """Say how many times the old way is what the product takes."""
    cost, passed = old.cost / new.cost, (old.fetched + old.uploaded) / (new.fetched + new.uploaded)
    return (
        f"The old way against `{new.case}`, {old.rows:,} rows: {passed:.0f} times the bytes down and up, "
        f"{cost.megabytes:.1f} times the memory, {cost.cpu_seconds:.1f} times the CPU, {cost.seconds:.1f} times the "
        "seconds."
    )
