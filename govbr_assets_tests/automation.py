"""Sensors on a real stack, for tests: ticks with their cursors, and runs as the daemon launches them."""

import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetKey,
    AssetsDefinition,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    Definitions,
    FilesystemIOManager,
    Output,
    RepositoryDefinition,
    RetryPolicy,
    RunRequest,
    RunsFilter,
    asset,
    build_sensor_context,
    define_asset_job,
    in_process_executor,
)
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._utils.error import serializable_error_info_from_exc_info

from govbr_assets.defs.assets.reconciliation import ReconciliationConfig
from govbr_assets.defs.jobs import daily_sync, reconciliation, weekly_consolidation
from govbr_assets.defs.resources import AlertResource
from govbr_assets.defs.sensors import sensors
from govbr_assets.errors import GovbrAssetsError
from govbr_assets_tests.graph import GRAPH, RECONCILIATION, WEEKLY, Graph

_TARGET = LoadableTargetOrigin(module_name="govbr_assets")
_ORIGIN = RemoteRepositoryOrigin(
    ManagedGrpcPythonEnvCodeLocationOrigin(_TARGET, location_name="govbr_assets"), "__repository__"
)
DAILY, RUN_KEY = "daily_sync", "dagster/run_key"
LATE, REPAIR, ALERT = "late_news_sensor", "repair_sensor", "alert_sensor"


def differing(days: Sequence[str]) -> pa.Table:
    """Make the table of a reconciliation that lacks a row on some days."""
    numbers = dict.fromkeys(("postgres_rows", "missing"), [1] * len(days))
    numbers |= dict.fromkeys(("hub_rows", "surplus", "duplicated", "moved", "changed"), [0] * len(days))
    return pa.table({"day": pa.array([date.fromisoformat(day) for day in days], pa.date32()), **numbers})


