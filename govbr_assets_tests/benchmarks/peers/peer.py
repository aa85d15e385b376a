"""One of those who are compared: which program it is, in which environment, and the machines that it runs on."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.measure import Cost, measure
from govbr_assets_tests.benchmarks.peers.environment import python_of, versions
from govbr_assets_tests.benchmarks.worker import PRODUCT, Worker

MOST_SECONDS = 600
"""How long a program may take for a day: some wait for ever."""

PROGRAMS = Path(__file__).parent / "programs"

_DLT_INIT = '{"initial_version": 2, "current_version": 2}'
"""Without it dlt takes a repo for one that it has to create, and fails because it is there."""


@dataclass(frozen=True)
class Peer:
    """Who publishes a day.

    Attributes:
        name: in the table, and of its repo.
        environment: the file of its packages; None for the product, which has its production install.
        program: of `programs`.
        commit: which commit of a run adds the rows, from 0.
        beforehand: texts that its repo has to have before it publishes, by path.
    """

    name: str
    environment: str | None = None
    program: str = ""
    commit: int = 0
    beforehand: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Name the version of what is compared."""
        return f"{self.environment} {versions(self.environment)[self.environment]}" if self.environment else ""


PEERS = (
    Peer("this project"),
    Peer("dlt", "dlt", "by_dlt.py", beforehand={"init": _DLT_INIT}),
    Peer("Daft", "daft", "by_daft.py", commit=1),  # the first one renames the files that are there
    Peer("pandas", "pandas", "by_pandas.py"),
    Peer("datasets", "datasets", "by_datasets.py"),
    Peer("datasets, the day anew", "datasets", "by_datasets_anew.py"),
)


class Machine:
    """A machine on which a peer runs: what it keeps from one run to the next lies in a folder.

    Args:
        peer: who runs there.
        stack: what it talks to.
        worker: the product's install.
        repo_id: where it publishes to.
        folder: of the machine; made here.
        first_day: the product's first partition.
    """

    def __init__(
        self, peer: Peer, stack: LocalStack, worker: Worker, repo_id: str, folder: Path, first_day: date
    ) -> None:
        self._peer, self._worker, self._repo_id, self._folder = peer, worker, repo_id, folder
        self._url = stack.postgres.url
        (folder / "dagster").mkdir(parents=True)
        settings = Path(stack.environment(first_day)["DAGSTER_HOME"]) / "dagster.yaml"
        shutil.copy(settings, folder / "dagster")
        self.environment: Mapping[str, str] = stack.environment(first_day) | {
            "DAFT_ANALYTICS_ENABLED": "0",
            "DAGSTER_HOME": str(folder / "dagster"),
            "DLT_DATA_DIR": str(folder / "dlt"),
            "DO_NOT_TRACK": "true",
            "GOVBR_REPO_ID": repo_id,
            "GOVBR_STORAGE_URL": str(folder / "tables"),
            "HF_HOME": str(folder / "hf"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }

    def publish(self, day: date) -> Cost:
        """Publish a day.

        Raises:
            RuntimeError: it failed, or has not ended in time.
        """
        if self._peer.environment is None:
            return self._worker.materialize(PRODUCT, self.environment, "--partition", str(day))
        program = [python_of(self._peer.environment), str(PROGRAMS / self._peer.program)]
        command = [*program, self._repo_id, str(day), self._url]
        try:
            return measure(command, self.environment, self._folder, self._folder / "log", MOST_SECONDS)
        finally:  # `datasets` keeps all rows of each revision, which nobody loads again: gigabytes a day
            for kept in ("datasets", "hub"):
                shutil.rmtree(self._folder / "hf" / kept, ignore_errors=True)
