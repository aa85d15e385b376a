"""Several machines on one dataset: what they share is a bucket, Dagster's PostgreSQL, and the Hub."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus

from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests import processes
from govbr_assets_tests.docker_engine import docker_served
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.object_stores import S3, s3_served
from govbr_assets_tests.processes import PUBLISHED, Wanted
from govbr_assets_tests.scenes import Scene
from govbr_assets_tests.test_deploy import DEPLOY
from govbr_assets_tests.test_kills import COMMIT

DAY = "2026-01-15"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_served() as s3:
        yield s3


@pytest.fixture
def dagster_url(postgres) -> Iterator[str]:
    yield postgres.create_database("dagster_machines")
    postgres.drop_database("dagster_machines")


class Machine:
    """A machine with a home of its own, and the settings that all have.

    Args:
        home: of Dagster.
        graph: what it works on.
        s3: where the bucket is.
        dagster_url: Dagster's PostgreSQL.
    """

    def __init__(self, home: Path, graph: Graph, s3: S3, dagster_url: str) -> None:
        home.mkdir()
        shutil.copy(DEPLOY / "dagster.yaml", home)
        self.home, self._log = home, home.with_suffix(".log")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **s3.environment,
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": dagster_url,
            "GOVBR_POSTGRES_URL": graph.postgres_url,
            "GOVBR_REPO_ID": graph.repo_id,
            "GOVBR_STORAGE_URL": f"{s3.url}/machines",
            "GOVBR_VIEWER_URL": graph.local_viewer.url,
            "HF_ENDPOINT": graph.local_hub.endpoint,
            "HF_TOKEN": graph.local_hub.write_token,
        }

    def start(self, what: str) -> subprocess.Popen[str]:
        """Start a run of a day, or what is left of the last one."""
        command = [sys.executable, "-m", "govbr_assets_tests.machine", what]
        with self._log.open("w") as log:
            return subprocess.Popen(
                command, env=self.environment, cwd=DEPLOY.parent, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def told(self, process: subprocess.Popen[str]) -> dict:
        """Wait for a run, and return what its process says."""
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, self._log.read_text()[-3000:]
        return json.loads(said.splitlines()[-1])


def test_a_run_whose_machine_is_gone_goes_on_on_another(graph: Graph, s3: S3, dagster_url: str, tmp_path: Path):
    graph.insert("a", "b")
    one, other = (Machine(tmp_path / name, graph, s3, dagster_url) for name in ("one", "other"))
    begun: list[subprocess.Popen[str]] = []
    graph.local_hub.faults.add(Fault("POST", COMMIT, call(lambda: begun[0].kill())))
    begun.append(one.start(DAY))
    begun[0].communicate(timeout=120)
    assert begun[0].returncode < 0, "it was not killed"
    shutil.rmtree(one.home)
    graph.execute("DELETE FROM news")  # what the other machine publishes is what this one had read

    told = other.told(other.start("resume"))

    assert told["success"]
    assert "hf_parquet_shard" in told["steps"]
    assert not {"postgres_news_partition", "hf_existing_ids"} & set(told["steps"])
    assert graph.ids() == {f"data/train-{DAY}.parquet": ["a", "b"]}
    left = {path.name.partition(".")[2] for path in other.home.rglob("*") if path.is_file()}
    assert left <= {"yaml", "out", "err", "complete"}, "more than the configuration and what the process said"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_POSTGRES_URL", dagster_url)
        with DagsterInstance.from_config(str(other.home)) as instance:
            assert instance.get_materialized_partitions(AssetKey("hf_parquet_shard")) == {DAY}


PASSED_ON = ("AWS_", "GOVBR_", "HF_ENDPOINT", "HF_TOKEN")


def test_a_run_in_a_container_has_all_it_needs_and_one_whose_container_is_killed_is_seen(
    graph: Graph, s3: S3, dagster_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    graph.insert("a", "b")
    machine = Machine(tmp_path / "daemon", graph, s3, dagster_url)
    told = yaml.safe_load((DEPLOY / "dagster-docker.yaml").read_text())
    passed_on = told["run_launcher"]["config"]["env_vars"]
    passed_on += {name for name in machine.environment if name.startswith(PASSED_ON)} - set(passed_on)
    (machine.home / "dagster.yaml").write_text(yaml.safe_dump(told))
    origin = ReconstructableRepository.for_module("govbr_assets", "code_location", str(DEPLOY.parent))
    job = origin.get_reconstructable_job("daily_sync")
    with docker_served(tmp_path) as engine, monkeypatch.context() as patch:
        docker = {"DOCKER_HOST": f"tcp://127.0.0.1:{engine.server_port}", "GOVBR_IMAGE": "govbr-assets:latest"}
        for name, value in {**machine.environment, **docker, "GOVBR_NETWORK": "govbr"}.items():
            patch.setenv(name, value)
        with DagsterInstance.from_config(str(machine.home)) as instance:

            def launched() -> DagsterRun:
                run = instance.create_run_for_job(
                    job.get_definition(), tags={"dagster/partition": DAY}, job_code_origin=job.get_python_origin()
                )
                instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))
                for process in engine.running.values():
                    process.wait(120)
                (found,) = instance.get_runs(RunsFilter(run_ids=[run.run_id]))
                return found

            assert launched().is_success
            assert graph.ids() == {f"data/train-{DAY}.parquet": ["a", "b"]}
            graph.insert("c")
            kill = call(lambda: list(engine.running.values())[-1].kill())
            graph.local_hub.faults.add(Fault("POST", COMMIT, kill))
            gone = launched()
            assert gone.status is DagsterRunStatus.STARTED
            assert instance.run_launcher.check_run_worker_health(gone).status is WorkerStatus.NOT_FOUND
        first = next(iter(engine.created.values()))
    assert first["Image"] == "govbr-assets:latest"
    assert first["HostConfig"]["NetworkMode"] == "govbr"
    assert first["HostConfig"]["AutoRemove"]


RUNS, DAYS_EACH, DAYS_A_COMMIT = 4, 8, 4


def test_a_range_in_four_runs_at_once_is_right_and_has_the_commits_of_one_run(graph: Graph):
    days = [f"2026-01-{number:02}" for number in range(1, RUNS * DAYS_EACH)] + ["2026-02-01"]
    assert len(days) == RUNS * DAYS_EACH
    for number, day in enumerate(days):
        graph.insert(f"a{number}", f"b{number}", day=day)
    scene, barrier = Scene(graph), processes.context().Barrier(RUNS)
    parts = [days[start : start + DAYS_EACH] for start in range(0, len(days), DAYS_EACH)]
    runs = [
        processes.start(Wanted.of(graph, graph.folder, part[0], part[-1], DAYS_A_COMMIT, patience="5"), barrier)
        for part in parts
    ]
    assert [processes.code_of(each) for each in runs] == [PUBLISHED] * RUNS
    assert 412 in [each.status for each in graph.local_hub.faults.seen("POST", COMMIT)]
    scene.check_history()
    scene.check_complete(days)
    scene.check_shards(days)
    made = [each.title for each in graph.local_hub.store.commits(graph.repo_id) if each.title.startswith("Publish")]
    assert len(made) == len(days) / DAYS_A_COMMIT
