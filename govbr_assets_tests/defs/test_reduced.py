"""The reduced dataset in Dagster: it follows in the same run, and what it fails at is told and harms nobody else."""

import os
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest
from dagster import (
    AssetKey,
    AssetRecordsFilter,
    AssetSelection,
    DefaultSensorStatus,
    Definitions,
    ExecuteInProcessResult,
    RetryPolicy,
    RunRequest,
    build_sensor_context,
    materialize,
)

from govbr_assets.definitions import defs
from govbr_assets.defs import jobs
from govbr_assets.defs.assets.reduced import reduced_dataset
from govbr_assets.defs.checks.reduced import reduced_matches_full
from govbr_assets.defs.sensors import sensors
from govbr_assets.errors import ConfigurationError
from govbr_assets.local.hub.actions import answer
from govbr_assets.local.hub.faults import Fault
from govbr_assets.publications import REDUCED
from govbr_assets_tests import stranger
from govbr_assets_tests.graph import Graph

KEY, SENSOR = AssetKey("reduced_dataset"), "reduced_dataset_sensor"
DAYS = ("2026-01-14", "2026-01-15")
LOAD = """
from govbr_assets.definitions import defs
repository = defs.get_repository_def()
print([each.name for each in repository.sensor_defs if "reduced" in each.name][0])
print(max(repository.asset_graph.get_all_asset_keys(), key=lambda key: "reduced" in str(key)).path[0])
print([key.name for key in repository.asset_graph.asset_check_keys if "reduced" in key.name][0])
print([each.name for each in repository.get_all_jobs() if "reduced" in each.name][0])
print([each.name for each in repository.schedule_defs if "reduced" in each.name][0])
"""


