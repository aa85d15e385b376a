"""Benchmarks by turns: the product of another revision and the one of this checkout, one after the other, in one run.

The benchmark, its data and the local stack are those of this checkout both times; only the production install differs.
A benchmark runs the same commands each time: what it asks of one command, all in all, is compared.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from statistics import fmean

from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.worker import CHECKOUT, COSTS, ROOT

TURNS = 2
"""How often each side runs a benchmark."""

MOST_TIMES = 1.1
"""How many times the older product's cost counts as not worse: of time, processor time and memory."""

_Costs = Mapping[str, list[Cost]]
"""What a command took, by what it is: an entry each time that it ran."""


def run(revision: str, benchmarks: Sequence[str]) -> int:
    """Measure benchmarks by turns and print a table of each.

    Args:
        revision: the older product, as git names it.
        benchmarks: their names, with or without `=ROWS`.

    Returns:
        The exit code: 2 if there is no such revision.

    Raises:
        CalledProcessError: a benchmark failed.
    """
    with tempfile.TemporaryDirectory(prefix="govbr-bench-old-") as folder:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=False)
        if archive.returncode:
            print(f"There is no revision {revision!r} here: name a commit after --against.", file=sys.stderr)
            return 2
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        programs = Path("govbr_assets_tests", "benchmarks")  # of these some have another name there
        shutil.copytree(
            ROOT / programs, Path(folder) / programs, copy_function=_copy_what_is_missing, dirs_exist_ok=True
        )
        for benchmark in benchmarks:
            old, new = defaultdict[str, list[Cost]](list), defaultdict[str, list[Cost]](list)
            for _ in range(TURNS):
                for checkout, costs in ((Path(folder), old), (ROOT, new)):
                    for command, cost in _costs(benchmark, checkout):
                        costs[command].append(cost)
            _show(benchmark, revision, old, new)
    return 0


def _copy_what_is_missing(source: str, target: str) -> None:
    """Copy a file, unless there is one of its name."""
    if not Path(target).exists():
        shutil.copyfile(source, target)


def _costs(benchmark: str, checkout: Path) -> Iterator[tuple[str, Cost]]:
    """Run a benchmark on the product of a checkout; name each command without its folders, config and days."""
    with tempfile.NamedTemporaryFile("r", prefix="govbr-bench-costs-") as costs:
        environment = os.environ | {CHECKOUT: str(checkout), COSTS: costs.name}
        command = [sys.executable, "-m", "govbr_assets_tests.benchmarks", benchmark]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        for line in costs:
            said, *figures = json.loads(line)
            yield " ".join(word for word in said.split() if word[0] not in "/{2"), Cost(*figures)


def _show(benchmark: str, revision: str, old: _Costs, new: _Costs) -> None:
    """Print what each command took, how many times the older product's cost that is, and which took too much."""
    print(f"\n{benchmark}: {revision} and this checkout by turns, means of all runs of a command")
    for name in ("seconds", "CPU s", "MB"):
        print(f"{name:>8}{'now':>8}{'times':>7}", end="")
    print(f"{'runs':>6}  command")
    missed = 0
    for command in (each for each in old if each in new):
        before, after = (Cost(*map(fmean, zip(*map(astuple, side[command]), strict=True))) for side in (old, new))
        seconds, megabytes, cpu_seconds = zip(*map(astuple, (before, after, after / before)), strict=True)
        for was, now, times in (seconds, cpu_seconds, megabytes):
            print(f"{was:>8.1f}{now:>8.1f}{times:>7.2f}", end="")
        worse = max(astuple(after / before)) > MOST_TIMES
        missed += worse
        print(f"{len(new[command]):>6}  {command[:70]}{' (too much)' if worse else ''}")
    text = f"{missed} commands took more" if missed else "holds"
    print(f"Wanted: at most {MOST_TIMES} times the seconds, the CPU seconds and the memory: {text}", flush=True)