@dataclass
class Automation:
    """The sensors, what they remember, and a reconciliation that finds what it is told, or what is there.

    Attributes:
        graph: the stack; its instance has to be one that lasts.
        alert_url: where alerts go.
        finds: days that the next reconciliation finds to differ.
        uncompacted: files that it finds uncompacted.
        truly: it is the real one, and the real checks judge everything.
        cursors: what each sensor remembers.
    """

    graph: Graph
    alert_url: str = ""
    finds: Sequence[str] = ()
    uncompacted: int = 0
    truly: bool = False
    cursors: dict[str, str | None] = field(default_factory=lambda: defaultdict(lambda: None))
    _repositories: dict[bool, RepositoryDefinition] = field(default_factory=dict)

    @property
    def instance(self) -> DagsterInstance:
        """Dagster's."""
        return self.graph.instance

    def resources(self, **changed: Any) -> Mapping[str, Any]:
        """Make the resources of runs and sensors."""
        alerts = AlertResource(url=self.alert_url, ui_url="http://ui.example.org/", storage_url=str(self.graph.folder))
        kept = FilesystemIOManager(base_dir=str(self.graph.folder / "reconciliation"))
        return {**self.graph.resources(**changed), "alerts": alerts, "reconciliation_io_manager": kept}

    def repository(self, **changed: Any) -> RepositoryDefinition:
        """Make what a code location serves; settings change as in `Graph.resources`."""
        told = define_asset_job("reconciliation", selection=["hub_reconciliation"])
        compared, job = (RECONCILIATION, reconciliation) if self.truly else ([self._told()], told)
        everything = [*GRAPH, *WEEKLY, *compared]
        for each in everything:
            if each.keys:
                each.op._retry_policy = RetryPolicy(max_retries=0)
        jobs = [daily_sync, weekly_consolidation, job]
        return Definitions(
            assets=[each for each in everything if each.keys],
            asset_checks=[each for each in everything if not each.keys],
            jobs=jobs,
            sensors=sensors(DefaultSensorStatus.STOPPED, jobs),
            resources=self.resources(**changed),
            executor=in_process_executor,
        ).get_repository_def()

    def _served(self) -> RepositoryDefinition:
        """Make what ticks look at, once: they have resources of their own."""
        if self.truly not in self._repositories:
            self._repositories[self.truly] = self.repository()
        return self._repositories[self.truly]

    def _told(self) -> AssetsDefinition:
        """Make the reconciliation that finds what it is told."""

        @asset(io_manager_key="reconciliation_io_manager")
        def hub_reconciliation(config: ReconciliationConfig) -> Output[pa.Table]:
            told = dict.fromkeys(("missing", "surplus", "duplicated", "moved", "undated"), 0)
            metadata = {**told, "unfolded_files": self.uncompacted, "revision": "0266e555", "deep": config.deep}
            metadata["repo"] = self.graph.repo_id
            return Output(differing(self.finds), metadata=metadata)

        return hub_reconciliation

    def tick(self, name: str, *, keep: bool = True, **changed: Any) -> Any:
        """Let a sensor tick; what it remembers is kept unless it crashes before that."""
        resources = self.resources(**changed)
        resources = {each: resources[each] for each in ("postgres", "alerts", "hub")}
        repository = self._served()
        with build_sensor_context(
            self.instance, self.cursors[name], repository_def=repository, sensor_name=name, resources=resources
        ) as context:
            data = repository.get_sensor_def(name).evaluate_tick(context)
        if keep:
            self.cursors[name] = data.cursor
        return data

    def launch(self, request: RunRequest, **changed: Any) -> bool | None:
        """Run what was requested, as the daemon does.

        Returns:
            Whether it succeeded; None if its run key was there already.
        """
        if self.instance.get_runs(RunsFilter(tags={RUN_KEY: request.run_key or ""})):
            return None
        job = self.repository(**changed).get_job(request.job_name or DAILY)
        tags = {name: value for name, value in request.tags.items() if name != "dagster/partition"}
        return job.execute_in_process(
            instance=self.instance,
            partition_key=request.partition_key,
            run_config=request.run_config,
            tags={**tags, RUN_KEY: request.run_key or ""},
            raise_on_error=False,
        ).success

    def reconcile(self, *, deep: bool = False) -> None:
        """Materialize the reconciliation, as its schedules do."""
        job = self._served().get_job("reconciliation")
        config = {"ops": {"hub_reconciliation": {"config": {"deep": deep}}}}
        assert job.execute_in_process(instance=self.instance, run_config=config).success

    def let_it_run(self, ticks: int, *, failing: str = "", **changed: Any) -> list[list[str]]:
        """Tick all sensors and run what they request, until they request nothing; tell the jobs of each tick.

        Each run succeeds but those of a day that is to fail. Settings change as in `Graph.resources`.
        """
        steps: list[list[str]] = []
        while len(steps) < ticks:
            ticked = [self.tick(name, **changed) for name in (LATE, REPAIR)]
            wanted = [each for data in ticked for each in data.run_requests or []]
            for each in wanted:
                assert self.launch(each, **changed) == (not failing or each.partition_key != failing)
            self.tick(ALERT)
            if not wanted:
                return steps
            steps.append([each.job_name or "" for each in wanted])
        raise AssertionError(f"There is no end: {steps}")

    def judged(self) -> AssetCheckEvaluation:
        """Read what the last reconciliation was judged to be."""
        key = AssetCheckKey(AssetKey("hub_reconciliation"), "hub_matches_postgres")
        record = self.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        assert record.event
        assert record.event.dagster_event
        return record.event.dagster_event.asset_check_evaluation_data

    def switch_on(self, name: str, kind: InstigatorType = InstigatorType.SENSOR) -> InstigatorState:
        """Record that a sensor or schedule runs in a daemon."""
        origin = RemoteInstigatorOrigin(_ORIGIN, name)
        data = ScheduleInstigatorData("0 3 * * *") if kind is InstigatorType.SCHEDULE else None
        return self.instance.add_instigator_state(InstigatorState(origin, kind, InstigatorStatus.RUNNING, data))

    def ticked(self, state: InstigatorState, error: Exception | None = None, *, at: float | None = None) -> None:
        """Record that a tick of it was skipped, or has failed."""
        status = TickStatus.FAILURE if error else TickStatus.SKIPPED
        told = None
        try:
            if error:
                raise error
        except (GovbrAssetsError, RuntimeError):
            told = serializable_error_info_from_exc_info(sys.exc_info())
        identity = state.instigator_origin_id, state.name, state.instigator_type
        when = at or time.time()
        data = TickData(*identity, status, when, error=told, selector_id=state.selector_id)
        self.instance.create_tick(data)

    def begin(self, request: RunRequest, status: DagsterRunStatus = DagsterRunStatus.STARTED) -> DagsterRun:
        """Record a run that was requested and is under way."""
        job = self._served().get_job(request.job_name or DAILY)
        tags = {**request.tags, RUN_KEY: request.run_key or "", "dagster/partition": request.partition_key}
        tags = {name: value for name, value in tags.items() if value}
        origin = RemoteJobOrigin(_ORIGIN, job.name)
        return self.instance.create_run_for_job(job, status=status, tags=tags, remote_job_origin=origin)
