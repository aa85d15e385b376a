"""Automation as it is deployed: one setting, Dagster's own daemon, and nobody who looks."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from govbr_assets.dataset.changeset import SourceRevision
from govbr_assets_tests import stranger
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.defs.test_sensors import LATE, RANGE
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.tables import encode, shard
from govbr_assets_tests.test_cli import ROOT

RECONCILIATION = AssetKey("hub_reconciliation")
NEWEST_DAY = AssetCheckKey(AssetKey("hf_parquet_shard"), "newest_day_is_published")
ELSEWHERE = "data/train-2020-02-02.parquet"  # a file that somebody else puts into the full dataset
BY_LATE_NEWS = {"govbr_assets/requested_by": LATE}
A_MINUTE = 60  # seconds, in which the reduced dataset follows
_PATIENCE = 240  # seconds, in which all of it is over many times


@contextmanager
def daemon(graph: Graph, home: Path, **settings: str) -> Iterator[None]:
    """Run Dagster's daemon on the stack, with everything switched on."""
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    told = {
        "DAGSTER_HOME": str(home),
        **graph.settings,
        "GOVBR_STORAGE_URL": str(graph.folder),
        "GOVBR_AUTOMATION": "on",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster._daemon", "run", "-m", "govbr_assets", "--log-level", "warning"],
        env={**os.environ, **told, **settings},
        cwd=home,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    until = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.5)


def freshness(instance: DagsterInstance) -> set[FreshnessState]:
    """Read what the UI shows of how fresh the reconciliation is."""
    return {each.freshness_state for each in instance.get_freshness_state_records([RECONCILIATION]).values()}


def is_judged(instance: DagsterInstance) -> bool:
    """Say whether the UI shows that the newest day is there."""
    found = instance.event_log_storage.get_asset_check_execution_history(NEWEST_DAY, limit=9)
    return AssetCheckExecutionRecordStatus.SUCCEEDED in {each.status for each in found}


def mirrored(graph: Graph, reduced: str) -> str:
    """Read which revision of the full dataset the reduced one says to mirror; empty if it is not there."""
    store = graph.local_hub.store
    commits = store.commits(reduced) if stranger.exists(store, reduced) else []
    named = [SourceRevision.parse(each.description) for each in commits]
    return next((each.revision for each in named if each), "")


@pytest.mark.timeout(600)
def test_late_days_are_published_and_a_failed_one_is_told_by_one_setting_alone(
    graph: Graph,
    tmp_path: Path,
    receiver: Receiver,  # noqa: F811
):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-01-18")
    graph.insert("bad", day="2026-06-01")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'bad'")
    home, reduced, store = tmp_path / "home", f"{graph.repo_id}-reduced", graph.local_hub.store
    settings = {"GOVBR_ALERT_URL": receiver.url, "GOVBR_REDUCED_REPO_ID": reduced}
    with daemon(graph, home, GOVBR_UI_URL="http://ui.example.org", **settings):
        wait_for(lambda: bool(receiver.messages))
        wait_for(lambda: set(graph.ids()) == {"data/train-2026-01-15.parquet", "data/train-2026-01-18.parquet"})
        with DagsterInstance.from_config(str(home)) as instance:
            assert instance.run_monitoring_enabled  # or nobody looks how long a run takes
            done = RunsFilter(tags=BY_LATE_NEWS, statuses=[DagsterRunStatus.SUCCESS])
            wait_for(lambda: instance.get_runs_count(done) == 1)
            wait_for(lambda: is_judged(instance))
            runs = {each.status: each for each in instance.get_runs(RunsFilter(tags=BY_LATE_NEWS))}
            compared = RunsFilter(job_name="reconciliation", statuses=[DagsterRunStatus.SUCCESS])
            wait_for(lambda: instance.get_runs_count(compared) > 0)  # the first one, which the repair asks for
            wait_for(lambda: FreshnessState.PASS in freshness(instance))
            wait_for(lambda: mirrored(graph, reduced) == store.head(graph.repo_id))
            began = time.monotonic()
            stranger.write(store, graph.repo_id, {ELSEWHERE: encode(shard(["of somebody else"]))})
            wait_for(lambda: ELSEWHERE in store.tree(reduced))
            assert time.monotonic() - began < A_MINUTE
            assert stranger.read(store.tree(reduced)[ELSEWHERE])["title"].to_pylist() == ["Title of of somebody else"]
    published, failed = runs[DagsterRunStatus.SUCCESS], runs[DagsterRunStatus.FAILURE]
    assert [published.tags[name] for name in RANGE] == ["2026-01-15", "2026-01-18"]
    assert published.tags["dagster/max_runtime"] == "21600"
    (message,) = [each for each in receiver.messages if each["run_id"] == failed.run_id]
    assert message["partition"] == "2026-06-01"
    assert message["link"] == f"http://ui.example.org/runs/{failed.run_id}"
