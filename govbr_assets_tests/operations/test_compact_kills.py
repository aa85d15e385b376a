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
from govbr_assets_tests import fold_process, processes
from govbr_assets_tests.fold_process import NO_ROOM, ToFold
from govbr_assets_tests.folding import COMMIT, DATA, Folding, folding_in, handful
from govbr_assets_tests.operations.test_compact import TODAY, rows
from govbr_assets_tests.processes import PUBLISHED
from govbr_assets_tests.tables import encode
from govbr_assets_tests.test_faults import HEAD
from govbr_assets_tests.test_kills import Killer, When

MOST = 5
"""Files of a commit, so that the dataset takes two."""


@pytest.fixture
def folding(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator[Folding]:
    multiprocessing.util.get_temp_dir()  # is made once, and not to be among what folds make
    with folding_in(local_hub, repo_id, tmp_path / "temporary") as found:
        yield found


@pytest.fixture
def another(local_hub: LocalHub, folding: Folding, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Folding]:
    """Make one repo after another that takes two commits, in this process as well."""
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", MOST)
    numbers = count()

    def make() -> Folding:
        found = Folding(local_hub, f"{folding.repo_id}-{next(numbers)}")
        found.write(handful(found.repo_id))
        local_hub.faults.forget()
        return found

    return make


def told(folding: Folding, **more: int | str) -> ToFold:
    """Tell a process what a fold in this one would use."""
    hub = folding.local_hub
    return ToFold(folding.repo_id, hub.endpoint, hub.write_token, tempfile.gettempdir(), str(TODAY), **more)  # pyright: ignore[reportArgumentType]


def kill(folding: Folding, method: str, path: str, skip: int, when: When = "before") -> None:
    """Let a process fold, and kill it with one of its requests; it leaves its folder behind."""
    killer, barrier = Killer(), processes.context().Barrier(2)
    folding.local_hub.faults.add(Fault(method, path, killer.action, when, skip=skip))
    killer.victim = fold_process.start(told(folding, most=MOST), barrier)
    barrier.wait(60)
    assert processes.code_of(killer.victim) == -signal.SIGKILL, path
    folding.local_hub.faults.clear()


def check_goes_on(folding: Folding, commits: int) -> None:
    """The killed fold has made some commits; the next one makes those that are missing and clears up."""
    assert len(folding.folds) == commits
    folding.check_history()
    folding.fold()
    folding.check_nothing_left()
    assert len(folding.folds) == 2
    folding.check_folded(folding.base)
    folding.check_settled()


READS = [HEAD, "/tree/", *["/resolve/", DATA] * 3, "/commits/", "/xet-write-token/"]
WRITES = {"/preupload/": 2, "/v1/xorbs/": 1, "/v1/shards$": 1, COMMIT: 1}
"""Requests that write, or begin to, and how many of them one commit makes."""


def test_a_fold_that_is_killed_while_it_reads_leaves_the_repo_as_it_was_and_the_next_one_clears_up(
    another: Callable[[], Folding],
):
    folding = another()
    for number, path in enumerate(READS):
        kill(folding, "GET", path, READS[:number].count(path))
        assert folding.folds == []
        assert len(list(Path(tempfile.gettempdir()).iterdir())) == 1  # of the one that was killed last
    check_goes_on(folding, 0)


@pytest.mark.parametrize("path", WRITES)
def test_one_that_is_killed_while_it_writes_is_completed_by_the_next_one(another: Callable[[], Folding], path: str):
    for number in (0, 1):  # of its two commits
        folding = another()
        kill(folding, "POST", path, number * WRITES[path])
        check_goes_on(folding, number)


def test_so_is_one_that_is_killed_when_a_commit_has_landed_and_before_it_goes_on(another: Callable[[], Folding]):
    moments: list[tuple[str, str, int, When, int]] = [
        ("POST", COMMIT, 0, "after", 1),
        ("GET", "/commits/", 1, "before", 1),
        ("POST", COMMIT, 1, "after", 2),
        ("GET", HEAD, 1, "before", 2),
    ]
    for method, path, number, when, commits in moments:
        folding = another()
        kill(folding, method, path, number, when)
        check_goes_on(folding, commits)


def test_a_folder_that_a_fold_still_works_in_is_left_alone(another: Callable[[], Folding]):
    slow, other = another(), another()
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        assert go_on.wait(60)

    slow.local_hub.faults.add(Fault("POST", f"{slow.repo_id}{COMMIT}", call(hold)))
    process = fold_process.start(told(slow, most=MOST))
    assert held.wait(60)
    (folder,) = Path(tempfile.gettempdir()).iterdir()
    files = sorted(folder.rglob("*"))
    other.fold()
    assert sorted(folder.rglob("*")) == files
    go_on.set()
    assert processes.code_of(process) == PUBLISHED
    slow.check_nothing_left()
    slow.check_history(MOST)
    slow.check_folded(slow.base)


@pytest.mark.parametrize("file_bytes", [2_000, 30_000, 45_000, 100_000])
def test_a_disk_that_becomes_full_ends_the_fold_with_the_setting_that_mends_it(
    folding: Folding, tmp_path: Path, file_bytes: int
):
    letters = random.Random(folding.repo_id)
    files: dict[str, bytes | None] = {}
    for number in range(1, 9):
        content = pa.array(["".join(letters.choices("abcdefghijklmnopqrstuvwxyz0123456789+- ", k=40_000))])
        shard = rows(f"{number}", day=f"2025-05-0{number}")
        files[f"data/train-2025-05-0{number}.parquet"] = encode(shard.set_column(9, "content", content))
    folding.write(files)
    said = tmp_path / "said"
    process = fold_process.start(told(folding, file_bytes=file_bytes, said=str(said)))
    assert processes.code_of(process) == NO_ROOM
    assert f"{tempfile.gettempdir()} has become full" in said.read_text()
    assert "set TMPDIR to a larger disk" in said.read_text()
    folding.check_nothing_left()
    assert folding.folds == []
    folding.check_settled()
    folding.check_folded(folding.base)
