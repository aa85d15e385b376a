"""Publications in processes of their own that are killed at every request, and two at once that publish the same days.

The Hub itself kills: the moment a request arrives, which it then never sees, or when it has done what was asked.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from govbr_assets.local.hub.actions import Action, call, cut
from govbr_assets.local.hub.faults import Exchange, Fault
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets_tests import processes
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.processes import MOVED, PUBLISHED, Wanted
from govbr_assets_tests.scenes import DAYS, Scene

When = Literal["before", "after"]

COMMIT = "/commit/main$"
MONTH = [f"2026-01-{number:02}" for number in range(1, 31)]

_repos = count()


class Killer:
    """Kills one process when its requests have come to a number."""

    def __init__(self) -> None:
        self.victim: BaseProcess | None = None

    def kill(self) -> None:
        assert self.victim
        assert self.victim.pid
        os.kill(self.victim.pid, signal.SIGKILL)

    @property
    def action(self) -> Action:
        """Kill, and let the request be lost with the process."""

        async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            await run_in_threadpool(self.kill)
            await cut()(app, scope, receive, send)

        return act


@pytest.fixture
def scenes(graph: Graph) -> Iterator[Scene]:
    """Make one scene after another: the same database, emptied, and a repo of its own for each."""

    def make() -> Iterator[Scene]:
        while True:
            repo_id = f"{graph.repo_id}k-{os.getpid()}x{next(_repos)}"
            graph.execute("TRUNCATE news")
            folder = graph.folder / str(next(_repos))
            yield Scene.of(Graph(graph.postgres_url, repo_id, graph.local_hub, graph.local_viewer, folder))

    return make()


def a_day(scene: Scene) -> Wanted:
    """One commit."""
    return Wanted.of(scene.graph, scene.graph.folder, DAYS[1])


def a_range(scene: Scene) -> Wanted:
    """Three days in two commits."""
    return Wanted.of(scene.graph, scene.graph.folder, DAYS[0], DAYS[-1], commit_days=2)


def requests_of(wanted: Wanted, scene: Scene) -> list[Exchange]:
    """Let a process publish, and list its requests to the Hub."""
    assert processes.code_of(processes.start(wanted)) == PUBLISHED
    return list(scene.graph.local_hub.faults.requests)


def commit_of(requests: Sequence[Exchange]) -> int:
    """Find the request that makes the commit; what comes behind it only looks at it."""
    return next(number for number, each in enumerate(requests) if each.path.endswith("/commit/main"))


def kill(wanted: Wanted, scene: Scene, number: int, when: When = "before") -> None:
    """Let a process publish, and kill it with its request of a number: before the Hub has seen it, or has answered."""
    killer, barrier = Killer(), processes.context().Barrier(2)
    scene.graph.local_hub.faults.add(Fault("*", "", killer.action, when, skip=number))
    killer.victim = processes.start(wanted, barrier)
    barrier.wait(60)
    assert processes.code_of(killer.victim) == -signal.SIGKILL, number
    scene.graph.local_hub.faults.clear()


def check_mended(scene: Scene, days: Sequence[str]) -> None:
    """The laws held; one more run makes all complete, and one after that changes nothing."""
    exactly = {"hf_existing_ids": {"source": "exact"}}
    last = days[-1] if len(days) > 1 else ""
    scene.check_history()
    assert scene.graph.run(days[0], last, checks=False).success
    scene.check_history()
    scene.check_complete(days)
    commits = scene.new_commits
    assert scene.graph.run(days[0], last, checks=False, config=exactly).success
    assert scene.new_commits == commits


def test_a_process_that_is_killed_at_any_request_that_reads_leaves_the_repo_as_it_was(scenes: Iterator[Scene]):
    scene = next(scenes)
    requests = requests_of(a_day(scene), scene)
    scene = next(scenes)
    for number in (number for number, each in enumerate(requests[: commit_of(requests)]) if each.method == "GET"):
        scene.graph.folder = scene.graph.folder.with_name(f"{scene.graph.folder.name}-{number}")
        kill(a_day(scene), scene, number)
        assert scene.new_commits == []
    check_mended(scene, [DAYS[1]])
    scene.check_shards([DAYS[1]])


@pytest.mark.parametrize("when", ["before", "after"])
def test_one_that_is_killed_at_any_request_that_writes_is_mended_by_the_next_run(scenes: Iterator[Scene], when: When):
    scene = next(scenes)
    requests = requests_of(a_day(scene), scene)
    commit = commit_of(requests)
    writes = [number for number, each in enumerate(requests) if each.method != "GET" or number > commit]
    assert len(writes) >= 5
    for number in writes:
        scene = next(scenes)
        kill(a_day(scene), scene, number, when)
        landed = number > commit or (number == commit and when == "after")  # what comes behind it only looks at it
        assert len(scene.new_commits) == landed
        check_mended(scene, [DAYS[1]])
        scene.check_shards([DAYS[1]])


def test_so_is_one_that_is_killed_between_two_commits(scenes: Iterator[Scene]):
    scene = next(scenes)
    requests = requests_of(a_range(scene), scene)
    first, last = (number for number, each in enumerate(requests) if each.path.endswith("/commit/main"))
    moments: list[tuple[int, When]] = [(first, "after"), (first + 1, "before"), (last, "before")]
    for number, when in moments:
        scene = next(scenes)
        kill(a_range(scene), scene, number, when)
        assert len(scene.new_commits) == 1
        check_mended(scene, DAYS)
        scene.check_shards(DAYS)


def month(graph: Graph, names: str) -> None:
    """Insert rows of 30 days."""
    for number, day in enumerate(MONTH):
        graph.insert(*(f"{graph.repo_id}-{number}-{name}" for name in names), day=day)


@pytest.fixture
def behind(postgres: EmbeddedPostgres, graph: Graph) -> Iterator[Graph]:
    """The same repo, and a database that is behind: rows have moved to other days since, and others have come."""
    name = f"behind_{os.getpid()}_{next(_repos)}"
    url = postgres.create_database(name)
    folder = graph.folder.with_name("behind")
    other = Graph(url, graph.repo_id, graph.local_hub, graph.local_viewer, folder)
    month(other, "abcde")
    yield other
    postgres.drop_database(name)


def check_both(graph: Graph, other: Graph, tmp_path: Path) -> Scene:
    """Publish from two processes at once; however they end, the laws hold and one more run completes all.

    The Hub holds a commit back until the other process sends one too, so that they collide again and again.
    """
    meeting = threading.Barrier(2, timeout=6)  # longer than a busy machine needs; over, it is so for all later ones

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):  # the other one has no more to send
            meeting.wait()

    faults = graph.local_hub.faults
    faults.add(Fault("POST", COMMIT, call(meet), times=99))
    barrier = processes.context().Barrier(2)
    both = [
        processes.start(Wanted.of(each, tmp_path / str(number), MONTH[0], MONTH[-1], 7, removals), barrier)
        for number, (each, removals) in enumerate([(graph, "apply"), (other, "keep")])  # who is behind has not all
    ]
    assert {processes.code_of(each) for each in both} <= {PUBLISHED, MOVED}
    faults.clear()
    assert [each.status for each in faults.seen("POST", COMMIT)].count(412) > 1
    scene = Scene(graph)
    assert len(scene.new_commits) > 5
    check_mended(scene, MONTH)
    return scene


def test_two_processes_that_publish_the_same_days_at_once_publish_every_row_once(graph: Graph, tmp_path: Path):
    month(graph, "abcde")
    check_both(graph, graph, tmp_path).check_shards(MONTH)


def test_so_do_two_of_which_one_knows_an_older_state_of_the_database(graph: Graph, behind: Graph, tmp_path: Path):
    month(graph, "abcde")
    graph.execute(
        "UPDATE news SET published_at = published_at + interval '11 days' WHERE unique_id LIKE '%-a'"
        " AND published_at < '2026-01-15'",
        "UPDATE news SET published_at = published_at - interval '11 days' WHERE unique_id LIKE '%-b'"
        " AND published_at > '2026-01-15'",
    )
    month(graph, "f")
    check_both(graph, behind, tmp_path)
