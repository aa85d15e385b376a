"""Runs whose process is gone are not waited for, ended and told of once; those that live or wait their turn are not."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from govbr_assets.definitions import defs
from govbr_assets.defs import executor
from govbr_assets.defs.sensors.silent_runs import is_silent
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.defs.test_sensors import A_RUN, ALERT, LATE, REPAIR, Clock, automation, days  # noqa: F401
from govbr_assets_tests.processes import Wanted, code_of, start

QUARTER = timedelta(minutes=15, seconds=5)
BEGUN = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let a quarter of an hour pass for the sensors, and a minute in which a slow machine begins the runs."""
    now = datetime.now(UTC) + QUARTER + timedelta(minutes=1)
    for room in ("alerts", "run_requests"):
        monkeypatch.setattr(f"govbr_assets.defs.sensors.{room}.datetime", Clock(now))
    return now


def status(automation: Automation, run) -> DagsterRunStatus:  # noqa: F811
    return automation.instance.get_runs(RunsFilter(run_ids=[run.run_id]))[0].status


def daemon_ticked(automation: Automation, ticks: int, first: datetime) -> None:  # noqa: F811
    """Record that the daemon has run the alert sensor some times, a second apart."""
    watch = automation.switch_on(ALERT)
    for second in range(ticks):
        automation.ticked(watch, at=first.timestamp() + second)


@pytest.mark.parametrize("before", BEGUN)
def test_a_run_that_a_power_cut_left_behind_is_ended_and_told_of_once(
    automation: Automation,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    before: DagsterRunStatus,
):
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    run = automation.begin(A_RUN, before)
    automation.tick(ALERT)
    assert (status(automation, run), receiver.messages) == (before, [])
    monkeypatch.setattr("govbr_assets.defs.sensors.alerts.datetime", Clock(datetime.now(UTC) + QUARTER))
    for _ in range(3):
        automation.tick(ALERT)
    assert status(automation, run) == DagsterRunStatus.FAILURE
    (message,) = receiver.messages
    assert f"The run was {before.value} and has given no sign of life for 15 minutes" in message["error"]
    assert (message["run_id"], message["partition"]) == (run.run_id, "2026-01-15")


