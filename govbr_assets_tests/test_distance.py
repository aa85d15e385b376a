"""A day over a distance: how many requests wait for one another, and that nobody asks twice what never changes."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from govbr_assets.core.days import Day
from govbr_assets.dataset.parquet import encode_groups
from govbr_assets.defs import resources
from govbr_assets.defs.resources import ViewerResource
from govbr_assets.local.hub.distance import in_sequence, kind_of, repeated
from govbr_assets.local.hub.faults import Exchange
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.graphs import Graphs
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import encode, shard, usual_card

SECONDS = 0.2
NOWHERE = "http://127.0.0.1:1"
DAYS = ("2026-01-14", "2026-01-15")
MOST_NEW, MOST_USED, MOST_AGAIN = 20, 12, 4
"""Requests in sequence: of a machine that has nothing yet, of one that has run before, of a day that is there."""

HEAD = "/api/datasets/{}"


def year(number: int) -> bytes:
    """Write a year of some row groups."""
    months = [Day.of(f"{number}-{month:02}-10") for month in range(1, 13, 2)]
    groups = [shard([f"of-{day}-{each}" for each in range(40)], at=day.start + timedelta(hours=9)) for day in months]
    sink = io.BytesIO()
    encode_groups(sink, groups, NEWS)
    return sink.getvalue()


@pytest.fixture(scope="module")
def past(graphs: Graphs) -> Iterator[Graph]:
    """Let others have published years and days, and PostgreSQL have more."""
    with graphs.new() as graph:
        files = {NEWS.layout.compacted_path(number): year(number) for number in range(2019, 2025)}
        for number in range(3, 6):
            day = Day.of(f"2026-01-0{number}")
            files[NEWS.layout.day_path(day)] = encode(shard([f"of-{day}"], at=day.start + timedelta(hours=9)))
        write(graph.local_hub.store, graph.repo_id, {**files, "README.md": usual_card(None).encode()})
        for day in DAYS:
            graph.insert(
                *(f"of-{day}-with-a-name-as-long-as-that-of-real-news-{number}" for number in range(60)), day=day
            )
        yield graph


@pytest.fixture
def graph(graphs: Graphs, past: Graph) -> Iterator[Graph]:
    """Go on from there."""
    with graphs.copy(past) as graph:
        yield graph


def passed(graph: Graph, day: str, viewer: str = "fresh") -> list[Exchange]:
    """Run a day at a distance in what is a new process to the product, and list the requests."""
    resources._dataset.cache_clear()
    servers, changed = (graph.local_hub, graph.local_viewer), dict[str, Any]()
    if viewer == "away":
        changed["viewer"] = ViewerResource(url=NOWHERE, hub=graph.resources()["hub"])
    for server in servers:
        server.faults.forget()
        server.distance.seconds = SECONDS
    try:
        assert graph.run(day, **changed).success
    finally:
        for server in servers:
            server.distance.seconds = 0.0
    return [each for server in servers for each in server.faults.requests]


@pytest.mark.parametrize("viewer", ["away", "behind", "fresh"])
def test_few_requests_of_a_day_wait_for_one_another_and_none_is_made_twice(graph: Graph, viewer: str):
    store = graph.local_hub.store
    if viewer == "behind":
        graph.local_viewer.index.hold(graph.repo_id, store.commits(graph.repo_id)[-1].sha)
    for day, most, trees in ((DAYS[0], MOST_NEW, [store.head(graph.repo_id)]), (DAYS[1], MOST_USED, [])):
        requests = passed(graph, day, viewer)
        chain = [kind_of(each) for each in in_sequence(requests)]
        assert len(chain) <= most, "\n".join(chain)
        # The head alone may be another one in the meantime.
        assert {each.partition("?")[0] for each in repeated(requests)} <= {f"GET {HEAD.format(graph.repo_id)}"}
        assert len([each for each in requests if each.path == HEAD.format(graph.repo_id)]) == 2
        listed = [each.path.rpartition("/")[2] for each in requests if "/tree/" in each.path]
        assert listed == trees  # and nothing that a day of this machine has made
    again = passed(graph, DAYS[1], viewer)
    assert len([each for each in again if each.path == HEAD.format(graph.repo_id)]) == 2
    assert len(in_sequence(again)) <= MOST_AGAIN
