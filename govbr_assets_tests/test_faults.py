"""What goes wrong while a day or a range is published, one thing at a time, over real HTTP on a real PostgreSQL.

However it ends, the dataset loads at every revision, no row stands twice, none is gone, and the next run mends all.
Every case says how its run ends, and in a range what is wrong with a commit is wrong with the second one.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import adbc_driver_postgresql.dbapi as adbc
import pytest
from huggingface_hub.utils._xet import abort_xet_session
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from govbr_assets.defs.resources import ViewerResource
from govbr_assets.errors import (
    GovbrAssetsError,
    HubConflictError,
    HubDeniedError,
    HubUnavailableError,
    PermanentError,
    SourceUnavailableError,
    ViewerUncertainError,
)
from govbr_assets.local.hub.actions import Action, answer, call, cut
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests import readers
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.scenes import DAYS, Scene, verdict

pytestmark = pytest.mark.usefixtures("at_once")

ONE, MANY = (DAYS[1],), DAYS
ALWAYS = 9999
UNREADABLE = '{"rows": [{"row_idx": 0, "row": {"unique_id": "x'

HEAD = r"^/api/datasets/[^/]+/[^/]+$"
COMMIT = "/commit/main$"


@dataclass
class Stage:
    """A scene, and what a case does to it.

    Attributes:
        scene: the repo and the database.
        span: the days of the run.
        patience: minutes that the run may wait for a busy Hub.
        changed: what is changed for the run alone.
        armed: the faults, with how often each may happen.
        undo: what has to be done before the next run.
    """

    scene: Scene
    span: Sequence[str]
    patience: str = "0"
    changed: dict[str, Any] = field(default_factory=dict)
    armed: list[tuple[Fault, int]] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)

    @property
    def graph(self) -> Graph:
        return self.scene.graph

    def run(self, source: str = "auto", *, checks: bool = True) -> tuple[type[GovbrAssetsError] | None, str]:
        last = self.span[-1] if len(self.span) > 1 else ""
        config = {"hf_existing_ids": {"source": source}}
        changed = {"checks": checks, "config": config, "patience_minutes": self.patience, **self.changed}
        ends, sentence = verdict(self.graph.run(self.span[0], last, **changed))
        assert self.graph.local_hub.write_token not in sentence
        return ends, sentence

    def clear(self) -> None:
        """Let nothing be wrong any more; whatever was to go wrong has."""
        self.graph.local_hub.faults.clear()
        self.graph.local_viewer.faults.clear()
        self.graph.local_viewer.index.follow(self.scene.repo_id)
        for step in self.undo:
            step()
        self.changed = {}
        assert [fault.path for fault, times in self.armed if fault.times == times] == []

    def add(self, fault: Fault, *, viewer: bool = False) -> None:
        server = self.graph.local_viewer if viewer else self.graph.local_hub
        self.armed.append((fault, fault.times))
        server.faults.add(fault)


Arm = Callable[[Stage], None]


@dataclass(frozen=True)
class Case:
    """What goes wrong, and how a run ends then.

    Attributes:
        arm: makes it go wrong.
        ends: the error that the run fails with; None if it publishes all the same.
        reason: what its sentence says.
    """

    arm: Arm
    ends: type[GovbrAssetsError] | None = None
    reason: str = ""


def on_hub(
    method: str,
    path: str,
    action: Action,
    when: Literal["before", "after"] = "before",
    times: int = 1,
    *,
    each_commit: bool = True,
) -> Arm:
    """Let something go wrong with a request to the Hub; in a range with the one for the second commit."""

    def arm(stage: Stage) -> None:
        skip = 1 if each_commit and stage.span == MANY else 0
        stage.add(Fault(method, path, action, when, times, skip))

    return arm


def on_viewer(action: Action, times: int = ALWAYS, skip: int = 0) -> Arm:
    """Let something go wrong with the viewer's answers about rows."""
    return lambda stage: stage.add(Fault("GET", "^/filter$", action, times=times, skip=skip), viewer=True)


