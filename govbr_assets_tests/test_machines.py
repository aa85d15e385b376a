"""Several machines on one dataset: what they share is a bucket, Dagster's PostgreSQL, and the Hub."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
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


PASSED_ON = ("AWS_", "GOVBR_", "HF_ENDPOINT", "HF_TOKEN")
"""What a container gets beside what the example passes on: the settings that a test has more than production."""


def settings(graph: Graph, s3: S3, dagster_url: str) -> dict[str, str]:
    """Name what machines have in common."""
    return {
        **s3.environment,
        "DAGSTER_POSTGRES_URL": dagster_url,
        **graph.settings,
        "GOVBR_STORAGE_URL": f"{s3.url}/machines",
    }


def launch(instance: DagsterInstance) -> DagsterRun:
    """Let the launcher of an instance start a run of the day."""
    code = ReconstructableRepository.for_module("govbr_assets", "code_location", str(DEPLOY.parent))
    job = code.get_reconstructable_job("daily_sync")
    run = instance.create_run_for_job(
        job.get_definition(), tags={"dagster/partition": DAY}, job_code_origin=job.get_python_origin()
    )
    instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))
    return run


def test_a_run_whose_container_is_gone_is_seen_and_goes_on_on_another_machine(
    graph: Graph, s3: S3, dagster_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    graph.insert("a", "b")
    shared = settings(graph, s3, dagster_url)
    one, other = tmp_path / "one", tmp_path / "other"
    for home in (one, other):
        home.mkdir()
    told = yaml.safe_load((DEPLOY / "dagster-docker.yaml").read_text())
    passed_on = told["run_launcher"]["config"]["env_vars"]
    passed_on += {name for name in shared if name.startswith(PASSED_ON)} - set(passed_on)
    (one / "dagster.yaml").write_text(yaml.safe_dump(told))
    shutil.copy(DEPLOY / "dagster.yaml", other)
    with docker_served(one) as engine, monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{engine.server_port}")
        for name, value in {**shared, "GOVBR_IMAGE": "govbr-assets:latest", "GOVBR_NETWORK": "govbr"}.items():
            patch.setenv(name, value)
        graph.local_hub.faults.add(Fault("POST", COMMIT, call(lambda: engine.running["c0"].kill())))
        with DagsterInstance.from_config(str(one)) as instance:
            run = launch(instance)
            assert engine.running["c0"].wait(120) == -signal.SIGKILL
            (gone,) = instance.get_runs(RunsFilter(run_ids=[run.run_id]))
            assert gone.status is DagsterRunStatus.STARTED
            assert instance.run_launcher.check_run_worker_health(gone).status is WorkerStatus.NOT_FOUND
        asked = engine.created["c0"]
    assert asked["Image"] == "govbr-assets:latest"
    assert asked["HostConfig"]["NetworkMode"] == "govbr"
    shutil.rmtree(one)
    graph.execute("DELETE FROM news")  # what the other machine publishes is what this one had read

    command = [sys.executable, "-m", "govbr_assets_tests.machine"]
    environment = {**os.environ, **shared, "DAGSTER_HOME": str(other)}
    done = subprocess.run(command, env=environment, cwd=DEPLOY.parent, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    resumed = json.loads(done.stdout.splitlines()[-1])
    assert resumed["success"]
    assert "hf_parquet_shard" in resumed["steps"]
    assert not {"postgres_news_partition", "hf_existing_ids"} & set(resumed["steps"])
    assert graph.ids() == {f"data/train-{DAY}.parquet": ["a", "b"]}
    left = {path.name.partition(".")[2] for path in other.rglob("*") if path.is_file()}
    assert left <= {"yaml", "out", "err", "complete"}, "more than the configuration and what the process said"


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
    assert [processes.code_of(each, 240) for each in runs] == [PUBLISHED] * RUNS
    assert 412 in [each.status for each in graph.local_hub.faults.seen("POST", COMMIT)]
    scene.check_history()
    scene.check_complete(days)
    scene.check_shards(days)
    made = [each.title for each in graph.local_hub.store.commits(graph.repo_id) if each.title.startswith("Publish")]
    assert len(made) == len(days) / DAYS_A_COMMIT
