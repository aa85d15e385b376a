"""The figures of `one_change`: what is wanted of them, and the table that is printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from govbr_assets_tests.benchmarks.measure import Cost, typical
from govbr_assets_tests.benchmarks.worker import conditions

MOST_NEW = 0.02
"""The part of the year's bytes that may be new."""

PRODUCT_WAY, _PEER = "product", "whole"
"""The ways that are compared."""


@dataclass(frozen=True)
class Figures:
    """What a case took.

    Attributes:
        kind: of change.
        way: by whom.
        cost: time and memory of the process.
        fetched: bytes that the Hub sent.
        written: bytes of the year's file that came of it.
        new: bytes that the client sent into the storage of chunks.
    """

    kind: str
    way: str
    cost: Cost
    fetched: int
    written: int
    new: int


def show(cases: Sequence[Figures], empty: Cost, rows: int, size: int, rounds: int) -> None:
    """Print a table, and whether what is wanted holds.

    Args:
        cases: every kind and way, once a round.
        empty: cost of an empty graph.
        rows: of the year.
        size: of its file, in bytes.
        rounds: how many there were.
    """
    print(
        f"\nOne row of a compacted year, {rows:,} rows ({size / 1e6:.1f} MB), `dagster asset materialize --partition`;"
    )
    print(
        f"`times` is how many times the year's file by hand as one table; medians of {rounds} rounds, the most of `new`"
    )
    print(f"{conditions()}\n")
    print(f"{'':<25}{'seconds':>8}{'times':>7}{'CPU s':>7}{'peak MB':>9}{'times':>7}", end="")
    print(f"{'MB down':>9}{'written':>9}{'new':>8}{'of the year':>13}{'times':>7}")
    print(f"{'empty graph':<25}{empty.seconds:>8.1f}{'':>7}{empty.cpu_seconds:>7.1f}{empty.megabytes:>9.0f}")
    for kind in dict.fromkeys(each.kind for each in cases):
        ways = {way: _summary(cases, kind, way) for way in dict.fromkeys(each.way for each in cases)}
        for way, each in ways.items():
            peer, label = ways[_PEER], way if way == PRODUCT_WAY else f"hand, {way}"
            cost, times = each.cost, each.cost / peer.cost
            print(
                f"{f'{kind}, {label}':<25}{cost.seconds:>8.1f}{times.seconds:>7.2f}{cost.cpu_seconds:>7.1f}"
                f"{cost.megabytes:>9.0f}{times.megabytes:>7.2f}{each.fetched / 1e6:>9.1f}{each.written / 1e6:>9.1f}"
                f"{each.new / 1e6:>8.2f}{each.new / size:>13.2%}{each.new / peer.new:>7.2f}"
            )
    print()
    for kind in dict.fromkeys(each.kind for each in cases):
        share = _summary(cases, kind, PRODUCT_WAY).new / size
        verdict = "holds" if share < MOST_NEW else "MISSED"
        print(f"{kind}: {share:.2%} of the year's bytes is new, wanted under {MOST_NEW:.0%}: {verdict}")


def _summary(cases: Sequence[Figures], kind: str, way: str) -> Figures:
    """Take the medians of the rounds, and the most of the bytes."""
    found = [each for each in cases if (each.kind, each.way) == (kind, way)]
    fetched, written, new = (max(getattr(each, name) for each in found) for name in ("fetched", "written", "new"))
    return Figures(kind, way, typical([each.cost for each in found]), fetched, written, new)
