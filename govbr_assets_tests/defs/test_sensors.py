"""The sensors on a real PostgreSQL, Hub and Dagster instance: what they request arrives on the Hub, and no more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance, DefaultScheduleStatus, DefaultSensorStatus
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.days import Day
from govbr_assets.definitions import automation as choice
from govbr_assets.definitions import defs
from govbr_assets.defs.decisions.requests import request
from govbr_assets.defs.resources import PostgresResource
from govbr_assets.defs.schedules import schedules
from govbr_assets.defs.sensors import sensors
from govbr_assets.errors import AlertRefusedError, ConfigurationError, SourceUnavailableError
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.automation import ALERT, LATE, REPAIR, Automation
from govbr_assets_tests.graph import Graph

YESTERDAY = str(Day(Day.at(datetime.now(UTC)).date - timedelta(days=1)))
TODAY = str(Day.at(datetime.now(UTC)))
A_RUN = request("daily_sync", "a key", LATE, DateRange.of("2026-01-15"))
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@pytest.fixture
def automation(graph: Graph, dagster_home: Path) -> Iterator[Automation]:
    with DagsterInstance.local_temp(str(dagster_home)) as instance:
        graph.instance = instance
        yield Automation(graph)


def days(data) -> list[str]:
    """Name the days of what a tick requests."""
    return [each.partition_key or "..".join(each.tags.get(name, "") for name in RANGE) for each in data.run_requests]


def hub_ids(graph: Graph) -> set[str]:
    return {name for ids in graph.ids().values() for name in ids}


def test_late_rows_are_requested_as_a_day_and_a_range_and_arrive_on_the_hub(automation: Automation):
    graph = automation.graph
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-03-10")
    graph.insert("c", day="2026-03-12")
    data = automation.tick(LATE)
    assert days(data) == ["2026-01-15", "2026-03-10..2026-03-12"]
    assert [automation.launch(each) for each in data.run_requests] == [True, True]
    assert hub_ids(graph) == {"a", "b", "c"}
    materialized = automation.instance.get_materialized_partitions(AssetKey("hf_parquet_shard"))
    assert materialized == {"2026-01-15", "2026-03-10", "2026-03-11", "2026-03-12"}
    again = automation.tick(LATE)
    assert (days(again), again.skip_message) == ([], "No closed day has changed.")


def test_an_updated_row_is_requested_and_rows_of_today_are_not(automation: Automation):
    automation.graph.insert("a", day="2026-01-15")
    automation.graph.insert("t", day=TODAY)
    automation.graph.insert("y", day=YESTERDAY)
    assert days(automation.tick(LATE)) == ["2026-01-15", YESTERDAY]
    automation.graph.execute("UPDATE news SET title = 'another' WHERE unique_id IN ('a', 't')")
    assert days(automation.tick(LATE)) == ["2026-01-15"]


def test_what_finds_no_room_waits_while_runs_are_under_way_and_is_not_lost(automation: Automation):
    for month in range(1, 6):
        automation.graph.insert(f"id{month}", day=f"2025-{month:02}-15")
    first = automation.tick(LATE)
    runs = [automation.begin(each) for each in first.run_requests]
    assert days(first) == ["2025-01-15", "2025-02-15"]
    second = automation.tick(LATE)
    assert (days(second), second.skip_message) == ([], "3 days wait for 2 runs under way.")
    automation.instance.report_run_failed(runs[0])
    assert days(automation.tick(LATE)) == ["2025-03-15"]
    automation.instance.report_run_failed(runs[1])
    assert days(automation.tick(LATE)) == ["2025-04-15", "2025-05-15"]


def test_a_tick_that_crashed_before_its_cursor_was_kept_starts_no_run_twice(automation: Automation):
    automation.graph.insert("a")
    (wanted,) = automation.tick(LATE, keep=False).run_requests
    assert automation.launch(wanted) is True
    (again,) = automation.tick(LATE).run_requests
    assert again.run_key == wanted.run_key
    assert automation.launch(again) is None


def test_a_tick_that_cannot_read_keeps_its_cursor_and_the_next_one_finds_all(automation: Automation):
    automation.tick(LATE)
    cursor = automation.cursors[LATE]
    automation.graph.insert("a")
    away = PostgresResource(url="postgresql://user:s3cret@127.0.0.1:1/news")
    with pytest.raises(SourceUnavailableError):
        automation.tick(LATE, postgres=away)
    assert automation.cursors[LATE] == cursor
    assert days(automation.tick(LATE)) == ["2026-01-15"]


def test_late_news_waits_for_the_compaction(automation: Automation):
    automation.tick(LATE)
    automation.uncompacted = 2
    automation.reconcile()
    automation.graph.insert("a")
    assert "2 files on the Hub are to be compacted first" in automation.tick(LATE).skip_message
    automation.uncompacted = 0
    automation.reconcile()
    assert days(automation.tick(LATE)) == ["2026-01-15"]


def test_a_mass_update_is_a_few_ranges(automation: Automation):
    automation.graph.insert("seed", day="2010-01-01")
    automation.graph.execute(
        "INSERT INTO news (unique_id, agency_id, title, published_at)"
        " SELECT 'm' || i, 1, 't', '2010-01-02T12:00Z'::timestamptz + i * interval '1 day'"
        " FROM generate_series(0, 1999) i"
    )
    wanted = []
    for _ in range(5):
        wanted += days(automation.tick(LATE))
    assert len(wanted) == 6
    assert wanted[0] == "2010-01-01..2011-01-01"


def test_differing_days_are_repaired_and_then_looked_at_again(automation: Automation):
    graph = automation.graph
    for day in ("2026-01-15", "2026-01-16", "2026-06-01", YESTERDAY):
        graph.insert(f"on-{day}", day=day)
    automation.finds = ["2002-12-31", "2026-01-15", "2026-01-16", "2026-06-01", YESTERDAY, TODAY]
    automation.reconcile()
    first = automation.tick(REPAIR)
    assert days(first) == ["2026-01-15..2026-01-16", "2026-06-01"]
    assert [automation.launch(each) for each in first.run_requests] == [True, True]
    second = automation.tick(REPAIR)
    assert days(second) == [YESTERDAY]
    assert automation.launch(second.run_requests[0])
    third = automation.tick(REPAIR)
    assert [each.job_name for each in third.run_requests] == ["reconciliation"]
    automation.finds = []
    assert automation.launch(third.run_requests[0])
    assert automation.tick(REPAIR).skip_message == "There is nothing to repair since the last reconciliation."
    assert hub_ids(graph) == {f"on-{day}" for day in ("2026-01-15", "2026-01-16", "2026-06-01", YESTERDAY)}


def test_where_there_was_no_reconciliation_the_repair_makes_a_deep_one_and_goes_on_with_what_it_finds(
    automation: Automation,
):
    automation.graph.insert("a")
    automation.finds = ["2026-01-15"]
    jobs = []
    for _ in range(3):
        (wanted,) = automation.tick(REPAIR).run_requests
        jobs.append((wanted.job_name, wanted.run_config))
        assert automation.launch(wanted)
        automation.finds = ["2026-01-15"] if wanted.job_name == "reconciliation" else []
    deep = {"ops": {"hub_reconciliation": {"config": {"deep": True}}}}
    assert jobs == [("reconciliation", deep), ("daily_sync", {}), ("reconciliation", deep)]
    assert hub_ids(automation.graph) == {"a"}


def test_a_shallow_reconciliation_by_the_clock_leaves_days_that_only_a_deep_one_saw(automation: Automation):
    automation.finds = ["2026-01-15", "2026-03-15", "2026-06-01"]
    automation.reconcile(deep=True)
    for wanted in automation.tick(REPAIR).run_requests:
        automation.instance.report_run_canceled(automation.begin(wanted))
    automation.finds = []
    automation.reconcile()
    left = automation.tick(REPAIR)
    assert days(left) == ["2026-06-01"]
    automation.instance.report_run_canceled(automation.begin(left.run_requests[0]))
    (wanted,) = automation.tick(REPAIR).run_requests
    assert wanted.run_config["ops"]["hub_reconciliation"]["config"]["deep"]


def test_the_repair_waits_while_its_runs_are_under_way(automation: Automation):
    automation.finds = ["2026-01-15"]
    automation.reconcile()
    (wanted,) = automation.tick(REPAIR).run_requests
    run = automation.begin(wanted)
    automation.reconcile()
    assert automation.tick(REPAIR).skip_message == "1 runs of the repair are under way."
    automation.instance.report_run_failed(run)
    (again,) = automation.tick(REPAIR).run_requests
    assert (again.run_key.endswith(":2"), again.run_key != wanted.run_key) == (True, True)


def test_files_are_compacted_before_days_are_repaired(automation: Automation):
    automation.graph.insert("a")
    automation.finds, automation.uncompacted = ["2026-01-15"], 7
    automation.reconcile()
    jobs = []
    for _ in range(4):
        for wanted in automation.tick(REPAIR).run_requests:
            jobs.append(wanted.job_name)
            automation.uncompacted = 0 if wanted.job_name == "weekly_consolidation" else automation.uncompacted
            assert automation.launch(wanted)
    assert jobs == ["weekly_consolidation", "reconciliation", "daily_sync", "reconciliation"]
    assert hub_ids(automation.graph) == {"a"}


def test_a_day_that_stays_different_is_given_up_after_three_runs_with_one_alert(
    automation: Automation,
    receiver: Receiver,  # noqa: F811
):
    automation.alert_url = receiver.url
    automation.finds = ["2026-01-15"]
    automation.reconcile()
    jobs = []
    for _ in range(12):
        data = automation.tick(REPAIR)
        jobs += [each.job_name for each in data.run_requests]
        for each in data.run_requests:
            if each.job_name == "reconciliation":
                assert automation.launch(each)
            else:
                automation.instance.report_run_canceled(automation.begin(each))
        automation.tick(ALERT)
    assert jobs == ["daily_sync", "reconciliation"] * 3
    automation.reconcile()
    assert not automation.tick(REPAIR).run_requests
    automation.tick(ALERT)
    (message,) = receiver.messages
    assert "given up after 3 runs" in message["text"]
    assert "2026-01-15" in message["text"]
    assert message["asset"] == "hub_reconciliation"


def test_a_failed_run_is_told_once_with_its_asset_its_day_its_words_and_its_link(
    automation: Automation,
    receiver: Receiver,  # noqa: F811
):
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    automation.graph.insert("a")
    automation.graph.execute("UPDATE news SET updated_datetime = 'infinity'")
    (wanted,) = automation.tick(LATE).run_requests
    assert automation.launch(wanted) is False
    automation.tick(ALERT, keep=False)
    automation.tick(ALERT)
    automation.tick(ALERT)
    (message,) = receiver.messages
    (run,) = automation.instance.get_runs()
    assert message["asset"] == "postgres_news_partition"
    assert message["partition"] == "2026-01-15"
    assert "updated_datetime" in message["error"]
    assert message["run_id"] == run.run_id
    assert message["link"] == f"http://ui.example.org/runs/{run.run_id}"
    assert message["text"].startswith("postgres_news_partition failed for 2026-01-15.\n")
    assert "Traceback" not in message["text"]


def test_a_failure_is_told_when_the_receiver_is_back(automation: Automation, receiver: Receiver):  # noqa: F811
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    run = automation.begin(A_RUN)
    automation.instance.report_run_failed(run, "The worker is gone, at postgresql://user:s3cret@host/db.")
    receiver.answers = [500] * 6
    assert automation.tick(ALERT).skip_message.startswith("GOVBR_ALERT_URL answers 500: the alert waits")
    with pytest.raises(AlertRefusedError):  # there is nothing more to keep
        automation.tick(ALERT)
    receiver.messages.clear()
    automation.tick(ALERT)
    (message,) = receiver.messages
    assert (message["asset"], message["partition"]) == ("daily_sync", "2026-01-15")
    assert "The worker is gone" in message["error"]
    assert "s3cret" not in str(message)


def test_failures_from_before_the_watch_and_from_before_the_setting_are_not_told(
    automation: Automation,
    receiver: Receiver,  # noqa: F811
):
    automation.instance.report_run_failed(automation.begin(A_RUN))
    assert automation.tick(ALERT).skip_message == "GOVBR_ALERT_URL is not set: no alert is sent."
    automation.instance.report_run_failed(automation.begin(A_RUN))
    automation.tick(ALERT)
    assert not (automation.graph.folder / "alerts").exists()
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    assert not receiver.messages


class Clock:
    """A clock that stands."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self, zone) -> datetime:
        return self._now.astimezone(zone)

    def __getattr__(self, name: str):
        return getattr(datetime, name)


