"""Runs of the daily graph in processes of their own, which can be killed: started from plain strings, ended by a code.

A process comes from a fork server that has imported everything already, so that it starts in a fraction of a second.
"""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dagster import DagsterEventType, DagsterInstance, RetryPolicy, materialize
from sqlalchemy import event
from sqlalchemy.engine import Engine

from govbr_assets.dataset import Dataset
from govbr_assets.defs.io_managers import ArrowTableIOManager, HubShardIOManager
from govbr_assets.defs.resources import HubResource, PostgresResource, ViewerResource
from govbr_assets.operations.project import plan
from govbr_assets.operations.sync import batches
from govbr_assets.publications import NEWS, REDUCED
from govbr_assets_tests.graph import GRAPH, Graph

PUBLISHED, FAILED, MOVED = 0, 1, 2
"""How a process ends: the run succeeded, it failed, or it failed because the repo moved too often under it."""

_LATER = (
    "pytest",  # a process imports what runs the tests
    "hf_xet",
    "dagster._core.instance.factory",  # this and what follows: what Dagster imports when an instance is made
    "dagster._core.execution.backfill",
    "dagster._core.storage.event_log",
    "dagster._core.storage.runs",
    "dagster._daemon",
)
"""What a run imports when it comes to it; without it, it starts a second later."""

_PATIENCE = 60  # seconds, in which a run of the tests is over many times


@dataclass(frozen=True)
class Wanted:
    """What a process is told.

    Attributes:
        postgres_url: the database.
        repo_id: the repo.
        endpoint: of the Hub.
        token: one that may write.
        viewer_url: the viewer.
        folder: for tables between assets, the process's own; or a URL.
        first: first day.
        last: last day; empty for a run over one day.
        commit_days: days of a commit; 0 leaves that as it is.
        removals: what becomes of rows that the database has nowhere.
        home: where Dagster keeps its records; empty keeps them in the process.
        patience: minutes that the run gives way to others, or waits for a busy Hub.
        dies: of which asset and after which statement, from the first that records one of its materializations; an
            empty name for none.
        environment: what the process has of it beside what all have.
    """

    postgres_url: str
    repo_id: str
    endpoint: str
    token: str
    viewer_url: str
    folder: str
    first: str
    last: str = ""
    commit_days: int = 0
    removals: str = "apply"
    home: str = ""
    patience: str = "0"
    dies: tuple[str, int] = ("", 0)
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        graph: Graph,
        folder: Path | str,
        first: str,
        last: str = "",
        commit_days: int = 0,
        removals: str = "apply",
        home: str = "",
        patience: str = "0",
        dies: tuple[str, int] = ("", 0),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> "Wanted":
        """Tell what a run of the graph in this process would use, but for the folder."""
        hub = graph.local_hub
        stack = (graph.postgres_url, graph.repo_id, hub.endpoint, hub.write_token, graph.local_viewer.url)
        told = (first, last, commit_days, removals, home, patience, dies, dict(environment))
        return cls(*stack, str(folder), *told)


@dataclass(frozen=True)
class Series:
    """What a process is told that mirrors the full dataset.

    Attributes:
        repo_id: the full one.
        reduced_id: the other.
        endpoint: of the Hub.
        token: one that may write.
        commit_files: files of a commit.
    """

    repo_id: str
    reduced_id: str
    endpoint: str
    token: str
    commit_files: int


def context() -> ForkServerContext:
    """Give the context whose processes have imported all they need."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__, *_LATER])
    return processes


def start(wanted: Wanted, barrier: Barrier | None = None) -> BaseProcess:
    """Start a run.

    Args:
        wanted: what to run.
        barrier: where processes wait for each other before they begin.
    """
    process = context().Process(target=publish, args=(wanted, barrier), daemon=True)
    process.start()
    return process


def start_series(wanted: Series, barrier: Barrier | None = None) -> BaseProcess:
    """Start a process that mirrors the full dataset; as `start` does."""
    process = context().Process(target=mirror, args=(wanted, barrier), daemon=True)
    process.start()
    return process


def code_of(process: BaseProcess, seconds: float = _PATIENCE) -> int | None:
    """Wait for a process and say how it ended; less than 0 is the signal that killed it."""
    process.join(seconds)
    return process.exitcode


def publish(wanted: Wanted, barrier: Barrier | None) -> None:
    """Materialize the three assets, and end this process with `PUBLISHED`, `FAILED` or `MOVED`."""
    os.environ.update(wanted.environment)
    if wanted.dies[0]:
        _die_in_records(*wanted.dies)
    if wanted.commit_days:
        batches.COMMIT_DAYS = wanted.commit_days
    hub = HubResource(
        repo_id=wanted.repo_id,
        token=wanted.token,
        endpoint=wanted.endpoint,
        storage_url=wanted.folder,
        patience_minutes=wanted.patience,
    )
    daily = [each for each in GRAPH if each.keys]
    for asset in daily:
        asset.op._retry_policy = RetryPolicy(max_retries=0)
    span = {"dagster/asset_partition_range_start": wanted.first, "dagster/asset_partition_range_end": wanted.last}
    if barrier is not None:
        barrier.wait(_PATIENCE)
    with DagsterInstance.local_temp(wanted.home) if wanted.home else DagsterInstance.ephemeral() as instance:
        result = materialize(
            daily,
            instance=instance,
            resources={
                "postgres": PostgresResource(url=wanted.postgres_url),
                "hub": hub,
                "viewer": ViewerResource(url=wanted.viewer_url, hub=hub),
                "table_io_manager": ArrowTableIOManager(storage_url=wanted.folder),
                "shard_io_manager": HubShardIOManager(hub=hub),
            },
            raise_on_error=False,
            partition_key=None if wanted.last else wanted.first,
            tags=span if wanted.last else None,
            run_config={"ops": {"hf_parquet_shard": {"config": {"unfolded": "leave", "removals": wanted.removals}}}},
        )
    failed = [each.step_failure_data for each in result.all_events if each.is_step_failure]
    causes = {each.error.cause.cls_name for each in failed if each.error and each.error.cause}
    os._exit(PUBLISHED if result.success else MOVED if causes == {"HubConflictError"} else FAILED)


def _die_in_records(asset: str, number: int) -> None:
    """Kill this process after so many statements from the first that records a materialization of an asset."""
    left, marks = [number], (DagsterEventType.ASSET_MATERIALIZATION.value, f'"{asset}"')

    def die(*arguments: Any) -> None:
        _, _, text, values, *_ = arguments
        first = text.startswith("INSERT INTO event_logs") and all(each in str(values) for each in marks)
        if first or left[0] < number:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", die)


def mirror(wanted: Series, barrier: Barrier | None) -> None:
    """Mirror the full dataset, and end this process with `PUBLISHED`."""
    plan.COMMIT_FILES = wanted.commit_files
    full, reduced = (
        Dataset.open(repo_id, spec, token=wanted.token, endpoint=wanted.endpoint)
        for repo_id, spec in ((wanted.repo_id, NEWS), (wanted.reduced_id, REDUCED.spec))
    )
    if barrier is not None:
        barrier.wait(_PATIENCE)
    for _ in plan.project(full, reduced, REDUCED):
        pass
    os._exit(PUBLISHED)