def unreadable() -> Action:
    """Answer 200 with JSON that ends in the middle, as a whole HTTP response."""

    async def act(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        await Response(UNREADABLE, media_type="application/json")(scope, receive, send)

    return act


def stale(stage: Stage) -> None:
    older = stage.graph.local_hub.store.commits(stage.scene.repo_id)[1]
    stage.graph.local_viewer.index.hold(stage.scene.repo_id, older.sha)


def partial(stage: Stage) -> None:
    stage.graph.local_viewer.index.limit(stage.scene.repo_id, 1)


def not_ready(stage: Stage) -> None:
    stage.graph.local_viewer.index.not_ready(stage.scene.repo_id)


def gone(stage: Stage) -> None:
    hub = stage.graph.resources(patience_minutes=stage.patience)["hub"]
    stage.changed["viewer"] = ViewerResource(url="http://127.0.0.1:9", hub=hub)


def second_page_of_another_revision(stage: Stage) -> None:
    """The requests about a day are a count, then its pages."""
    on_viewer(call(lambda: stale(stage)), times=1, skip=2)(stage)


def busy_for_a_second(stage: Stage) -> None:
    stage.patience = "1"
    on_hub("POST", COMMIT, answer(429, "You have been rate limited. Retry in 1 second."))(stage)


def lagging_behind_us(stage: Stage) -> None:
    stage.graph.local_hub.lag(stage.scene.repo_id, times=3)


def lagging_behind_another(stage: Stage) -> None:
    stage.graph.local_hub.lag(stage.scene.repo_id, times=2)
    stage.scene.somebody_else_commits()


def another_writer(times: int) -> Arm:
    """Let somebody else commit just before we do."""
    return lambda stage: on_hub("POST", COMMIT, call(stage.scene.somebody_else_commits), times=times)(stage)


def another_publisher(stage: Stage) -> None:
    """Let somebody else publish rows that we are about to publish."""
    name = "late-16" if stage.span == MANY else "late-1"
    on_hub("POST", COMMIT, call(lambda: stage.scene.somebody_else_publishes(name)))(stage)


def revoked_from(method: str, path: str, *, each_commit: bool = True) -> Arm:
    """Let the token be refused with a request and with all after it."""

    def arm(stage: Stage) -> None:
        refuse = answer(401, "Invalid credentials in Authorization header")

        async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            stage.graph.local_hub.faults.add(Fault("*", "", refuse, times=ALWAYS))
            await refuse(app, scope, receive, send)

        on_hub(method, path, act, each_commit=each_commit)(stage)

    return arm


def postgres_gone(stage: Stage) -> None:
    """End the backend while it streams a result that takes a while; the rows that make it large go after that."""
    large = "INSERT INTO news (unique_id, agency_id, title, published_at, content) SELECT 'large-' || i, 1, 't',"
    large += f" '{DAYS[1]}T12:00:00-03:00', repeat(md5(i::text), 3000) FROM generate_series(1, 1500) i"
    stage.graph.execute(large)
    # A result is on its way when the query has run for longer than it takes to sort its rows.
    end = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'govbr_assets' AND state = 'active'
        AND query LIKE '%claim AS MATERIALIZED%' AND clock_timestamp() - query_start > interval '20 milliseconds'"""
    ended: list[object] = []
    over = threading.Event()

    def watch() -> None:
        with adbc.connect(stage.graph.postgres_url, autocommit=True) as connection, connection.cursor() as cursor:
            while not ended and not over.wait(0.002):
                cursor.execute(end)
                ended.extend(cursor.fetchall())

    watching = threading.Thread(target=watch)
    watching.start()

    def undo() -> None:
        over.set()
        watching.join()
        assert ended
        stage.graph.execute("DELETE FROM news WHERE unique_id LIKE 'large-%'")

    stage.undo.append(undo)


VIEWER = {
    "viewer stale": Case(stale, ViewerUncertainError, "The viewer answers for revision"),
    "viewer partial": Case(partial, ViewerUncertainError, "has indexed only a part"),
    "viewer says ResponseNotReady": Case(not_ready, ViewerUncertainError, "answered 500 (ResponseNotReady)"),
    "viewer 500": Case(on_viewer(answer(500)), ViewerUncertainError, "The viewer answered 500"),
    "viewer gone": Case(gone, ViewerUncertainError, "gave no readable answer"),
    "viewer cut off in the middle": Case(on_viewer(cut(after_bytes=100)), ViewerUncertainError, "no readable answer"),
    "viewer's second page of another revision": Case(
        second_page_of_another_revision, ViewerUncertainError, "The viewer answers for revision"
    ),
    "viewer's JSON truncated": Case(on_viewer(unreadable()), ViewerUncertainError, "gave no readable answer"),
    "viewer refuses the token": Case(on_viewer(answer(401)), HubDeniedError, "The viewer refuses"),
}

UPLOAD = {
    "preupload": ("POST", "/preupload/", True),
    "token of the storage": ("GET", "/xet-write-token/", False),  # kept by the client for the next commit
    "xorb": ("POST", "/v1/xorbs/", True),
    "shards": ("POST", "/v1/shards", True),
    "commit": ("POST", COMMIT, True),
}
"""The requests of a publication that change something or lead to it, and whether every commit makes one."""

BROKEN: dict[str, tuple[Action, Literal["before", "after"]]] = {
    "500 before": (answer(500), "before"),
    "500 after": (answer(500), "after"),
    "cut before": (cut(), "before"),
    "cut after": (cut(), "after"),
}

HUB = {
    "Hub 409": Case(on_hub("POST", COMMIT, answer(409, "Another commit is in progress"))),
    "Hub 409 always": Case(on_hub("POST", COMMIT, answer(409, "Busy"), times=ALWAYS), HubUnavailableError, "409"),
    "412 once": Case(on_hub("POST", COMMIT, answer(412, "The branch was updated since you started"))),
    "412 once, from another writer": Case(another_writer(1)),
    "412 always, from another writer": Case(another_writer(ALWAYS), HubConflictError, "moved 5 times"),
    "another writer publishes our rows": Case(another_publisher),
    "429 with text": Case(
        on_hub("POST", COMMIT, answer(429, "You have been rate limited. Retry in 3 minutes."), times=ALWAYS),
        HubUnavailableError,
        "wait 180 seconds",
    ),
    "429 with text, for a second": Case(busy_for_a_second),
    "500 always": Case(on_hub("POST", COMMIT, answer(500), times=ALWAYS), HubUnavailableError, "answered 500"),
    "cut always": Case(on_hub("POST", COMMIT, cut(), times=ALWAYS), HubUnavailableError, "gave no readable answer"),
    "head lagging behind our commit": Case(lagging_behind_us),
    "head lagging behind another's commit": Case(lagging_behind_another),
    "token revoked at the upload": Case(revoked_from("POST", "/preupload/"), HubDeniedError, "HF_TOKEN"),
    "token revoked at the storage": Case(revoked_from("POST", "/v1/xorbs/"), GovbrAssetsError),
    "token revoked at the commit": Case(revoked_from("POST", COMMIT), HubDeniedError, "HF_TOKEN"),
    "storage 500 always": Case(on_hub("POST", "/v1/xorbs/", answer(500), times=ALWAYS), HubUnavailableError),
    "storage cut always": Case(on_hub("POST", "/v1/xorbs/", cut(), times=ALWAYS), HubUnavailableError),
    "history's JSON truncated": Case(on_hub("GET", "/commits/", unreadable()), HubUnavailableError),
    "preupload's JSON truncated": Case(on_hub("POST", "/preupload/", unreadable())),
    "commit's JSON truncated, before": Case(on_hub("POST", COMMIT, unreadable())),
    "commit's JSON truncated, after": Case(on_hub("POST", COMMIT, unreadable(), "after")),
    "Postgres gone in the middle": Case(postgres_gone, SourceUnavailableError, "Reading the news from PostgreSQL"),
}
FIRST = {
    "head away": Case(on_hub("GET", HEAD, cut(), each_commit=False), HubUnavailableError, "asking for the head"),
    "token revoked before": Case(revoked_from("GET", HEAD, each_commit=False), HubDeniedError, "HF_TOKEN"),
    "head's JSON truncated": Case(on_hub("GET", HEAD, unreadable(), each_commit=False), HubUnavailableError),
    "listing's JSON truncated": Case(on_hub("GET", "/tree/", unreadable(), each_commit=False), HubUnavailableError),
}
"""What goes wrong before anything is planned."""

ON_THE_WAY = {
    f"{broken} the {request}": Case(on_hub(method, path, action, when, each_commit=every))
    for request, (method, path, every) in UPLOAD.items()
    for broken, (action, when) in BROKEN.items()
}
LFS = {
    f"{broken} the LFS {request}": Case(on_hub(method, path, action, when))
    for request, (method, path) in {
        "batch": ("POST", "/objects/batch$"),
        "object": ("PUT", "^/lfs/"),
        "verification": ("POST", "/objects/verify$"),
    }.items()
    for broken, (action, when) in BROKEN.items()
}
SPANS = pytest.mark.parametrize("span", [ONE, MANY], ids=["a day", "a range"])
A_DAY = pytest.mark.parametrize("span", [ONE], ids=["a day"])
PAGES = pytest.mark.parametrize("bulk", [110], ids=["on two pages"])


@pytest.fixture(scope="module", autouse=True)
def impatient_storage() -> Iterator[None]:
    """Let the storage's client give up soon; it reads these settings when a session begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "1")
        patch.setenv("HF_XET_CLIENT_RETRY_BASE_DELAY", "20ms")
        abort_xet_session()
        yield
        abort_xet_session()


@pytest.fixture
def bulk() -> int:
    return 2


@pytest.fixture
def stage(graph: Graph, span: Sequence[str], bulk: int, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("govbr_assets.operations.sync.batches.COMMIT_DAYS", 2)
    monkeypatch.setattr("govbr_assets.huggingface.commit._MAX_ATTEMPTS", 3)
    return Stage(Scene.of(graph, bulk), span)


def fits(ends: type[GovbrAssetsError] | None, case: Case) -> bool:
    """Say whether a run ended as it must; a failure of several days names no kind but `PermanentError`."""
    if ends is None or case.ends is None:
        return ends is case.ends
    return issubclass(ends, case.ends) or (ends is PermanentError and issubclass(case.ends, PermanentError))


def check_ends(stage: Stage, case: Case, folder: Path) -> None:
    """Run with what is wrong, and without if that failed: all is there then, and one more run changes nothing."""
    scene = stage.scene
    case.arm(stage)
    ends, sentence = stage.run()
    stage.clear()
    assert fits(ends, case), sentence
    assert case.reason in sentence
    scene.check_history()
    scene.check_readers(folder)
    if case.ends is not None:
        assert stage.run(checks=False) == (None, "")
        scene.check_history()
    scene.check_complete(stage.span)
    scene.check_shards(stage.span)
    commits = scene.new_commits
    assert stage.run("exact", checks=False) == (None, "")
    assert scene.new_commits == commits
    titles = [commit.title for commit in scene.graph.local_hub.store.commits(scene.repo_id)]
    ours = [title for title in titles if title.startswith(("Publish ", "Change ", "Move ", "Remove "))]
    assert len(ours) == len(set(ours)) == (2 if stage.span == MANY else 1)


@SPANS
@pytest.mark.parametrize("name", HUB)
def test_whatever_the_hub_does_the_run_ends_well_and_the_next_one_mends_all(stage: Stage, name: str, tmp_path: Path):
    check_ends(stage, HUB[name], tmp_path)


@A_DAY
@pytest.mark.parametrize("name", FIRST)
def test_what_goes_wrong_at_once_ends_the_run_and_the_next_one_mends_all(stage: Stage, name: str, tmp_path: Path):
    check_ends(stage, FIRST[name], tmp_path)


@A_DAY
@pytest.mark.parametrize("name", ON_THE_WAY)
def test_a_request_that_breaks_once_on_the_way_to_the_commit_is_made_again(stage: Stage, name: str, tmp_path: Path):
    check_ends(stage, ON_THE_WAY[name], tmp_path)


@A_DAY
@pytest.mark.parametrize("name", LFS)
def test_so_is_one_of_an_upload_without_the_newer_storage(
    stage: Stage, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    check_ends(stage, LFS[name], tmp_path)


@PAGES
@SPANS
@pytest.mark.parametrize("name", VIEWER)
def test_whatever_the_viewer_does_the_files_themselves_are_asked(stage: Stage, name: str, tmp_path: Path):
    check_ends(stage, Case(VIEWER[name].arm), tmp_path)


@PAGES
@SPANS
@pytest.mark.parametrize("name", VIEWER)
def test_where_only_the_viewer_may_be_asked_the_run_says_why_and_publishes_nothing(stage: Stage, name: str):
    case = VIEWER[name]
    case.arm(stage)
    ends, sentence = stage.run("viewer")
    stage.clear()
    assert fits(ends, case), sentence
    assert case.reason in sentence
    assert stage.scene.new_commits == []
    assert stage.run("viewer") == (None, "")
    stage.scene.check_history()
    stage.scene.check_complete(stage.span)
    stage.scene.check_shards(stage.span)


@pytest.mark.parametrize("span", [MANY], ids=["a range"])
def test_what_a_broken_run_leaves_loads_for_those_who_use_datasets(stage: Stage, tmp_path: Path):
    case = HUB["429 with text"]
    case.arm(stage)
    ends, _ = stage.run()
    assert ends
    assert issubclass(ends, HubUnavailableError)
    stage.clear()
    assert len(stage.scene.new_commits) == 1
    loaded = readers.by_datasets(stage.graph, tmp_path)
    assert stage.scene.rows_of([loaded]) == stage.scene.rows_at("main")
