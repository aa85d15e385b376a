"""Compactions in processes of their own: killed at their requests, held up in the middle, with a disk too small.

The Hub itself kills, the moment a request arrives or when it has done what was asked.
"""

import multiprocessing.util
import random
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest

from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests import compaction_process, processes
from govbr_assets_tests.compaction_process import NO_ROOM, ToCompact
from govbr_assets_tests.compaction_repo import COMMIT, DATA, CompactionRepo, compaction_repo_in, handful
from govbr_assets_tests.operations.test_compact import TODAY, rows
from govbr_assets_tests.processes import PUBLISHED
from govbr_assets_tests.tables import encode
from govbr_assets_tests.test_faults import HEAD
from govbr_assets_tests.test_kills import Killer, When

MOST = 5
"""Files of a commit, so that the dataset takes two."""


@pytest.fixture
def repo(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator[CompactionRepo]:
    multiprocessing.util.get_temp_dir()  # is made once, and not to be among what compactions make
    with compaction_repo_in(local_hub, repo_id, tmp_path / "temporary") as found:
        yield found


@pytest.fixture
def another(local_hub: LocalHub, repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch) -> Callable[[], CompactionRepo]:
    """Make one repo after another that takes two commits, in this process as well."""
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", MOST)
    numbers = count()

    def make() -> CompactionRepo:
        found = CompactionRepo(local_hub, f"{repo.repo_id}-{next(numbers)}")
        found.write(handful(found.repo_id))
        local_hub.faults.forget()
        return found

    return make


def told(repo: CompactionRepo, **more: int | str) -> ToCompact:
    """Tell a process what a compaction in this one would use."""
    hub = repo.local_hub
    return ToCompact(repo.repo_id, hub.endpoint, hub.write_token, tempfile.gettempdir(), str(TODAY), **more)  # pyright: ignore[reportArgumentType]


def kill(repo: CompactionRepo, method: str, path: str, skip: int, when: When = "before") -> None:
    """Let a process compact, and kill it with one of its requests; it leaves its folder behind."""
    killer, barrier = Killer(), processes.context().Barrier(2)
    repo.local_hub.faults.add(Fault(method, path, killer.action, when, skip=skip))
    killer.victim = compaction_process.start(told(repo, most=MOST), barrier)
    barrier.wait(60)
    assert processes.code_of(killer.victim) == -signal.SIGKILL, path
    repo.local_hub.faults.clear()


def check_goes_on(repo: CompactionRepo, commits: int) -> None:
    """The killed compaction has made some commits; the next one makes those that are missing and clears up."""
    assert len(repo.compactions) == commits
    repo.check_history()
    repo.compact()
    repo.check_nothing_left()
    assert len(repo.compactions) == 2
    repo.check_compacted(repo.base)
    repo.check_settled()


READS = [HEAD, "/tree/", *["/resolve/", DATA] * 3, "/commits/", "/xet-write-token/"]
WRITES = {"/preupload/": 1, "/v1/xorbs/": 1, "/v1/shards$": 1, COMMIT: 1}
"""Requests that write, or begin to, and how many of them one commit makes."""


def test_a_compaction_that_is_killed_while_it_reads_leaves_the_repo_as_it_was_and_the_next_one_clears_up(
    another: Callable[[], CompactionRepo],
):
    repo, left = another(), list[int]()
    for number, path in enumerate(READS):
        kill(repo, "GET", path, READS[:number].count(path))
        assert repo.compactions == []
        left.append(len(list(Path(tempfile.gettempdir()).iterdir())))
    assert set(left) == {0, 1}  # nothing of one that had not begun to write, else of the one that was killed last
    assert left == sorted(left)
    check_goes_on(repo, 0)


@pytest.mark.parametrize("path", WRITES)
def test_one_that_is_killed_while_it_writes_is_completed_by_the_next_one(
    another: Callable[[], CompactionRepo], path: str
):
    for number in (0, 1):  # of its two commits
        repo = another()
        kill(repo, "POST", path, number * WRITES[path])
        check_goes_on(repo, number)


def test_so_is_one_that_is_killed_when_a_commit_has_landed_and_before_it_goes_on(another: Callable[[], CompactionRepo]):
    moments: list[tuple[str, str, int, When, int]] = [
        ("POST", COMMIT, 0, "after", 1),
        ("GET", "/commits/", 2, "before", 1),  # each commit asks for its parent's, and before it is sent
        ("POST", COMMIT, 1, "after", 2),
        ("GET", HEAD, 3, "before", 2),  # each commit is followed by a look at the head
    ]
    for method, path, number, when, commits in moments:
        repo = another()
        kill(repo, method, path, number, when)
        check_goes_on(repo, commits)


def test_a_folder_that_a_compaction_still_works_in_is_left_alone(another: Callable[[], CompactionRepo]):
    slow, other = another(), another()
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        assert go_on.wait(60)

    slow.local_hub.faults.add(Fault("POST", f"{slow.repo_id}{COMMIT}", call(hold)))
    process = compaction_process.start(told(slow, most=MOST))
    assert held.wait(60)
    (folder,) = Path(tempfile.gettempdir()).iterdir()
    files = sorted(folder.rglob("*"))
    other.compact()
    assert sorted(folder.rglob("*")) == files
    go_on.set()
    assert processes.code_of(process) == PUBLISHED
    slow.check_nothing_left()
    slow.check_history(MOST)
    slow.check_compacted(slow.base)


@pytest.mark.parametrize("file_bytes", [2_000, 30_000, 45_000, 100_000])
def test_a_disk_that_becomes_full_ends_the_compaction_with_the_setting_that_mends_it(
    repo: CompactionRepo, tmp_path: Path, file_bytes: int
):
    letters = random.Random(repo.repo_id)
    files: dict[str, bytes | None] = {}
    for number in range(1, 9):
        content = pa.array(["".join(letters.choices("abcdefghijklmnopqrstuvwxyz0123456789+- ", k=40_000))])
        shard = rows(f"{number}", day=f"2025-05-0{number}")
        files[f"data/train-2025-05-0{number}.parquet"] = encode(shard.set_column(9, "content", content))
    repo.write(files)
    said = tmp_path / "said"
    process = compaction_process.start(told(repo, file_bytes=file_bytes, said=str(said)))
    assert processes.code_of(process) == NO_ROOM
    assert f"{tempfile.gettempdir()} has become full" in said.read_text()
    assert "set TMPDIR to a larger disk" in said.read_text()
    repo.check_nothing_left()
    assert repo.compactions == []
    repo.check_settled()
    repo.check_compacted(repo.base)
