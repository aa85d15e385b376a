"""What a range of days records is what each event stored by itself leaves behind, on SQLite and on PostgreSQL.

Where this fails after an upgrade of Dagster its storages have changed: `defs.event_batch` says what it uses of them.
"""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    EventLogEntry,
    EventRecordsFilter,
    RunRequest,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
    in_process_executor,
    materialize,
)
from sqlalchemy import event
from sqlalchemy.pool import Pool

from govbr_assets.defs.in_process.execute import execute
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.defs.partition_events import Verdicts
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests import processes
from govbr_assets_tests.graph import GRAPH, Graph
from govbr_assets_tests.processes import Wanted
from govbr_assets_tests.test_kills import COMMIT, Killer

DAYS = [f"2026-01-{number}" for number in range(11, 15)]
ASSETS = ["hf_existing_ids", "hf_parquet_shard", "postgres_news_partition"]
CHECKS = sorted(key for each in GRAPH if not each.keys for key in each.check_keys)
OF_DAYS = {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_CHECK_EVALUATION}

IN_SQLITE = "telemetry:\n  enabled: false\n"
IN_POSTGRES = IN_SQLITE + "storage:\n  postgres:\n    postgres_url: {}\n"


@pytest.fixture(params=["postgres", "sqlite"])
def home(request: pytest.FixtureRequest, postgres, tmp_path: Path) -> Iterator[Path]:
    """A home of Dagster, whose records are in PostgreSQL or in SQLite."""
    if request.param == "sqlite":
        (tmp_path / "dagster.yaml").write_text(IN_SQLITE)
        yield tmp_path
    else:
        (tmp_path / "dagster.yaml").write_text(IN_POSTGRES.format(postgres.create_database("dagster_batch")))
        yield tmp_path
        postgres.drop_database("dagster_batch")


@pytest.fixture
def filled(graph: Graph) -> Graph:
    """Days with two rows each, but for one without any."""
    for number, day in enumerate(DAYS):
        if number != 1:
            graph.insert(f"a{number}", f"b{number}", day=day)
    return graph


@pytest.fixture
def connections() -> Iterator[list[Any]]:
    """Collect the connections that are opened."""
    opened: list[Any] = []

    def collect(*connection: Any) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", collect)
    yield opened
    event.remove(Pool, "connect", collect)


def said(entry: EventLogEntry) -> tuple[Any, ...]:
    """Give what an event says, but for when, and of which run."""
    dagster_event = entry.get_dagster_event()
    data = entry.asset_materialization or dagster_event.asset_check_evaluation_data
    partition, metadata = data.partition, data.metadata
    same = (dagster_event.event_type, dagster_event.asset_key, partition, metadata, getattr(data, "passed", None))
    tags = {name: value for name, value in (dagster_event.logging_tags or {}).items() if name != "run_id"}
    return *same, entry.user_message, entry.level, entry.step_key, entry.job_name, tags, dagster_event.step_handle


def recorded(instance: DagsterInstance, run_id: str) -> dict[str, Any]:
    """Give what a run has recorded of days, as Dagster's UI reads it; the last day's is Dagster's own doing."""
    storage = instance.event_log_storage
    logs = instance.all_logs(run_id, of_type=OF_DAYS)
    found: dict[str, Any] = {"log": [said(each) for each in logs if said(each)[2] != DAYS[-1]]}
    for name in ASSETS:
        records = instance.fetch_materializations(AssetKey(name), limit=99).records
        days = [each.partition_key for each in records if each.run_id == run_id]
        (asset,) = instance.get_asset_records([AssetKey(name)])
        last = asset.asset_entry.last_materialization
        assert last
        assert (last.run_id, last.get_dagster_event().partition) == (run_id, DAYS[-1])
        found[name] = days, instance.get_materialized_partitions(AssetKey(name))
    for key in CHECKS:
        history = [each for each in storage.get_asset_check_execution_history(key, limit=99) if each.run_id == run_id]
        current = storage.get_asset_check_partition_info([key])
        found[str(key)] = (
            {each.partition: (each.status, each.event and said(each.event)) for each in history if each.partition},
            {(each.partition_key, each.latest_execution_status, each.is_current) for each in current},
        )
    return found


def test_a_range_records_with_few_connections_what_each_event_by_itself_leaves_behind(
    filled: Graph, home: Path, connections: list[Any], monkeypatch: pytest.MonkeyPatch
):
    exact = {"hf_existing_ids": {"source": "exact"}}  # the viewer's seconds are never the same
    with DagsterInstance.from_config(str(home)) as instance:
        filled.instance = instance
        assert filled.run(DAYS[0], DAYS[-1], checks=False).success
        told, opened = list[dict[str, Any]](), list[int]()
        for size in ("100", "0"):
            monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", size)
            connections.clear()
            result = filled.run(DAYS[0], DAYS[-1], config=exact)
            assert result.success
            opened.append(len(connections))
            told.append(recorded(instance, result.run_id))
    together, alone = told
    assert together == alone
    batches = len(ASSETS) + len(CHECKS)
    events = (len(DAYS) - 1) * batches
    assert len(together["log"]) == events + len(CHECKS)  # a check has one on the whole run
    assert opened[1] - opened[0] >= 2 * events - 6 * batches, "events are not stored together"


