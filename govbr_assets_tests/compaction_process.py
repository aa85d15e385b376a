"""A compaction in a process of its own, which can be killed and whose file size can be limited.

It reports by its exit code, and imports nothing but the compaction, so that it starts fast.
"""

import os
import resource
import signal
import tempfile
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.errors import GovbrAssetsError, HubConflictError, NoRoomError
from govbr_assets.operations.compact import plan
from govbr_assets.operations.compact.plan import compact
from govbr_assets.publications import NEWS
from govbr_assets_tests.processes import FAILED, MOVED, PUBLISHED, context

NO_ROOM = 3
"""How a process ends beside what `processes` has."""

_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class ToCompact:
    """What a process is told.

    Attributes:
        repo_id: the repo.
        endpoint: of the Hub.
        token: one that may write.
        temporary: the folder for temporary files.
        today: whose shard stays.
        most: files of a commit.
        file_bytes: of a file at most; 0 is no limit.
        said: a file for the sentence of an error.
    """

    repo_id: str
    endpoint: str
    token: str
    temporary: str
    today: str
    most: int = 95
    file_bytes: int = 0
    said: str = os.devnull


def start(told: ToCompact, barrier: Barrier | None = None) -> BaseProcess:
    """Start a compaction, which waits at a barrier before it begins."""
    process = context().Process(target=compact_here, args=(told, barrier), daemon=True)
    process.start()
    return process


def compact_here(told: ToCompact, barrier: Barrier | None) -> None:
    """Compact, and end this process."""
    tempfile.tempdir, plan.COMMIT_FILES = told.temporary, told.most
    if told.file_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (told.file_bytes, told.file_bytes))
    if barrier is not None:
        barrier.wait(_PATIENCE)
    hub = Dataset.open(told.repo_id, NEWS, token=told.token, endpoint=told.endpoint, patience=0)
    code = PUBLISHED
    try:
        list(compact(hub, Day.of(told.today)))
    except GovbrAssetsError as error:
        Path(told.said).write_text(str(error))
        code = {HubConflictError: MOVED, NoRoomError: NO_ROOM}.get(type(error), FAILED)
    os._exit(code)
