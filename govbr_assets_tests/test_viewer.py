"""The viewer's answer counts only when it is certain; every other one is an error that says why, never "no ids"."""

from datetime import timedelta

import pytest
from huggingface_hub import HfApi
from starlette.responses import JSONResponse

from govbr_assets.core.layout import encode
from govbr_assets.errors import ConfigurationError, HubDeniedError, ViewerUncertainError
from govbr_assets.hub import Edit, Hub, publish
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, call, cut, wait
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.viewer import Viewer
from govbr_assets_tests.tables import DAY, shard
from govbr_assets_tests.test_hub import Fixed

WHOLE = {"partial": False}
IDS = [f"id{number:03}" for number in range(250)]


def put(hub: Hub, ids: list[str], path: str = "data/train-2026-01-15.parquet") -> str:
    edit = Edit({path: encode(shard(ids))}, summary="Publish")
    return publish(hub, Fixed(edit), hub.head()).after or ""


@pytest.fixture
def revision(hub: Hub) -> str:
    return put(hub, IDS)


@pytest.fixture
def server(viewer_server: LocalViewer, repo_id: str) -> LocalViewer:
    viewer_server.faults.clear()
    viewer_server.faults.forget()
    return viewer_server


@pytest.fixture
def viewer(server: LocalViewer, hub: Hub) -> Viewer:
    return Viewer(server.url, hub.repo_id, hub.token)


def test_all_pages_of_the_day_come_back_sorted(viewer: Viewer, revision: str):
    told = viewer.ids_of(DAY, revision)
    assert told.ids == IDS
    assert told.requests == 3
    assert told.seconds > 0


def test_an_id_that_stands_twice_is_told_twice(viewer: Viewer, hub: Hub):
    put(hub, ["a", "b"])
    assert viewer.ids_of(DAY, put(hub, ["a"], "data/train-00000-of-00001.parquet")).ids == ["a", "a", "b"]


def test_the_window_is_the_day_in_its_own_time_zone(viewer: Viewer, hub: Hub):
    hub_edit = {
        f"data/train-{name}.parquet": encode(shard([name], at=at))
        for name, at in {
            "before": DAY.start - timedelta(microseconds=1),
            "first": DAY.start,
            "last": DAY.end - timedelta(microseconds=1),
            "after": DAY.end,
        }.items()
    }
    revision = publish(hub, Fixed(Edit(hub_edit, summary="x")), hub.head()).after or ""
    assert viewer.ids_of(DAY, revision).ids == ["first", "last"]


def test_a_day_without_rows_is_certainly_empty(viewer: Viewer, hub: Hub):
    revision = put(hub, ["other"], "data/train-00000-of-00001.parquet")
    other_day = type(DAY).of("2020-02-29")
    assert (viewer.ids_of(other_day, revision).ids, viewer.ids_of(DAY, revision).ids) == ([], ["other"])


def test_an_answer_from_another_revision_does_not_count(viewer: Viewer, server: LocalViewer, hub: Hub, revision: str):
    server.index.hold(hub.repo_id)
    newer = put(hub, ["a"])
    with pytest.raises(ViewerUncertainError, match=f"revision {revision} of .*, not for {newer}"):
        viewer.ids_of(DAY, newer)


def test_an_index_that_is_being_built_does_not_count(viewer: Viewer, server: LocalViewer, hub: Hub, revision: str):
    server.index.not_ready(hub.repo_id)
    with pytest.raises(ViewerUncertainError, match=r"500 .ResponseNotReady"):
        viewer.ids_of(DAY, revision)


def test_a_partial_index_does_not_count(viewer: Viewer, server: LocalViewer, hub: Hub, revision: str):
    revision = put(hub, ["z"], "data/train-99999.parquet")
    server.index.limit(hub.repo_id, 1)
    with pytest.raises(ViewerUncertainError, match="only a part"):
        viewer.ids_of(DAY, revision)


