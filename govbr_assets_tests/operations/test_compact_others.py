"""A compaction of several commits beside other writers: every row once at every revision, and none is lost."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from random import Random

import pyarrow as pa
import pytest

from govbr_assets.errors import HubConflictError
from govbr_assets.local.hub.actions import Action, call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import COMMIT, DATA, CompactionRepo, Files, dozen, few_files, year_file
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.test_compact import rows, utc
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import encode

OLD, NEW, NEWEST = (datetime.fromisoformat(f"2026-01-{day}") for day in ("01", "09", "10"))
ALWAYS = 99

LEGACY = "data/train-00000-of-00001.parquet"
YEAR = "data/train-2025-00.parquet"
SHARD, BEST, OPEN = (f"data/train-{day}.parquet" for day in ("2025-07-11", "2025-09-09", "2026-01-20"))


def past(name: str) -> Files:
    """Make a repo in the middle of its life: compacted years, new shards, late files of others, and ids that repeat."""
    twin = partial(rows, "twin")
    old_year = [
        rows("y", name, day="2025-03-03"),
        twin(day="2025-09-01", extracted_at=OLD),
        rows("z", day="2025-12-31"),
    ]
    return {
        LEGACY: as_others_write(pa.concat_tables([rows("e", day="2024-05-05"), rows("f", "y", day="2025-03-03")])),
        "data/train-2024-00.parquet": year_file(rows("v", "w", day="2024-05-05")),
        YEAR: year_file(pa.concat_tables(old_year)),
        "data/train-2024-12-12.parquet": encode(rows("d", day="2024-12-12")),
        SHARD: encode(rows("a", "b", day="2025-07-11")),
        "data/train-2025-08-11.parquet": encode(rows("c", day="2025-08-11")),
        BEST: encode(pa.concat_tables([twin(day="2025-09-09", extracted_at=NEW), rows("g", day="2025-09-09")])),
        OPEN: encode(rows("open", day="2026-01-20")),
    }


def year_of(repo: CompactionRepo, *more: pa.Table) -> pa.Table:
    """Take the year as it stands by now, with more rows."""
    return pa.concat_tables([repo.tables().get(YEAR, NEWS.schema.empty_table()), *more])


def more(number: int) -> pa.Table:
    return rows(f"more-{number}", day="2025-06-06")


DEEDS: dict[str, Callable[[CompactionRepo], Files]] = {
    "a shard appears": lambda _: {"data/train-2025-07-12.parquet": encode(rows("new", day="2025-07-12"))},
    "a shard of a year without a file appears": lambda _: {
        "data/train-2023-07-12.parquet": encode(rows("first", day="2023-07-12"))
    },
    "a late row comes into a shard": lambda _: {SHARD: encode(rows("a", "b", "late", day="2025-07-11"))},
    "a late row comes into today's shard": lambda _: {OPEN: encode(rows("open", "today", day="2026-01-20"))},
    "a file of theirs appears": lambda _: {"data/train-x.parquet": as_others_write(more(1))},
    "better rows appear": lambda _: {
        "data/train-y.parquet": as_others_write(rows("twin", "a", "w", day="2024-01-01", extracted_at=NEWEST))
    },
    "worse rows appear": lambda _: {"data/train-z.parquet": as_others_write(rows("twin", "y", day="2024-01-01"))},
    "a shard goes": lambda _: {SHARD: None},
    "the shard with the better row goes": lambda _: {BEST: None},
    "their file goes": lambda _: {LEGACY: None},
    "a shard gets another name": lambda repo: {
        SHARD: None,
        "data/train-s.parquet": encode(repo.tables().get(SHARD, more(2))),
    },
    "the year gets a row": lambda repo: {YEAR: year_file(year_of(repo, more(3)))},
    "the year is in disorder": lambda repo: {YEAR: encode(year_of(repo, more(4)))},
    "the year has small row groups": lambda repo: {YEAR: year_file(year_of(repo, more(5)), 1)},
    "the year has rows of another": lambda repo: {YEAR: year_file(year_of(repo, rows("odd", day="2022-01-01")))},
    "the year has times in UTC": lambda repo: {YEAR: as_others_write(utc(year_of(repo, more(6))))},
    "the year goes": lambda _: {YEAR: None},
    "the card is another one": lambda _: {"README.md": b"---\nlicense: mit\n---\n# Mine\n", "notes.txt": b"hi"},
}
"""What others may do, at any time; a file to be deleted may be gone by then."""


def deed(repo: CompactionRepo, name: str, done: list[str]) -> Action:
    """Let others do something before a request is answered, and remember the revision that it has led to."""

    def act() -> None:
        tree = repo.local_hub.store.tree(repo.repo_id)
        files = {path: content for path, content in DEEDS[name](repo).items() if content or path in tree}
        done.append(write(repo.local_hub.store, repo.repo_id, files))

    return call(act)


@pytest.mark.parametrize(
    "name",
    [
        "a shard appears",
        "a late row comes into a shard",
        "better rows appear",
        "a shard goes",
        "the shard with the better row goes",
        "the year gets a row",
        "the year is in disorder",
        "the year has times in UTC",
        "the year goes",
    ],
)
def test_what_others_do_before_the_commit_is_compacted_like_all_the_rest(repo: CompactionRepo, name: str):
    repo.write(past(repo.repo_id))
    done: list[str] = []
    repo.local_hub.faults.add(Fault("POST", COMMIT, deed(repo, name, done)))
    repo.compact()
    repo.check_history()
    repo.check_compacted(*done)
    assert repo.compact() == []


@pytest.mark.parametrize("seed", range(2))
def test_so_is_what_they_do_between_the_commits_of_a_series_in_whatever_order(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch, seed: int
):
    few_files(monkeypatch, 3)
    repo.write(past(repo.repo_id))
    done: list[str] = []
    for number, name in enumerate(Random(seed).sample(sorted(DEEDS), len(DEEDS))):
        moment = ("POST", COMMIT) if number % 3 else ("GET", DATA)
        repo.local_hub.faults.add(Fault(*moment, deed(repo, name, done), skip=2 * number))
    repo.compact()
    repo.local_hub.faults.clear()
    assert len(done) > 5
    repo.check_settled()
    repo.check_compacted(done[-1])


def test_a_head_that_moves_with_every_commit_is_a_conflict_and_nothing_is_lost(repo: CompactionRepo):
    base = repo.write(past(repo.repo_id))
    texts = iter(range(ALWAYS))
    store = repo.local_hub.store
    note = call(lambda: write(store, repo.repo_id, {"notes.txt": str(next(texts)).encode()}))
    repo.local_hub.faults.add(Fault("POST", COMMIT, note, times=ALWAYS))
    with pytest.raises(HubConflictError, match="moved 5 times"):
        repo.compact()
    assert repo.compactions == []
    repo.local_hub.faults.clear()
    repo.check_settled()
    repo.check_compacted(base)


def test_two_compactions_at_once_compact_everything_once(repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch):
    few_files(monkeypatch, 6)
    base = repo.write(dozen(repo.repo_id))
    meeting = threading.Barrier(2, timeout=2)

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):  # the other one has no more to send
            meeting.wait()

    repo.local_hub.faults.add(Fault("POST", COMMIT, call(meet), times=ALWAYS))
    ends: list[object] = []

    def run() -> None:
        try:
            ends.append(len(repo.compact()))
        except HubConflictError as error:
            ends.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    repo.local_hub.faults.clear()
    assert len(ends) == 2
    statuses = [each.status for each in repo.local_hub.faults.seen("POST", COMMIT)]
    assert 412 in statuses
    repo.check_settled()
    repo.check_compacted(base)


def test_a_compaction_in_the_middle_of_a_daily_publication_leaves_nothing_twice(graph: Graph):
    repo = published(graph)
    graph.local_hub.faults.add(Fault("POST", COMMIT, call(repo.compact)))
    assert graph.run("2026-01-14", "2026-01-15", checks=False).success
    assert len(repo.compactions) == 1
    check_published(graph, repo)


def test_a_daily_publication_in_the_middle_of_a_compaction_loses_no_late_row(graph: Graph):
    repo = published(graph)
    run = partial(graph.run, "2026-01-14", "2026-01-15", checks=False)
    graph.local_hub.faults.add(Fault("POST", COMMIT, call(run)))
    repo.compact()
    assert len(repo.compactions) == 1
    check_published(graph, repo)


def published(graph: Graph) -> CompactionRepo:
    """Publish two days, and let late rows come to both."""
    graph.insert("a", "b", day="2026-01-14")
    graph.insert("c", "d", day="2026-01-15")
    assert graph.run("2026-01-14", "2026-01-15", checks=False).success
    repo = CompactionRepo(graph.local_hub, graph.repo_id, graph.head.revision or "")
    graph.insert("late-14", day="2026-01-14")
    graph.insert("late-15", day="2026-01-15")
    return repo


def check_published(graph: Graph, repo: CompactionRepo) -> None:
    """All is there once, publishing again changes nothing, and neither does that to what is compacted then."""
    repo.check_history()
    assert repo.ids() == Counter(["a", "b", "c", "d", "late-14", "late-15"])
    head = repo.head
    assert graph.run("2026-01-14", "2026-01-15", checks=False).success
    assert repo.head == head
    repo.check_settled()
    head = repo.head
    assert graph.run("2026-01-14", "2026-01-15", checks=False).success
    assert repo.head == head