def test_everything_is_off_until_somebody_switches_it_on():
    assert {each.default_status for each in defs.sensors or []} == {DefaultSensorStatus.STOPPED}
    assert {each.default_status for each in defs.schedules or []} == {DefaultScheduleStatus.STOPPED}
    assert {each.name for each in defs.sensors or []} == {LATE, REPAIR, ALERT}


def test_one_setting_switches_everything_on():
    status = choice("on")
    assert {each.default_status.value for each in sensors(DefaultSensorStatus(status), [])} == {"RUNNING"}
    assert {each.default_status.value for each in schedules(DefaultScheduleStatus(status))} == {"RUNNING"}


@pytest.mark.parametrize("other", ["1", "yes", "o n", "running"])
def test_another_value_of_the_setting_is_refused_by_name(other: str):
    with pytest.raises(ConfigurationError, match=r"GOVBR_AUTOMATION is .*: write on or off"):
        choice(other)


def test_the_assets_without_days_say_how_fresh_they_have_to_be_and_those_with_days_have_a_check():
    graph = defs.get_repository_def().asset_graph
    for name, days in (("hub_reconciliation", 2), ("consolidated_dataset", 15)):
        policy = graph.get(AssetKey(name)).freshness_policy
        assert isinstance(policy, TimeWindowFreshnessPolicy)
        assert policy.fail_window.to_timedelta() == timedelta(days=days)
    for name in ("postgres_news_partition", "hf_existing_ids", "hf_parquet_shard"):
        assert graph.get(AssetKey(name)).freshness_policy is None
    assert AssetCheckKey(AssetKey("hf_parquet_shard"), "newest_day_is_published") in graph.asset_check_keys