def test_a_run_of_the_command_plans_its_days_with_few_connections_as_each_event_by_itself_would(
    home: Path, connections: list[Any], monkeypatch: pytest.MonkeyPatch
):
    days, opened = [f"{number}" for number in range(20)], list[int]()

    @asset(partitions_def=StaticPartitionsDefinition(days))
    def some_days() -> None:
        """Count what planning has opened."""
        opened.append(len(connections))

    jobs = [define_asset_job("all_days", [some_days], executor_def=in_process_executor)]
    job = Definitions(assets=[some_days], jobs=jobs).resolve_job_def("all_days")
    wanted = RunRequest(tags={"dagster/asset_partition_range_start": "0", "dagster/asset_partition_range_end": "19"})
    told = list[list[tuple[str, str]]]()
    with DagsterInstance.from_config(str(home)) as instance:
        execute(job, wanted, instance, RunResult(print))
        opened.clear()
        for size in ("100", "0"):
            monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", size)
            connections.clear()
            result = RunResult(print)
            execute(job, wanted, instance, result)
            assert result.success
            logs = instance.all_logs(result.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
            planned = [each.get_dagster_event() for each in logs]
            told.append(sorted((each.partition or "", each.message or "") for each in planned))
            records = instance.event_log_storage.get_event_records(
                EventRecordsFilter(DagsterEventType.ASSET_MATERIALIZATION_PLANNED, asset_key=some_days.key), limit=20
            )
            assert {(each.run_id, each.partition_key) for each in records} == {(result.run_id, day) for day in days}
    together, alone = told
    assert [day for day, _ in together] == sorted(days)
    assert together == alone
    assert opened[1] - opened[0] >= len(days), "events are not stored together"


def test_days_that_are_published_and_not_recorded_are_found_by_the_next_run_without_a_commit(filled: Graph, home: Path):
    def titles() -> list[str]:
        return [each.title for each in filled.local_hub.store.commits(filled.repo_id)][:-1]

    def materialized() -> set[str]:
        return instance.get_materialized_partitions(AssetKey("hf_parquet_shard"))

    killer, barrier = Killer(), processes.context().Barrier(2)
    filled.local_hub.faults.add(Fault("POST", COMMIT, killer.action, "after", skip=1))
    wanted = Wanted.of(filled, filled.folder, DAYS[0], DAYS[-1], commit_days=2, home=str(home))
    killer.victim = processes.start(wanted, barrier)
    barrier.wait(60)
    assert processes.code_of(killer.victim) == -signal.SIGKILL
    published = titles()
    assert len(published) == 2
    with DagsterInstance.from_config(str(home)) as instance:
        filled.instance = instance
        assert materialized() == set(DAYS[:2])
        result = filled.run(DAYS[0], DAYS[-1], checks=False)
        assert result.success
        assert materialized() == set(DAYS)
        assert titles() == published
        told = filled.metadata(result)
        assert {day: told[day]["published"] for day in DAYS[2:4]} == dict.fromkeys(DAYS[2:4], False)
        assert {day: told[day]["existing_rows"] for day in DAYS[2:4]} == dict.fromkeys(DAYS[2:4], 2)


@pytest.mark.parametrize(("name", "statements"), [("postgres_news_partition", 2), ("hf_parquet_shard", 6)])
def test_a_process_that_is_killed_while_it_records_days_leaves_records_that_the_next_run_completes(
    filled: Graph, home: Path, name: str, statements: int
):
    barrier = processes.context().Barrier(2)
    wanted = Wanted.of(filled, filled.folder, DAYS[0], DAYS[-1], home=str(home), dies=(name, statements))
    victim = processes.start(wanted, barrier)
    barrier.wait(60)
    assert processes.code_of(victim) == -signal.SIGKILL
    with DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_materialized_partitions(AssetKey(name)) != set(DAYS), "it was killed too late"
        filled.instance = instance
        result = filled.run(DAYS[0], DAYS[-1], checks=False)
        assert result.success
        for each in ASSETS:
            assert instance.get_materialized_partitions(AssetKey(each)) == set(DAYS)
            records = instance.fetch_materializations(AssetKey(each), limit=99).records
            assert sorted(one.partition_key or "" for one in records if one.run_id == result.run_id) == DAYS
    assert len(filled.local_hub.store.commits(filled.repo_id)) == 2, "days are published anew"


@asset
def an_asset() -> None:
    """Exist, so that it can be checked."""


@pytest.mark.parametrize("passed", [False, True])
def test_verdicts_are_stored_a_hundred_at_a_time_and_worded_as_dagster_words_its_own(passed: bool):
    kind, stored = DagsterEventType.ASSET_CHECK_EVALUATION, list[int]()

    @asset_check(asset=an_asset)
    def a_check(context: AssetCheckExecutionContext) -> AssetCheckResult:
        def count() -> None:
            stored.append(len(instance.all_logs(context.run.run_id, of_type=kind)))

        with Verdicts(context) as verdicts:
            for number in range(250):
                verdicts.add(f"{number}", {}, passed=passed)
            count()
        count()
        return AssetCheckResult(passed=passed)

    with DagsterInstance.ephemeral() as instance:
        result = materialize([an_asset, a_check], instance=instance)
        logs = instance.all_logs(result.run_id, of_type=kind)
    assert stored == [200, 250]
    assert len({each.get_dagster_event().message for each in logs}) == 1, "the last one is Dagster's own"
    assert len(logs) == 251
