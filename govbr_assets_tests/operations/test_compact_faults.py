"""What goes wrong while a dataset is compacted, one thing at a time, over real HTTP.

However it ends, every revision is whole, no row is gone, no temporary file is left, and the next compaction completes
it.
"""

import errno
import io
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub.utils._xet import abort_xet_session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from govbr_assets.errors import ContractError, GovbrAssetsError, HubDeniedError, HubUnavailableError, NoRoomError
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import Action, answer, call, cut, wait
from govbr_assets.local.hub.faults import Fault
from govbr_assets.operations.compact.plan import compact
from govbr_assets_tests.compaction_repo import COMMIT, DATA, CompactionRepo, compaction_repo_in, handful
from govbr_assets_tests.operations.test_compact import TODAY, as_text, rows
from govbr_assets_tests.stranger import as_others_write
from govbr_assets_tests.tables import encode
from govbr_assets_tests.test_faults import HEAD, unreadable

ALWAYS = 9999
FOOTERS = 1  # requests for data that come before the files themselves: how the shard of today is made


@pytest.fixture
def repo(
    local_hub: LocalHub, repo_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CompactionRepo]:
    """A dataset that takes two commits."""
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", 5)
    monkeypatch.setattr("govbr_assets.huggingface.commit._MAX_ATTEMPTS", 3)
    with compaction_repo_in(local_hub, repo_id, tmp_path / "temporary") as found:
        found.write(handful(repo_id) | {"data/train-2026-01-20.parquet": encode(rows("open", day="2026-01-20"))})
        yield found


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Iterator[None]:
    """Let the client not wait before it asks again, and that of the storage give up soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
        patch.setenv("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "1")
        patch.setenv("HF_XET_CLIENT_RETRY_BASE_DELAY", "20ms")
        abort_xet_session()
        yield
        abort_xet_session()


def other_bytes() -> Action:
    """Send as many bytes as were asked for, and one of them wrong."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if body := message.get("body", b""):
                message = {**message, "body": body[:50] + bytes([body[50] ^ 1]) + body[51:]}
            await send(message)

        await app(scope, receive, sending)

    return act


