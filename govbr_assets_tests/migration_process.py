"""A migration in a process of its own, which can be killed. It reports by its exit code."""

import os
import signal
import tempfile
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier

import pyarrow as pa

from govbr_assets.core.columns import Column
from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.errors import GovbrAssetsError, HubConflictError
from govbr_assets.operations.migrate.plan import migrate
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.processes import FAILED, MOVED, PUBLISHED, context

_NAME = Column(
    "agency_name", pa.string(), "n.agency_name", "Name of the agency.", dictionary=True, since=NEWS.version + 1
)
GROWN = replace(NEWS, columns=(*NEWS.columns, _NAME))
"""What is published with a column more."""

_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class ToMigrate:
    """What a process is told.

    Attributes:
        postgres_url: the database.
        repo_id: the repo.
        endpoint: of the Hub.
        token: one that may write.
        temporary: the folder for temporary files.
        today: of the release.
        files: the process kills itself when it has made so many files; 0 lets it live.
    """

    postgres_url: str
    repo_id: str
    endpoint: str
    token: str
    temporary: str
    today: str
    files: int = 0


def start(told: ToMigrate, barrier: Barrier | None = None) -> BaseProcess:
    """Start a migration, which waits at a barrier before it begins."""
    process = context().Process(target=migrate_here, args=(told, barrier), daemon=True)
    process.start()
    return process


def migrate_here(told: ToMigrate, barrier: Barrier | None) -> None:
    """Migrate, and end this process."""
    tempfile.tempdir, made = told.temporary, list[str]()

    def log(sentence: str) -> None:
        made.append(sentence)
        if len(made) == told.files:
            os.kill(os.getpid(), signal.SIGKILL)

    if barrier is not None:
        barrier.wait(_PATIENCE)
    dataset = Dataset.open(told.repo_id, GROWN, token=told.token, endpoint=told.endpoint, patience=0)
    code = PUBLISHED
    try:
        list(migrate(dataset, NewsTable(told.postgres_url, GROWN), Day.of(told.today), log=log))
    except GovbrAssetsError as error:
        code = MOVED if isinstance(error, HubConflictError) else FAILED
    os._exit(code)
