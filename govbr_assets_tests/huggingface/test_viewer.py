"""The viewer's answer counts only when it is certain; every other one is an error that says why, never "no ids"."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pyarrow as pa
import pytest
from huggingface_hub import HfApi
from starlette.responses import JSONResponse

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import ConfigurationError, HubDeniedError, ViewerUncertainError
from govbr_assets.huggingface import viewer_session as room
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, call, cut, wait
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.hub.store import HubStore
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.publications import NEWS
from govbr_assets_tests.huggingface.test_hub import Fixed
from govbr_assets_tests.tables import DAY, encode, shard
from govbr_assets_tests.unreachable import swallowing_server, tls_server

WHOLE = {"partial": False}
IDS = [f"id{number:03}" for number in range(250)]


def put(hub: Dataset, ids: list[str], path: str = "data/train-2026-01-15.parquet") -> str:
    edit = Changeset({path: encode(shard(ids))}, message="Publish", report=None)
    return commit(hub, Fixed(edit), hub.client.head()).after or ""


@pytest.fixture
def revision(hub: Dataset) -> str:
    return put(hub, IDS)


@pytest.fixture
def server(viewer_server: LocalViewer, repo_id: str) -> LocalViewer:
    viewer_server.faults.clear()
    viewer_server.faults.forget()
    return viewer_server


@pytest.fixture
def viewer(server: LocalViewer, hub: Dataset) -> Viewer:
    return Viewer(server.url, hub.client.repo_id, hub.client.token)


def find(viewer: Viewer, revision: str, ids: Sequence[str] = IDS, own: Sequence[str] = ()) -> list[str]:
    """Find ids beside those of an own shard."""
    return viewer.find(ids, DAY, own, own, revision).ids


def test_all_pages_of_the_day_are_read(viewer: Viewer, server: LocalViewer, revision: str):
    told = viewer.find(IDS, DAY, [], [], revision)
    assert told.ids == IDS
    assert told.requests == len(server.faults.seen("GET", "/filter")) == 3 + 2  # pages, and counts of names
    assert told.seconds > 0


def test_an_id_that_stands_twice_is_told_twice(viewer: Viewer, hub: Dataset):
    put(hub, ["a", "b"])
    revision = put(hub, ["a"], "data/train-00000-of-00001.parquet")
    assert find(viewer, revision, ["a", "b"]) == ["a", "a", "b"]
    assert find(viewer, revision, ["a", "b"], own=["a", "b"]) == ["a"]


def test_an_id_that_nobody_asks_for_is_not_told(viewer: Viewer, revision: str):
    assert find(viewer, revision, ["id007", "stranger"]) == ["id007"]


def test_what_the_own_shard_holds_is_told_by_counts_without_a_row(viewer: Viewer, server: LocalViewer, revision: str):
    assert find(viewer, revision, own=IDS) == []
    assert {parse_qs(each.query)["length"][0] for each in server.faults.seen("GET", "/filter")} == {"0"}


def test_an_id_that_moved_to_another_day_is_found(viewer: Viewer, hub: Dataset):
    put(hub, ["own"])
    moved = encode(shard(["moved", "other"], at=DAY.start - timedelta(days=40)))
    edit = Changeset({"data/train-2025-12-06.parquet": moved}, message="x", report=None)
    revision = commit(hub, Fixed(edit), hub.client.head()).after or ""
    assert find(viewer, revision, ["moved", "new", "own"], own=["own"]) == ["moved"]


def test_an_undated_row_is_found(viewer: Viewer, hub: Dataset):
    undated = shard(["undated"]).set_column(2, "published_at", pa.nulls(1, NEWS.schema.field(2).type))
    edit = Changeset({"data/train-0000-undated.parquet": encode(undated)}, message="x", report=None)
    assert find(viewer, commit(hub, Fixed(edit), hub.client.head()).after or "", ["undated"]) == ["undated"]


def test_a_row_of_another_day_in_the_own_shard_hides_nothing(viewer: Viewer, hub: Dataset):
    revision = commit(
        hub,
        Fixed(
            Changeset(
                {
                    "data/train-2026-01-15.parquet": encode(
                        pa.concat_tables([shard(["stray"], at=DAY.start - timedelta(days=1)), shard(["own"])])
                    ),
                    "data/train-00000-of-00001.parquet": encode(shard(["legacy"])),
                },
                message="x",
                report=None,
            )
        ),
        hub.client.head(),
    ).after
    told = viewer.find(["own", "stray", "legacy"], DAY, ["own", "stray"], ["own"], revision or "")
    assert told.ids == ["legacy"]


def test_long_ids_are_asked_for_in_urls_of_six_kilobytes(viewer: Viewer, server: LocalViewer, hub: Dataset):
    names = [f"{number:03}-{'ção-' * 24}it's" for number in range(120)]
    revision = put(hub, ["other"], "data/train-00000-of-00001.parquet")
    server.faults.forget()
    assert find(viewer, revision, names) == []
    lengths = [len(each.path) + len(each.query) for each in server.faults.seen("GET", "/filter")]
    assert 4_000 < max(lengths) <= 6_000


@pytest.mark.parametrize("name", ["semi;colon", "dash--dash", "/*comment", "*/end"])
def test_an_id_that_the_grammar_refuses_makes_the_viewer_unsure(viewer: Viewer, revision: str, name: str):
    with pytest.raises(ViewerUncertainError, match="its grammar rejects it"):
        find(viewer, revision, [name])


def test_a_quote_in_an_id_is_no_way_into_the_grammar(viewer: Viewer, hub: Dataset):
    names = ["it's", "' or \"unique_id\"<>'", "''"]
    assert find(viewer, put(hub, [*names, "other"], "data/train-x.parquet"), names) == sorted(names)


def test_the_window_is_the_day_in_its_own_time_zone(viewer: Viewer, server: LocalViewer, hub: Dataset):
    hub_edit = {
        f"data/train-{name}.parquet": encode(shard([name], at=at))
        for name, at in {
            "before": DAY.start - timedelta(microseconds=1),
            "first": DAY.start,
            "last": DAY.end - timedelta(microseconds=1),
            "after": DAY.end,
        }.items()
    }
    revision = commit(hub, Fixed(Changeset(hub_edit, message="x", report=None)), hub.client.head()).after or ""
    server.faults.forget()
    assert find(viewer, revision, ["first", "last"]) == ["first", "last"]
    assert len(server.faults.seen("GET", "/filter")) == 2  # both were in the window, and no other one


def test_a_day_without_rows_is_certainly_empty(viewer: Viewer, hub: Dataset):
    revision = put(hub, ["other"], "data/train-00000-of-00001.parquet")
    assert viewer.find(["a"], type(DAY).of("2020-02-29"), [], [], revision).ids == []


def test_an_answer_from_another_revision_does_not_count(
    viewer: Viewer, server: LocalViewer, hub: Dataset, revision: str
):
    server.index.hold(hub.client.repo_id)
    newer = put(hub, ["a"])
    with pytest.raises(ViewerUncertainError, match=f"revision {revision} of .*, not for {newer}"):
        find(viewer, newer)


def test_an_index_that_is_being_built_does_not_count(viewer: Viewer, server: LocalViewer, hub: Dataset, revision: str):
    server.index.not_ready(hub.client.repo_id)
    with pytest.raises(ViewerUncertainError, match=r"500 .ResponseNotReady"):
        find(viewer, revision)


def test_a_partial_index_does_not_count(viewer: Viewer, server: LocalViewer, hub: Dataset, revision: str):
    revision = put(hub, ["z"], "data/train-99999.parquet")
    server.index.limit(hub.client.repo_id, 1)
    with pytest.raises(ViewerUncertainError, match="only a part"):
        find(viewer, revision)


def test_a_second_page_from_another_revision_does_not_count(
    viewer: Viewer, server: LocalViewer, hub: Dataset, revision: str
):
    server.faults.add(Fault("GET", "/filter", call(lambda: put(hub, [*IDS, "new"])), skip=1))
    with pytest.raises(ViewerUncertainError, match="answers for revision"):
        find(viewer, revision)


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
        find(viewer, revision)


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
        find(viewer, revision)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_hiccup_of_its_gateway_is_tried_again_at_once(
    viewer: Viewer, server: LocalViewer, revision: str, status: int
):
    server.faults.add(Fault("GET", "/filter", answer(status)))
    assert find(viewer, revision) == IDS


def test_a_slow_viewer_is_waited_for(viewer: Viewer, server: LocalViewer, revision: str):
    server.faults.add(Fault("GET", "/filter", wait(1)))
    assert viewer.find(IDS, DAY, [], [], revision).seconds >= 1


def test_a_private_dataset_needs_the_token(server: LocalViewer, hub: Dataset, local_hub: LocalHub, revision: str):
    assert HfApi(endpoint=local_hub.endpoint, token=local_hub.read_token).dataset_info(hub.client.repo_id).private
    assert find(Viewer(server.url, hub.client.repo_id, local_hub.read_token), revision) == IDS
    with pytest.raises(HubDeniedError, match="HF_TOKEN"):
        find(Viewer(server.url, hub.client.repo_id), revision)


@pytest.mark.parametrize("url", ["", "viewer.example.org", "ftp://viewer.example.org", "http://"])
def test_a_malformed_url_is_named_by_its_setting(url: str):
    with pytest.raises(ConfigurationError, match="GOVBR_VIEWER_URL is"):
        Viewer(url, "org/news")


def test_a_viewer_that_is_away_is_a_passing_error():
    with pytest.raises(ViewerUncertainError, match="no readable answer"):
        find(Viewer("http://127.0.0.1:9", "org/news"), "0" * 40)


@pytest.fixture
def unreachable(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a viewer that is out of reach for good, in one of several ways."""
    monkeypatch.setattr(room, "_ANSWER_SECONDS", 1)
    with ExitStack() as stack:
        if request.param == "certificate":
            yield stack.enter_context(tls_server(tmp_path))
        elif request.param == "blackhole":
            yield f"http://127.0.0.1:{stack.enter_context(swallowing_server())}"
        elif request.param == "no TLS":
            yield stack.enter_context(LocalViewer(HubStore(tmp_path))).url.replace("http:", "https:")
        else:
            yield {"name": "http://viewer.invalid", "port": "http://127.0.0.1:9"}[request.param]