def fewer_bytes() -> Action:
    """Send half of what was asked for, as if it were all."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await app(scope, receive, hold)
        body = b"".join(message.get("body", b"") for message in held)
        half = body[: len(body) // 2]
        headers = [(name, value) for name, value in held[0]["headers"] if name != b"content-length"]
        await send({**held[0], "headers": [*headers, (b"content-length", str(len(half)).encode())]})
        await send({"type": "http.response.body", "body": half})

    return act


@dataclass(frozen=True)
class Case:
    """What goes wrong, how the compaction ends then, and how many commits it has made before.

    Attributes:
        method: of the requests that it goes wrong with.
        path: of these.
        action: what happens to them.
        ends: the error; None if all is compacted in the end.
        reason: what its sentence says.
        skip: how many requests are well before.
        times: how often it happens.
        when: before the request is served, or after.
        commits: how many commits are made before the end.
    """

    method: str
    path: str
    action: Action
    ends: type[GovbrAssetsError] | None = None
    reason: str = ""
    skip: int = 0
    times: int = 1
    when: Literal["before", "after"] = "before"
    commits: int = 0


NO_ANSWER, DENIED = (HubUnavailableError, "no readable answer"), (HubDeniedError, "HF_TOKEN")
OTHER_BYTES = HubUnavailableError, "other bytes than it has"
CUT_OFF = HubUnavailableError, "in too small pieces"
REVOKED = answer(401, "Invalid credentials in Authorization header")

CASES = {
    "the Hub is away": Case("GET", HEAD, cut(), *NO_ANSWER, times=ALWAYS),
    "the listing is truncated": Case("GET", "/tree/", unreadable(), *NO_ANSWER),
    "the history is truncated": Case("GET", "/commits/", unreadable(), *NO_ANSWER),
    "what a file is like cannot be read": Case("GET", DATA, answer(500), HubUnavailableError, "500", times=ALWAYS),
    "a download breaks off once": Case("GET", DATA, cut(after_bytes=100), skip=FOOTERS + 2),
    "a download breaks off always": Case("GET", DATA, cut(after_bytes=100), *NO_ANSWER, FOOTERS + 2, ALWAYS),
    "a download fails once": Case("GET", "/resolve/", answer(500), skip=FOOTERS + 2),
    "a download fails always": Case("GET", "/resolve/", answer(503), HubUnavailableError, "503", FOOTERS + 2, ALWAYS),
    "a download is slow": Case("GET", DATA, wait(0.3), skip=FOOTERS, times=2),
    "a download has another byte": Case("GET", DATA, other_bytes(), *OTHER_BYTES, FOOTERS + 2),
    "a download is half of the file": Case("GET", DATA, fewer_bytes(), skip=FOOTERS + 2),
    "no download is more than half": Case("GET", DATA, fewer_bytes(), *CUT_OFF, FOOTERS + 2, ALWAYS),
    "the token is revoked at once": Case("GET", "/resolve/", REVOKED, *DENIED, times=ALWAYS),
    "the token is revoked at a download": Case("GET", "/resolve/", REVOKED, *DENIED, FOOTERS + 2, ALWAYS),
    "the token is revoked at the upload": Case("POST", "/preupload/", REVOKED, *DENIED, times=ALWAYS),
    "the token is revoked at the second commit": Case("POST", COMMIT, REVOKED, *DENIED, 1, ALWAYS, commits=1),
    "429 for a file": Case("GET", "/resolve/", answer(429, "Too many requests"), skip=FOOTERS + 2),
    "429 with a long wait": Case(
        "POST", COMMIT, answer(429, "Retry in 3 minutes."), HubUnavailableError, "wait 180 seconds", 1, commits=1
    ),
    "409": Case("POST", COMMIT, answer(409, "Another commit is in progress"), skip=1),
    "412": Case("POST", COMMIT, answer(412, "The branch was updated since you started"), skip=1),
    "500 before the commit": Case("POST", COMMIT, answer(500), skip=1),
    "500 after the commit": Case("POST", COMMIT, answer(500), skip=1, when="after"),
    "cut before the commit": Case("POST", COMMIT, cut(), skip=1),
    "cut after the commit": Case("POST", COMMIT, cut(), skip=1, when="after"),
    "the commit's answer is truncated": Case("POST", COMMIT, unreadable(), skip=1, when="after"),
    "500 for good": Case("POST", COMMIT, answer(500), HubUnavailableError, "500", 1, ALWAYS, commits=1),
    "cut after every commit": Case("POST", COMMIT, cut(), times=ALWAYS, when="after"),
    "no upload": Case("POST", "/v1/xorbs/", answer(500), HubUnavailableError, "committing", times=ALWAYS),
}


@pytest.mark.parametrize("name", CASES)
def test_whatever_the_hub_does_the_compaction_ends_well_and_the_next_one_completes_it(repo: CompactionRepo, name: str):
    case = CASES[name]
    faults = repo.local_hub.faults
    fault = Fault(case.method, case.path, case.action, case.when, case.times, case.skip)
    faults.add(fault)
    if case.ends:
        with pytest.raises(case.ends, match=case.reason) as caught:
            repo.compact()
        assert repo.local_hub.write_token not in str(caught.value)
        assert len(repo.compactions) == case.commits
    else:
        repo.compact()
        assert len(repo.compactions) == 2
    assert fault.times < case.times
    repo.check_nothing_left()
    faults.clear()
    repo.check_settled()
    repo.check_compacted(repo.base)


def test_a_file_that_cannot_be_compacted_ends_it_while_others_are_on_their_way_and_nothing_is_left(
    repo: CompactionRepo,
):
    odd = as_others_write(as_text(rows("odd", day="2025-05-05")).set_column(2, "published_at", pa.array(["yesterday"])))
    repo.write({"data/train-00000-of-00001.parquet": odd})
    repo.local_hub.faults.add(Fault("GET", DATA, wait(0.2), times=ALWAYS, skip=FOOTERS + 1))
    with pytest.raises(ContractError, match="yesterday") as caught:
        repo.compact()
    assert caught.value.__traceback__  # as long as it lives, so does all that it has passed
    repo.check_nothing_left()
    assert [each for each in threading.enumerate() if each.name.startswith("ThreadPool")] == []
    assert repo.compactions == []


def broken(column: str) -> bytes:
    """Make a Parquet file of which one page cannot be decompressed."""
    content = bytearray(as_others_write(rows("a", "b", day="2025-05-05")))
    group = pq.read_metadata(io.BytesIO(content)).row_group(0)
    (chunk,) = (each for each in map(group.column, range(group.num_columns)) if each.path_in_schema == column)
    end = chunk.data_page_offset + chunk.total_compressed_size
    content[end - 8 : end] = b"\xff" * 8
    return bytes(content)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
@pytest.mark.parametrize(
    "content",
    [b"no Parquet at all", b"PAR1" + b"\xff" * 50 + b"PAR1", as_others_write(rows("a", day="2025-05-05"))[:-9]]
    + [broken(column) for column in ("unique_id", "published_at", "title")],
    ids=["text", "no footer", "cut off", "ids are broken", "times are broken", "titles are broken"],
)
def test_a_file_that_cannot_be_read_is_named(repo: CompactionRepo, tmp_path: Path, content: bytes, kept: bool):
    repo.kept = tmp_path / "kept" if kept else None
    repo.write({"data/train-odd.parquet": content})
    with pytest.raises(ContractError, match=r"data/train-odd\.parquet"):
        repo.compact()
    repo.check_nothing_left()
    assert repo.compactions == []


INTERRUPTED: dict[str, tuple[str, str, int, Literal["before", "after"], int]] = {
    "while it lists": ("GET", "/tree/", 0, "before", 0),
    "while it reads what is there": ("GET", DATA, 0, "before", 0),
    "while it fetches files": ("GET", DATA, FOOTERS + 3, "before", 0),
    "with its first commit": ("POST", COMMIT, 0, "after", 1),
    "with its last commit": ("POST", COMMIT, 1, "after", 2),
}


@pytest.mark.parametrize("moment", INTERRUPTED)
def test_a_compaction_that_is_interrupted_leaves_no_file_and_the_next_one_goes_on(repo: CompactionRepo, moment: str):
    method, path, skip, when, commits = INTERRUPTED[moment]
    interrupt = call(lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
    repo.local_hub.faults.add(Fault(method, path, interrupt, when, skip=skip))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background begin without one
    try:
        with pytest.raises(KeyboardInterrupt):
            repo.compact()
    finally:
        signal.signal(signal.SIGINT, before)
    repo.check_nothing_left()
    assert len(repo.compactions) == commits
    repo.check_settled()
    repo.check_compacted(repo.base)


def test_a_compaction_that_nobody_goes_on_with_leaves_no_file(repo: CompactionRepo):
    steps = compact(repo.hub, TODAY)
    next(steps)
    del steps
    repo.check_nothing_left()
    repo.check_settled()


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch
):
    usage = shutil.disk_usage(tempfile.gettempdir())
    monkeypatch.setattr("govbr_assets.io.scratch.shutil.disk_usage", lambda _: usage._replace(free=100_000))
    with pytest.raises(NoRoomError, match=rf"0 MB in {tempfile.gettempdir()}.* set TMPDIR to a larger disk"):
        repo.compact()
    assert len(repo.local_hub.faults.seen("GET", DATA)) == FOOTERS
    repo.check_nothing_left()
    assert repo.compactions == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_becomes_full_is_told_by_the_setting_that_mends_it(tmp_path: Path, number: int):
    with pytest.raises(NoRoomError, match="set TMPDIR"), scratch_folder():
        raise OSError(number, "full")


def test_other_errors_of_the_disk_are_told_as_they_are():
    with pytest.raises(PermissionError), scratch_folder():
        raise PermissionError(errno.EACCES, "not yours")


def test_what_a_killed_compaction_has_left_is_removed_and_what_a_running_one_works_in_is_not(repo: CompactionRepo):
    left = Path(tempfile.mkdtemp(prefix="govbr-fold-"))
    (left / "inbox").mkdir()
    (left / "inbox" / "file").write_bytes(b"x")
    (left / "lock").touch()
    with scratch_folder() as running:
        (running / "file").write_bytes(b"x")
        repo.compact()
        assert not left.exists()
        assert (running / "file").read_bytes() == b"x"


def test_compactions_that_begin_at_the_same_moment_leave_each_other_alone(repo: CompactionRepo):
    failed: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(100):
                with scratch_folder() as folder:
                    (folder / "file").write_bytes(b"x")
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    repo.check_nothing_left()


def test_a_name_of_any_length_is_compacted(repo: CompactionRepo):
    repo.write({f"data/train-{'x' * 200}.parquet": as_others_write(rows("long", day="2025-05-05"))})
    repo.check_settled()
    assert repo.ids()["long"] == 1
