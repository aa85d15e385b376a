"""The command: all benchmarks, or the one that is named."""

import sys
from collections.abc import Callable

from govbr_assets_tests.benchmarks import one_day

BENCHMARKS: dict[str, Callable[[], None]] = {"one_day": one_day.run}


def main(names: list[str]) -> int:
    """Run benchmarks by name, all of them without one; return the exit code."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"There is no benchmark {unknown[0]!r}: choose of {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
