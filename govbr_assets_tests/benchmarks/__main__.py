"""The command: all benchmarks, or the ones that are named; `NAME=ROWS` measures a smaller or larger case than usual.

`--against REVISION` measures each by turns with the product of that revision, and prints how many times its cost.
"""

import re
import sys
from collections.abc import Callable

from govbr_assets_tests.benchmarks import (
    backfill,
    backfill_postgres,
    by_turns,
    compaction,
    compaction_scale,
    compaction_week,
    distance,
    existing_ids,
    large_rows,
    mend,
    migration,
    one_change,
    one_day,
    parallel_backfill,
    projection,
    reconcile,
)
from govbr_assets_tests.benchmarks.peers import bench as peers

SIZED: dict[str, Callable[..., None]] = {
    "existing_ids": existing_ids.run,
    "backfill": backfill.run,
    "backfill_postgres": backfill_postgres.run,
    "parallel_backfill": parallel_backfill.run,
    "compaction": compaction.run,
    "compaction_week": compaction_week.run,
    "compaction_scale": compaction_scale.run,
    "reconcile": reconcile.run,
    "one_change": one_change.run,
    "projection": projection.run,
    "large_rows": large_rows.run,
    "migration": migration.run,
    "mend": mend.run,
    "peers": peers.run,
    "distance": distance.run,
}
BENCHMARKS: dict[str, Callable[..., None]] = {"one_day": one_day.run, **SIZED}


def main(words: list[str]) -> int:
    """Run benchmarks by name, all of them without one; return the exit code."""
    against = None
    if words[:1] == ["--against"]:
        _, against, *words = [*words, ""][: max(2, len(words))]
    known = re.compile(rf"({'|'.join(BENCHMARKS)})|({'|'.join(SIZED)})=[1-9]\d*")
    if unknown := [word for word in words if not known.fullmatch(word)]:
        print(f"There is no benchmark {unknown[0]!r}: choose of {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    if against is not None:
        return by_turns.run(against, words or list(BENCHMARKS))
    for name, _, rows in (word.partition("=") for word in words or BENCHMARKS):
        BENCHMARKS[name](*([int(rows)] if rows else []))
    return 0


if __name__ == "__main__":  # a process that makes files for a benchmark imports this module too
    sys.exit(main(sys.argv[1:]))
