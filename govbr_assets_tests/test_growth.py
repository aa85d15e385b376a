"""Datasets in their life: a column comes to one under automation, and the reduced sibling follows whatever happens.

Each begins with an empty Hub, and publishes by Xet, as the real client does.
"""

import signal
from collections.abc import Iterator
from functools import partial
from itertools import count
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from govbr_assets.defs import jobs
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests import processes, stranger
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.other_publications import DAYS
from govbr_assets_tests.operations.pair import OLD_CARD, OLD_FILES, Pair, day
from govbr_assets_tests.operations.test_other_publications import SUMMARY, play
from govbr_assets_tests.processes import Series
from govbr_assets_tests.tables import usual_card
from govbr_assets_tests.test_kills import Killer, When

AGENCY_NAME = '        Column("agency_name", _TEXT, "n.agency_name", "Name of the agency.", since=2),\n'
GROWN = {SUMMARY: SUMMARY + AGENCY_NAME}
WEEK = [f"2025-03-{number:02}" for number in range(2, 9)]
XET, COMMIT = "/v1/xorbs/", "/commit/main$"


@pytest.fixture
def published(graph: Graph) -> Graph:
    """A dataset of two years, published and compacted with the columns of today."""
    for number, each in enumerate(DAYS):
        graph.insert(f"a{number}", f"b{number}", day=each)
        assert graph.run(each, checks=False).success
    assert graph.compact(checks=False).success
    return graph


def test_a_dataset_under_automation_publishes_nothing_until_a_new_column_is_there_and_goes_on_then(published: Graph):
    published.local_hub.faults.forget()
    play(published, "grows_under_automation", GROWN)
    assert published.local_hub.faults.seen("POST", XET)


def test_an_old_sibling_is_moved_over_and_follows_a_week_a_compaction_a_rollback_and_a_migration(published: Graph):
    graph, pair = published, Pair(published.local_hub, published.repo_id)
    settings: dict[str, Any] = {"reduced_repo_id": pair.reduced_id}
    pair.write({**OLD_FILES, "README.md": OLD_CARD, "agencies.csv": b"a\n1\n"}, pair.reduced_id)
    graph.local_hub.faults.forget()
    strangers = second_writers(pair)
    for number, each in enumerate(WEEK):
        graph.insert(f"of-{number}", day=each)
        next(strangers)
        assert graph.run(each, checks=False, **settings).success
        assert pair.source() == graph.head.revision
    assert not {*OLD_FILES} & {*graph.local_hub.store.tree(pair.reduced_id, "main")}
    before = graph.head.revision
    next(strangers)
    assert graph.compact(checks=False, **settings).success
    assert pair.source() == graph.head.revision
    next(strangers)
    config = {"ops": {"put_data_files_back": {"config": {"revision": before}}}}
    resources = {"hub": graph.resources(**settings)["hub"]}
    assert jobs.rollback.execute_in_process(run_config=config, resources=resources, instance=graph.instance).success
    assert pair.source() == graph.head.revision
    assert graph.compact(checks=False, **settings).success
    next(strangers)
    play(graph, "sibling_follows_a_migration", GROWN)
    assert len(pair.check_history()) > len(WEEK) + 3
    tree = graph.local_hub.store.tree(pair.reduced_id, "main")
    assert {"agencies.csv", "notes.txt"} < {*tree}
    card = tree["README.md"].path.read_text()
    assert "num_examples" not in card
    assert card.endswith("Ours since 2024.\n")
    assert [each.status for each in graph.local_hub.faults.seen("POST", COMMIT)].count(412) > len(WEEK)
    assert graph.local_hub.faults.seen("POST", XET)


def second_writers(pair: Pair) -> Iterator[None]:
    """Let somebody else commit to both repos at each step, just before we do: a note, and to the sibling a wrong file.

    What was to happen in the last step and has not, does not happen any more.
    """
    for number in count():
        note = {"notes.txt": f"{number}".encode()}
        wrong = day(WEEK[0], f"not of the dataset {number}")
        pair.hub.faults.clear()
        for repo_id, files in ((pair.repo_id, note), (pair.reduced_id, note | wrong)):
            write = call(partial(stranger.write, pair.hub.store, repo_id, files))
            pair.hub.faults.add(Fault("POST", f"{repo_id}{COMMIT}", write))
        yield


@pytest.fixture
def long_series(local_hub: LocalHub, repo_id: str) -> Pair:
    """A full dataset of several commits, whose sibling of others is moved over in several commits of three files."""
    pair = Pair(local_hub, repo_id)
    pair.write({**day("2026-01-01"), "README.md": usual_card(None).encode()})
    for first in range(2, 10, 2):
        pair.write({**day(f"2026-01-0{first}"), **day(f"2026-01-0{first + 1}")})
    pair.write({**OLD_FILES, "README.md": OLD_CARD}, pair.reduced_id)
    return pair


def test_a_projection_killed_in_the_middle_of_its_commits_leaves_each_whole_and_is_finished_by_the_next_run(
    long_series: Pair, local_hub: LocalHub
):
    undisturbed = Pair(local_hub, long_series.repo_id)
    undisturbed.reduced_id = f"{long_series.reduced_id}-undisturbed"
    stranger.copy_repo(local_hub.store, long_series.reduced_id, undisturbed.reduced_id)
    assert processes.code_of(start(undisturbed)) == processes.PUBLISHED
    series = undisturbed.check_history()
    assert len(series) > 3
    kill(long_series, commits=0, when="after")  # it is on the Hub, and nobody knows
    kill(long_series, commits=1, when="before")
    kill(long_series, commits=0, when="before")
    assert len(long_series.check_history()) == 2
    assert processes.code_of(start(long_series)) == processes.PUBLISHED
    assert len(long_series.check_history()) == len(series)
    long_series.check()
    assert long_series.source() == local_hub.store.head(long_series.repo_id)
    assert long_series.project() == []


def start(pair: Pair, barrier: Any = None) -> BaseProcess:
    """Start a process that mirrors, three files a commit."""
    series = Series(pair.repo_id, pair.reduced_id, pair.hub.endpoint, pair.hub.write_token, commit_files=3)
    return processes.start_series(series, barrier)


def kill(pair: Pair, commits: int, when: When) -> None:
    """Let a process mirror, and kill it with a commit: before the Hub has seen it, or has answered.

    Args:
        pair: the repos.
        commits: that it makes before that one.
        when: it is killed.
    """
    killer, barrier = Killer(), processes.context().Barrier(2)
    pair.hub.faults.add(Fault("POST", COMMIT, killer.action, when, skip=commits))
    killer.victim = start(pair, barrier)
    barrier.wait(60)
    assert processes.code_of(killer.victim) == -signal.SIGKILL
    pair.hub.faults.clear()
