"""The figures of `distance`: what is wanted of them, and the tables that are printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from govbr_assets.local.hub.distance import by_kind, connections, in_sequence, kind_of, repeated
from govbr_assets.local.hub.faults import Exchange
from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import conditions

DELAY = 0.15
"""Seconds to each server and back."""

MOST_FIRST, MOST_LATER = 20, 12
"""Requests of a day that wait for one another: of a machine that has nothing yet, and of one that has run before."""


@dataclass(frozen=True)
class Figures:
    """What a case took.

    Attributes:
        case: its name.
        cost: time and memory of the process.
        requests: to Hub, storage and viewer.
    """

    case: str
    cost: Cost
    requests: list[Exchange]


def show(rows: int, cases: Sequence[Figures]) -> None:
    """Print a table, and the requests of each case: all by kind, and those that wait for one another in their order."""
    print(f"\nDays of 160 rows beside {rows:,} compacted ones, each request {DELAY * 1000:.0f} ms away")
    print(f"{conditions()}\n")
    print(f"{'':<26}{'seconds':>8}{'requests':>10}{'in sequence':>13}{'repeated':>10}{'connections':>13}{'MB down':>9}")
    for each in cases:
        passed, chain = each.requests, in_sequence(each.requests)
        print(
            f"{each.case:<26}{each.cost.seconds:>8.1f}{len(passed):>10}{len(chain):>13}{len(repeated(passed)):>10}"
            f"{connections(passed):>13}{sum(one.sent for one in passed) / 1e6:>9.2f}{_verdict(each.case, len(chain))}"
        )
    for each in cases:
        print(f"\n{each.case}")
        for kind, times in by_kind(each.requests).most_common():
            print(f"{times:>6}  {kind}")
        chain = in_sequence(each.requests)
        print("  in sequence: " + ", ".join(map(kind_of, chain)) if len(chain) < 60 else "")


def _verdict(case: str, length: int) -> str:
    """Say whether what is wanted of a day holds."""
    if "run" not in case and "later" not in case:
        return ""
    most = MOST_FIRST if "first" in case else MOST_LATER
    return f"  at most {most}: {'holds' if length <= most else 'missed'}"
