"""The production configurations: Dagster's own storage in PostgreSQL, here the embedded one, and launchers of runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dagster import AssetKey, DagsterInstance

from govbr_assets.defs.jobs import daily_sync
from govbr_assets_tests.graph import Graph

DEPLOY = Path(__file__).parents[1] / "deploy"


CONFIGURATIONS = ["dagster-cloud-run.yaml", "dagster-docker.yaml", "dagster.yaml"]


@pytest.fixture
def dagster_url(postgres) -> Iterator[str]:
    yield postgres.create_database("dagster_storage")
    postgres.drop_database("dagster_storage")


@pytest.fixture
def instance(dagster_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", dagster_url)
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_a_day_is_recorded_in_postgres_as_in_production(graph: Graph, instance: DagsterInstance):
    graph.insert("a")
    graph.instance = instance
    assert graph.run("2026-01-15").success
    assert graph.instance.get_materialized_partitions(AssetKey("hf_parquet_shard")) == {"2026-01-15"}
    url = instance.event_log_storage.postgres_url  # pyright: ignore[reportAttributeAccessIssue]
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event_logs WHERE asset_key IS NOT NULL")
        assert cursor.fetchall()[0][0] > 0


def test_production_limits_how_long_and_how_many_runs_are_and_gives_each_sensor_a_thread(instance: DagsterInstance):
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_runtime_seconds == 6 * 3600
    queue = instance.get_concurrency_config().run_queue_config
    assert queue
    assert queue.max_concurrent_runs == 3
    assert instance.get_sensor_settings()["use_threads"]


LOAD = """
import json, sys
from dagster import DagsterInstance
with DagsterInstance.from_config(sys.argv[1]) as instance:
    launcher, queue = instance.run_launcher, instance.get_concurrency_config().run_queue_config
    told = [type(launcher).__name__, launcher.supports_check_run_worker_health, instance.run_retries_max_retries]
    print(json.dumps([*told, queue.max_concurrent_runs, instance.run_storage.postgres_url]))
"""


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    """A key that nobody has given out: the clients of Cloud Run are made with one, and ask nobody before they run."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key": pem.decode()}
    (tmp_path / "account.json").write_text(json.dumps({**account, "token_uri": "http://127.0.0.1:1/token"}))
    return tmp_path / "account.json"


def test_the_configuration_for_cloud_run_loads_with_nothing_set_but_what_it_names(
    dagster_url: str, service_account: Path, tmp_path: Path
):
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "dagster-cloud-run.yaml").read_text())
    environment = {
        "PATH": "/usr/bin:/bin",
        "DAGSTER_POSTGRES_URL": dagster_url,
        "GOOGLE_CLOUD_PROJECT": "my-project",
        "GOOGLE_CLOUD_REGION": "southamerica-east1",
        "GOOGLE_APPLICATION_CREDENTIALS": str(service_account),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["CloudRunRunLauncher", True, 2, 3, dagster_url]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_configuration_ends_a_run_before_the_jobs_do(name: str):
    told = yaml.safe_load((DEPLOY / name).read_text())
    limit = int((daily_sync.tags or {})["dagster/max_runtime"])
    assert told["run_monitoring"]["max_runtime_seconds"] == limit
    assert told.get("run_launcher", {}).get("config", {}).get("run_timeout", limit) == limit