class Sibling:
    """The graph with a reduced dataset."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.repo_id, self.store = graph, f"{graph.repo_id}-reduced", graph.local_hub.store
        self.settings: dict[str, Any] = {"reduced_repo_id": self.repo_id}

    def materialize(self, selection: AssetSelection | None = None, **config: Any) -> ExecuteInProcessResult:
        reduced_dataset.op._retry_policy = RetryPolicy(max_retries=0)
        return materialize(
            [reduced_dataset, reduced_matches_full],
            selection=selection,
            instance=self.graph.instance,
            resources=self.graph.resources(**self.settings),
            raise_on_error=False,
            run_config={"ops": {"reduced_dataset": {"config": config}}} if config else None,
        )

    def passed(self) -> bool:
        result = self.materialize(AssetSelection.checks(reduced_matches_full))
        (verdict,) = result.get_asset_check_evaluations()
        return verdict.passed

    def titles(self) -> list[str]:
        tree = self.store.tree(self.repo_id, "main")
        tables = [stranger.read(blob) for path, blob in sorted(tree.items()) if path.startswith("data/")]
        assert all(table.schema == REDUCED.spec.schema for table in tables)
        return [title for table in tables for title in table["title"].to_pylist()]

    def tick(self) -> list[RunRequest]:
        hub = self.graph.resources(**self.settings)["hub"]
        repository = Definitions(
            assets=[reduced_dataset],
            jobs=[jobs.reduced_sync],
            sensors=sensors(DefaultSensorStatus.STOPPED, [jobs.reduced_sync]),
            resources={"hub": hub, "postgres": hub, "alerts": hub},
        ).get_repository_def()
        with build_sensor_context(
            self.graph.instance, repository_def=repository, sensor_name=SENSOR, resources={"hub": hub}
        ) as context:
            return list(repository.get_sensor_def(SENSOR).evaluate_tick(context).run_requests or [])

    @property
    def observations(self) -> list[str]:
        records = self.graph.instance.fetch_observations(AssetRecordsFilter(KEY), limit=9).records
        return [each.asset_observation.description or "" for each in records if each.asset_observation]


@pytest.fixture
def sibling(graph: Graph) -> Sibling:
    for day in DAYS:
        graph.insert(f"of-{day}", day=day)
    return Sibling(graph)


def test_it_follows_in_the_run_that_publishes_days_compacts_or_rolls_back(sibling: Sibling):
    graph = sibling.graph
    assert graph.run(DAYS[0], checks=False, **sibling.settings).success
    assert sibling.titles() == [f"Title of of-{DAYS[0]}"]
    first = graph.head.revision
    made = graph.instance.get_latest_materialization_event(KEY)
    assert made
    assert made.asset_materialization
    assert made.asset_materialization.metadata["source_revision"].value == first
    assert made.asset_materialization.metadata["dagster/row_count"].value == 1
    assert graph.run(*DAYS, checks=False, **sibling.settings).success
    assert len(sibling.titles()) == 2
    assert sibling.tick() == []
    assert graph.compact(checks=False, **sibling.settings).success
    (tag,) = sibling.store.history(sibling.repo_id).tags.all().values()
    assert tag.sha == sibling.store.head(sibling.repo_id)
    assert {tag.name} == {*sibling.store.history(graph.repo_id).tags.all()}
    assert [path for path in sibling.store.tree(sibling.repo_id, "main") if "data/" in path] == [
        "data/train-2026-00.parquet"
    ]
    resources = {"hub": graph.resources(**sibling.settings)["hub"]}
    config = {"ops": {"put_data_files_back": {"config": {"revision": first}}}}
    assert jobs.rollback.execute_in_process(run_config=config, resources=resources, instance=graph.instance).success
    assert sibling.titles() == [f"Title of of-{DAYS[0]}"]
    assert sibling.passed()


def test_its_failure_is_told_and_harms_nobody_and_the_next_run_catches_up(sibling: Sibling):
    graph = sibling.graph
    assert graph.run(DAYS[0], checks=False, **sibling.settings).success
    graph.local_hub.faults.add(Fault("POST", rf"{sibling.repo_id}/commit/main$", answer(403, "no"), times=9))
    result = graph.run(DAYS[1], checks=False, **sibling.settings)
    assert result.success
    assert len(graph.ids()) == 2
    assert len(graph.metadata(result)) == 1
    (told,) = sibling.observations
    assert "The reduced dataset does not follow yet: " in told
    assert sibling.repo_id in told
    graph.local_hub.faults.clear()
    assert not sibling.passed()
    (wanted,) = sibling.tick()
    assert wanted.job_name == "reduced_sync"
    (again,) = sibling.tick()
    assert again.run_key == wanted.run_key
    before = sibling.store.head(sibling.repo_id)
    assert sibling.materialize(dry_run=True).success
    assert sibling.store.head(sibling.repo_id) == before
    result = sibling.materialize()
    assert result.success
    (verdict,) = result.get_asset_check_evaluations()
    assert verdict.passed
    assert sibling.tick() == []
    stranger.write(sibling.store, graph.repo_id, {"data/train-2026-01-15.parquet": None})
    assert sibling.tick()
    assert not sibling.passed()
    assert sibling.materialize().success
    stranger.write(
        sibling.store, sibling.repo_id, {"data/train-2026-01-14.parquet": None, "data/train-x.parquet": theirs()}
    )
    assert sibling.tick()
    assert not sibling.passed()
    assert sibling.materialize().success
    assert sibling.passed()


def theirs() -> bytes:
    return stranger.as_others_write(pa.table({"url": ["x"]}))


def test_without_the_setting_there_is_none_and_a_wrong_one_is_named(sibling: Sibling):
    graph = sibling.graph
    assert graph.run(DAYS[0], checks=False).success
    assert not stranger.exists(sibling.store, sibling.repo_id)
    for wrong, words in ((graph.repo_id.upper(), "as GOVBR_REPO_ID is"), ("reduced", "write namespace/name")):
        with pytest.raises(ConfigurationError, match=f"GOVBR_REDUCED_REPO_ID is .*{words}"):
            graph.resources(reduced_repo_id=wrong)["hub"].reduced_dataset()
    assert SENSOR not in [each.name for each in defs.sensors or []]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GOVBR_")}
    environment["GOVBR_REDUCED_REPO_ID"] = "org/reduced"
    told = subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() == [
        SENSOR,
        "reduced_dataset",
        "reduced_matches_full",
        "reduced_sync",
        "daily_reduced_schedule",
    ]
