"""Fourteen days of 160 rows into the same dataset by this project and by its peers, and what becomes of them then.

Each has a repo with the same data files and a machine of its own; they publish day by day by turns. Then each runs once
more with nothing new; again after five rows have changed and two are gone in PostgreSQL; while a second run of its
own, on another machine, publishes the day after; and while somebody else commits a row and a line of the card. These
two come between what a run reads and its commit that adds the rows: the local Hub holds that one back meanwhile.
"""

import os
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.compacted import make_files
from govbr_assets_tests.benchmarks.hub_files import put_on_hub
from govbr_assets_tests.benchmarks.peers.case import Case
from govbr_assets_tests.benchmarks.peers.environment import python_of
from govbr_assets_tests.benchmarks.peers.peer import PEERS
from govbr_assets_tests.benchmarks.peers.source import Source
from govbr_assets_tests.benchmarks.peers.table import show
from govbr_assets_tests.benchmarks.worker import Worker

DAYS, DAY_ROWS = 14, 160
CHANGED, DELETED = 5, 2

_SOURCE, _FIRST = "bench/news", date(2026, 1, 5)
_CHANGED_DAY = 6


def run(rows: int = 31_000) -> None:
    """Measure and print.

    Args:
        rows: of the dataset before the days.

    Raises:
        RuntimeError: the product failed.
    """
    for environment in {peer.environment: None for peer in PEERS if peer.environment}:
        python_of(environment)
    with tempfile.TemporaryDirectory(prefix="govbr-bench-") as name, LocalStack(Path(name)) as stack:
        print(f"Making the files of {rows:,} rows ...", flush=True)
        (Path(name) / "files").mkdir()
        files = [file for file in make_files(rows, Path(name) / "files") if file.factor == 1]
        size = sum(file.place.stat().st_size for file in files)
        put_on_hub(stack.hub.store, _SOURCE, files)
        worker = Worker(Path(name))
        cases = [Case(peer, stack, worker, _SOURCE, Path(name), _FIRST) for peer in PEERS]
        for case in cases:
            stack.viewer.index.limit(case.repo.repo_id, 1 << 40)
        load_before = os.getloadavg()[0]
        _publish(cases, Source(stack.postgres.url, DAY_ROWS))
    show([case.figures for case in cases], sum(file.rows for file in files), size, DAY_ROWS)
    print(f"Load average {load_before:.1f} before, {os.getloadavg()[0]:.1f} after.")


def _publish(cases: Sequence[Case], source: Source) -> None:
    """Let all of it happen, each time to one after the other."""
    *days, day, last, next_day = [_FIRST + timedelta(days=number) for number in range(DAYS + 3)]
    ids: dict[date, list[str]] = {}
    for each in days:
        print(f"Publishing {each} ...", flush=True)
        ids[each] = source.add(each)
        for case in cases:
            case.attempt(f"{each}", partial(Case.day, day=each))
    print("Loading, again, changed, beside others ...", flush=True)
    for case in cases:
        case.attempt("loading", lambda case: case.load(case.figures.loaded))
        case.attempt("once more with nothing new", partial(Case.again, day=days[-1], ids=ids[days[-1]]))
    changed, deleted = ids[days[_CHANGED_DAY]][:CHANGED], ids[days[_CHANGED_DAY]][-DELETED:]
    source.correct(changed)
    source.delete(deleted)
    for case in cases:
        of_day = partial(Case.changed, day=days[_CHANGED_DAY], changed=changed, deleted=deleted)
        case.attempt("changed rows", of_day)
    for case in cases:
        ids[last] = source.add(last)
        beside = partial(Case.beside_itself, day=last, ids=ids[last], next_day=next_day)
        case.attempt("a second run", partial(beside, add=partial(source.add, next_day)))
        source.delete_days(last, next_day)
    ids[day] = source.add(day)
    for case in cases:
        case.attempt("somebody else", partial(Case.beside_somebody_else, day=day, ids=ids[day]))
