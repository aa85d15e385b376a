"""What can be made to go wrong with requests, on any server and on the Hub."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, call, cut, detour, wait
from govbr_assets.local.hub.distance import by_kind, connections, in_sequence, kind_of, repeated
from govbr_assets.local.hub.faults import Exchange, Fault, FaultMiddleware, Faults
from govbr_assets.local.hub.server import LoopbackServer

REPO = "ns/news"
COMMIT = "/commit/main$"
LONG = b"0123456789" * 100_000


class Counter:
    """An application that counts the work it does."""

    def __init__(self) -> None:
        self.done = 0
        self.faults = Faults()
        routes = [Route("/work", self.work, methods=["GET", "POST"]), Route("/other", self.other)]
        self.server = LoopbackServer(FaultMiddleware(Starlette(routes=routes), self.faults))

    async def work(self, request: Request) -> Response:
        await request.body()
        self.done += 1
        return Response(LONG)

    def other(self, _request: Request) -> Response:
        return PlainTextResponse("other")

    def get(self) -> requests.Response:
        return requests.get(f"{self.server.endpoint}/work", timeout=5)


@pytest.fixture
def counter() -> Iterator[Counter]:
    counter = Counter()
    with counter.server:
        yield counter


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with LocalHub(tmp_path / "hub") as hub:
        hub.store.create(REPO)
        yield hub


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=hub.write_token)


def commit(api: HfApi, content: str, parent: str | None = None) -> str:
    operations = [CommitOperationAdd("a.txt", content.encode())]
    info = api.create_commit(REPO, operations, commit_message=content, repo_type="dataset", parent_commit=parent)
    return info.oid


# On any server


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_another_answer_is_given_before_or_after_the_work(counter: Counter, when, done: int):
    counter.faults.add(Fault("GET", "/work", answer(429, "Retry in 3 minutes", {"Retry-After": "180"}), when))
    wrong = counter.get()
    assert (wrong.status_code, wrong.json()) == (429, {"error": "Retry in 3 minutes"})
    assert wrong.headers["Retry-After"] == "180"
    assert counter.done == done
    assert counter.get().content == LONG


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_connection_is_cut_before_or_after_the_work(counter: Counter, when, done: int):
    counter.faults.add(Fault("GET", "/work", cut(), when))
    with pytest.raises(requests.ConnectionError):
        counter.get()
    assert counter.done == done
    assert counter.faults.requests == [Exchange("GET", "/work")]
    assert counter.get().content == LONG


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_is_cut_in_the_middle_of_a_body(counter: Counter, when):
    counter.faults.add(Fault("GET", "/work", cut(after_bytes=1234), when))
    with requests.get(f"{counter.server.endpoint}/work", stream=True, timeout=5) as response:
        assert response.headers["Content-Length"] == str(len(LONG))
        assert response.raw.read(1234) == LONG[:1234]
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            response.content  # noqa: B018  (reading it is what breaks)
    assert counter.faults.requests == [Exchange("GET", "/work", status=200, sent=1234)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_comes_late(counter: Counter, when):
    counter.faults.add(Fault("GET", "/work", wait(0.3), when))
    started = time.monotonic()
    assert counter.get().content == LONG
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_something_else_happens_first_and_may_ask_the_server_itself(counter: Counter, when, done: int):
    seen: list[tuple[int, str]] = []

    def look() -> None:
        seen.append((counter.done, requests.get(f"{counter.server.endpoint}/other", timeout=5).text))

    counter.faults.add(Fault("GET", "/work", call(look), when))
    assert counter.get().content == LONG
    assert seen == [(done, "other")]


def test_another_path_answers(counter: Counter):
    counter.faults.add(Fault("GET", "/work", detour("/other")))
    assert counter.get().text == "other"
    assert counter.done == 0


def test_faults_happen_in_turn_to_the_requests_they_are_meant_for(counter: Counter):
    counter.faults.add(
        Fault("POST", "/work", answer(500)),
        Fault("GET", "/nothing", answer(500)),
        Fault("GET", "/work", answer(501), times=2, skip=1),
        Fault("*", "^/w", answer(502)),
    )
    assert [counter.get().status_code for _ in range(5)] == [502, 501, 501, 200, 200]
    assert requests.post(f"{counter.server.endpoint}/work", data=b"x", timeout=5).status_code == 500
    counter.faults.add(Fault("*", "", answer(503), times=9))
    counter.faults.clear()
    assert counter.get().status_code == 200


def test_the_record_has_every_request_with_its_bytes(counter: Counter):
    address = f"{counter.server.endpoint}/work"
    requests.post(f"{address}?why=not", data=b"x" * 100_000, timeout=5)
    counter.faults.add(Fault("POST", "/work", answer(500, "no")))
    requests.post(address, data=b"x" * 100_000, timeout=5)
    assert counter.faults.requests == [
        Exchange("POST", "/work", "why=not", 200, 100_000, len(LONG)),
        Exchange("POST", "/work", "", 500, 100_000, len(b'{"error":"no"}')),
    ]
    assert counter.faults.seen("*", "/wor") == counter.faults.requests
    assert counter.faults.seen("GET", "/work") == []
    counter.faults.forget()
    assert counter.faults.requests == []


def test_stopping_drops_who_is_waiting_and_says_nothing(counter: Counter, caplog: pytest.LogCaptureFixture):
    arrived = threading.Event()
    counter.faults.add(Fault("GET", "/other", call(arrived.set)), Fault("GET", "/work", wait(30)))
    errors: list[requests.ConnectionError] = []

    def ask() -> None:
        try:
            counter.get()
        except requests.ConnectionError as error:
            errors.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not counter.faults.requests:
        time.sleep(0.01)
    started = time.monotonic()
    counter.server.stop()
    waiting.join(5)
    assert time.monotonic() - started < 0.5
    assert len(errors) == 1
    assert caplog.records == []


def test_a_port_that_is_taken_is_an_error_and_not_another_port(counter: Counter):
    port = int(counter.server.endpoint.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        LoopbackServer(Starlette(), port).start()


# On the Hub, with the real client


def test_an_error_before_the_work_changes_nothing_and_one_after_it_hides_the_commit(hub: LocalHub, api: HfApi):
    before = hub.store.head(REPO)
    for status in (409, 429, 500):
        hub.faults.add(Fault("POST", COMMIT, answer(status)))
        with pytest.raises(HfHubHTTPError) as caught:
            commit(api, "one", before)
        assert caught.value.response.status_code == status
        assert hub.store.head(REPO) == before
    hub.faults.add(Fault("POST", COMMIT, answer(500), "after"))
    with pytest.raises(HfHubHTTPError):
        commit(api, "two", before)
    newest = hub.store.commits(REPO)[0]
    assert (newest.title, newest.parent) == ("two", before)


@pytest.mark.parametrize(("when", "title"), [("before", "initial commit"), ("after", "one")])
def test_an_answer_that_is_lost_is_a_connection_error(hub: LocalHub, api: HfApi, when, title: str):
    hub.faults.add(Fault("POST", COMMIT, cut(), when))
    with pytest.raises(httpx2.TransportError):
        commit(api, "one")
    assert hub.store.commits(REPO)[0].title == title


def test_a_second_writer_slips_in_between_two_requests(hub: LocalHub, api: HfApi):
    parent = hub.store.head(REPO)
    second = HfApi(endpoint=hub.endpoint, token=hub.write_token)
    hub.faults.add(Fault("POST", COMMIT, call(lambda: commit(second, "second", parent))))
    with pytest.raises(HfHubHTTPError) as caught:
        commit(api, "first", parent)
    assert caught.value.response.status_code == 412
    assert [entry.title for entry in hub.store.commits(REPO)] == ["second", "initial commit"]


def test_the_head_that_is_shown_can_lag_behind_the_true_one(hub: LocalHub, api: HfApi):
    old = hub.store.head(REPO)
    hub.lag(REPO, times=2)
    new = commit(api, "new", old)
    assert [api.dataset_info(REPO).sha for _ in range(3)] == [old, old, new]
    hub.lag(REPO)
    newer = commit(api, "newer", new)  # a commit knows the true head
    assert api.dataset_info(REPO, revision="main").sha == new
    assert api.dataset_info(REPO).sha == newer


def test_a_download_that_breaks_off_is_tried_again_by_the_client(hub: LocalHub, api: HfApi, tmp_path: Path):
    content = LONG + b"end"
    api.upload_file(path_in_repo="a.parquet", path_or_fileobj=content, repo_id=REPO, repo_type="dataset")
    hub.faults.add(Fault("GET", "^/lfs/", cut(after_bytes=300_000)))
    path = api.hf_hub_download(REPO, "a.parquet", repo_type="dataset", cache_dir=tmp_path)
    assert Path(path).read_bytes() == content
    assert [request.sent for request in hub.faults.seen("GET", "^/lfs/")] == [300_000, len(content)]


# At a distance


def test_each_request_waits_and_the_first_one_of_a_connection_twice(hub: LocalHub, api: HfApi):
    commit(api, "a")
    hub.faults.forget()
    hub.distance.seconds = 0.2
    with requests.Session() as session:
        for _ in range(3):
            session.get(f"{hub.endpoint}/api/datasets/{REPO}", headers={"Authorization": f"Bearer {hub.read_token}"})
    passed = hub.faults.requests
    assert [round((each.ended_at - each.began_at) / 0.2) for each in passed] == [2, 1, 1]
    assert connections(passed) == 1
    assert by_kind(passed) == {"GET /api/datasets/{repo}": 3}
    assert len(repeated(passed)) == 1


def test_a_download_goes_by_way_of_the_storage_and_waits_at_both(hub: LocalHub, api: HfApi):
    api.upload_file(path_or_fileobj=b"\0" * 1000, path_in_repo="data/a.parquet", repo_id=REPO, repo_type="dataset")
    hub.faults.forget()
    hub.distance.seconds = 0.1
    headers = {"Authorization": f"Bearer {hub.read_token}", "Range": "bytes=0-9"}
    with ThreadPoolExecutor(2) as pool:
        address = f"{hub.endpoint}/datasets/{REPO}/resolve/main/data/a.parquet"
        answers = list(pool.map(lambda _: requests.get(address, headers=headers, timeout=9), range(2)))
    assert [answer.status_code for answer in answers] == [206, 206]
    passed = hub.faults.requests
    assert by_kind(passed) == {"GET /datasets/{repo}/resolve/main/{path}": 2, "GET /lfs/{id}": 2}
    assert [kind_of(each) for each in in_sequence(passed)] == [*by_kind(passed)]
    assert len({each.origin for each in passed}) == 2
    assert connections(passed) == 4