@pytest.mark.parametrize("unreachable", ["certificate", "blackhole", "no TLS", "name", "port"], indirect=True)
def test_a_viewer_out_of_reach_for_good_is_asked_once_and_then_not_again(
    hub: Dataset, revision: str, unreachable: str, monkeypatch: pytest.MonkeyPatch
):
    viewer, asked = Viewer(unreachable, hub.client.repo_id), []
    monkeypatch.setattr(viewer._session._session, "get", watched(viewer._session._session.get, asked))
    reasons = set()
    for _ in range(3):
        with pytest.raises(ViewerUncertainError, match="gave no readable answer") as caught:
            find(viewer, revision)
        reasons.add(str(caught.value))
    assert len(asked) == len(reasons) == 1


def watched(function: Callable[..., Any], calls: list[Any]) -> Callable[..., Any]:
    """Note the calls of a function."""

    def noted(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return function(*arguments, **named)

    return noted


def test_a_viewer_that_needs_longer_than_its_time_is_not_waited_for(
    server: LocalViewer, hub: Dataset, revision: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(room, "_ANSWER_SECONDS", 0.5)
    viewer = Viewer(server.url, hub.client.repo_id, hub.client.token)
    server.faults.add(Fault("GET", "/filter", wait(3)))
    with pytest.raises(ViewerUncertainError, match="gave no readable answer"):
        find(viewer, revision)


def test_a_viewer_that_was_cut_off_or_not_ready_once_is_asked_again(viewer: Viewer, server: LocalViewer, revision: str):
    for fault in (cut(), cut(after_bytes=300), answer(500, "building", {"X-Error-Code": "ResponseNotReady"})):
        server.faults.add(Fault("GET", "/filter", fault))
        with pytest.raises(ViewerUncertainError):
            find(viewer, revision)
        assert find(viewer, revision) == IDS
