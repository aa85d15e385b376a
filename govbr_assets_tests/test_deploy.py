"""The production configuration: Dagster's own storage in PostgreSQL, here the embedded one."""

from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pytest
from dagster import AssetKey, DagsterInstance

from govbr_assets_tests.graph import Graph

DEPLOY = Path(__file__).parents[1] / "deploy"


@pytest.fixture
def instance(postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = postgres.create_database("dagster_storage")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance
    postgres.drop_database("dagster_storage")


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