def test_a_second_page_from_another_revision_does_not_count(
    viewer: Viewer, server: LocalViewer, hub: Hub, revision: str
):
    server.faults.add(Fault("GET", "/filter", call(lambda: put(hub, [*IDS, "new"])), skip=1))
    with pytest.raises(ViewerUncertainError, match="answers for revision"):
        viewer.ids_of(DAY, revision)


@pytest.mark.parametrize(
    "body",
    [
        {"rows": [], "num_rows_total": 1, "partial": False},
        {"rows": [{"row": {"unique_id": "a"}, "truncated_cells": []}], "num_rows_total": 0, "partial": False},
        {
            "rows": [{"row": {"unique_id": "a"}, "truncated_cells": ["unique_id"]}],
            "num_rows_total": 1,
            "partial": False,
        },
        {"rows": [{"row": {}}], "num_rows_total": 1, "partial": False},
        {"rows": [], "num_rows_total": 0},
        {"num_rows_total": 0, "partial": False},
        {"rows": "none", "num_rows_total": 0, "partial": False},
        [],
        None,
    ],
)
def test_an_answer_that_does_not_add_up_does_not_count(
    viewer: Viewer, server: LocalViewer, revision: str, body: object
):
    server.faults.add(Fault("GET", "/filter", answer_json(body, revision), times=9))
    with pytest.raises(ViewerUncertainError):
        viewer.ids_of(DAY, revision)


def answer_json(body: object, revision: str):
    """Answer 200 with a body of our own."""

    async def act(_app, scope, receive, send) -> None:
        await JSONResponse(body, headers={"X-Revision": revision})(scope, receive, send)

    return act


@pytest.mark.parametrize(
    ("action", "named"),
    [
        (answer(500, "broken", {"X-Error-Code": "UnexpectedApiError"}), "500 .UnexpectedApiError"),
        (answer(404, "gone", {"X-Error-Code": "ResponseNotFound"}), "404 .ResponseNotFound"),
        (answer(422, "bad", {"X-Error-Code": "InvalidParameter"}), "422 .InvalidParameter"),
        (answer(429, "slow down"), "429"),
        (cut(), "no readable answer"),
        (cut(after_bytes=300), "no readable answer"),
    ],
    ids=["500", "404", "422", "429", "cut", "truncated"],
)
def test_a_failing_viewer_is_a_passing_error(viewer: Viewer, server: LocalViewer, revision: str, action, named: str):
    server.faults.add(Fault("GET", "/filter", action, times=9))
    with pytest.raises(ViewerUncertainError, match=named):
        viewer.ids_of(DAY, revision)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_hiccup_of_its_gateway_is_tried_again_at_once(
    viewer: Viewer, server: LocalViewer, revision: str, status: int
):
    server.faults.add(Fault("GET", "/filter", answer(status)))
    assert viewer.ids_of(DAY, revision).ids == IDS


def test_a_slow_viewer_is_waited_for(viewer: Viewer, server: LocalViewer, revision: str):
    server.faults.add(Fault("GET", "/filter", wait(1)))
    assert viewer.ids_of(DAY, revision).seconds >= 1


def test_a_private_dataset_needs_the_token(server: LocalViewer, hub: Hub, local_hub: LocalHub, revision: str):
    assert HfApi(endpoint=local_hub.endpoint, token=local_hub.read_token).dataset_info(hub.repo_id).private
    assert Viewer(server.url, hub.repo_id, local_hub.read_token).ids_of(DAY, revision).ids == IDS
    with pytest.raises(HubDeniedError, match="HF_TOKEN"):
        Viewer(server.url, hub.repo_id).ids_of(DAY, revision)


@pytest.mark.parametrize("url", ["", "viewer.example.org", "ftp://viewer.example.org", "http://"])
def test_a_malformed_url_is_named_by_its_setting(url: str):
    with pytest.raises(ConfigurationError, match="GOVBR_VIEWER_URL is"):
        Viewer(url, "org/news")


def test_a_viewer_that_is_away_is_a_passing_error():
    with pytest.raises(ViewerUncertainError, match="no readable answer"):
        Viewer("http://127.0.0.1:9", "org/news").ids_of(DAY, "0" * 40)