def test_after_a_real_kill_in_the_middle_of_a_commit_the_run_is_ended_and_the_next_one_publishes(
    automation: Automation,  # noqa: F811
    dagster_home: Path,
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    automation.alert_url, graph = receiver.url, automation.graph
    graph.insert("a")
    automation.tick(ALERT)
    process = start(Wanted.of(graph, graph.folder, "2026-01-15", home=str(dagster_home)))
    graph.local_hub.faults.add(Fault("POST", "/commit/", call(process.kill)))
    assert code_of(process) == -9
    (run,) = automation.instance.get_runs()
    assert run.status == DagsterRunStatus.STARTED
    monkeypatch.setattr("govbr_assets.defs.sensors.alerts.datetime", Clock(datetime.now(UTC) + QUARTER))
    automation.tick(ALERT)
    automation.tick(ALERT)
    assert status(automation, run) == DagsterRunStatus.FAILURE
    assert [each["run_id"] for each in receiver.messages] == [run.run_id]
    assert graph.run("2026-01-15").success
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a"]}


def test_runs_of_schedules_and_by_hand_are_ended_too_without_an_address_for_alerts(
    automation: Automation,  # noqa: F811
    later: datetime,
):
    job = automation.repository().get_job("reconciliation")
    runs = [
        automation.instance.create_run_for_job(job, status=DagsterRunStatus.STARTED, tags=tags)
        for tags in ({"dagster/schedule_name": "daily_reconciliation_schedule"}, {})
    ]
    automation.tick(ALERT)
    assert {status(automation, run) for run in runs} == {DagsterRunStatus.FAILURE}


def test_sensors_do_not_wait_for_a_silent_run_even_before_it_is_ended(
    automation: Automation,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    for month in (1, 2, 3):
        automation.graph.insert(f"id{month}", day=f"2025-{month:02}-15")
    for each in automation.tick(LATE).run_requests:
        automation.begin(each, DagsterRunStatus.STARTING)
    assert days(automation.tick(LATE)) == []
    automation.finds = ["2026-01-15"]
    automation.reconcile()
    automation.begin(automation.tick(REPAIR).run_requests[0])
    assert automation.tick(REPAIR).skip_message == "1 runs of the repair are under way."
    monkeypatch.setattr("govbr_assets.defs.sensors.run_requests.datetime", Clock(datetime.now(UTC) + QUARTER))
    assert days(automation.tick(LATE)) == ["2025-03-15"]
    assert automation.tick(REPAIR).run_requests[0].job_name == "reconciliation"


def test_a_run_that_has_said_something_meanwhile_is_waited_for(automation: Automation, later: datetime):  # noqa: F811
    run = automation.begin(A_RUN)
    automation.instance.report_engine_event("At work.", run)
    assert status(automation, run) == DagsterRunStatus.STARTED
    (record,) = automation.instance.get_run_records(RunsFilter(run_ids=[run.run_id]))
    assert not is_silent(automation.instance, record, later - timedelta(minutes=2))
    assert is_silent(automation.instance, record, later)


def test_a_queued_run_waits_its_turn_while_another_is_under_way(
    automation: Automation,  # noqa: F811
    later: datetime,
):
    daemon_ticked(automation, 30, later - timedelta(minutes=10))
    queued = automation.begin(A_RUN, DagsterRunStatus.QUEUED)
    other = automation.begin(A_RUN)
    automation.instance.report_engine_event("At work.", other)
    automation.tick(ALERT)
    assert status(automation, queued) == DagsterRunStatus.QUEUED


def test_a_queued_run_waits_when_the_daemon_has_only_just_come_back(
    automation: Automation,  # noqa: F811
    later: datetime,
):
    daemon_ticked(automation, 3, later - timedelta(minutes=1))
    queued = automation.begin(A_RUN, DagsterRunStatus.QUEUED)
    automation.tick(ALERT)
    assert status(automation, queued) == DagsterRunStatus.QUEUED


def test_a_queued_run_waits_after_a_dead_one_before_it_was_ended(automation: Automation, later: datetime):  # noqa: F811
    daemon_ticked(automation, 30, later - timedelta(minutes=10))
    queued, dead = automation.begin(A_RUN, DagsterRunStatus.QUEUED), automation.begin(A_RUN)
    automation.tick(ALERT)
    assert (status(automation, queued), status(automation, dead)) == (
        DagsterRunStatus.QUEUED,
        DagsterRunStatus.FAILURE,
    )


def test_a_queued_run_that_nobody_begins_though_nothing_is_under_way_is_ended_and_told_of(
    automation: Automation,  # noqa: F811
    later: datetime,
    receiver: Receiver,  # noqa: F811
):
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    daemon_ticked(automation, 30, later - timedelta(minutes=10))
    queued = automation.begin(A_RUN, DagsterRunStatus.QUEUED)
    automation.tick(ALERT)
    assert status(automation, queued) == DagsterRunStatus.FAILURE
    assert "The run was QUEUED" in receiver.messages[0]["error"]


def test_a_run_gives_a_sign_of_life_while_a_step_is_silent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(executor, "_EVERY", 0.05)
    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(defs.resolve_job_def("reconciliation"))
        with executor._signs_of_life(instance, run):
            until = time.monotonic() + 30
            while not _signs(instance, run) and time.monotonic() < until:
                time.sleep(0.01)
        signs = _signs(instance, run)
        assert signs
        time.sleep(0.2)
        assert _signs(instance, run) <= signs + 1


def test_every_job_has_the_executor_that_gives_signs_of_life_and_a_limit():
    jobs = [
        defs.resolve_job_def(name)
        for name in ("daily_sync", "weekly_consolidation", "reconciliation", "rollback", "migrate_schema")
    ]
    assert {each.executor_def.executor_creation_fn for each in jobs} == {
        executor.living_in_process_executor.executor_creation_fn
    }
    assert {each.tags["dagster/max_runtime"] for each in jobs} == {"21600"}


def _signs(instance: DagsterInstance, run) -> int:
    return sum(each.message == "At work." for each in instance.all_logs(run.run_id))
