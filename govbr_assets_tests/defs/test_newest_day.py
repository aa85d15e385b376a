"""The newest day that should be on the Hub is there, or one alert and one check say so; nothing else silences them."""

from datetime import UTC, datetime, timedelta

import pytest
from dagster import AssetCheckKey, AssetKey, AssetMaterialization

from govbr_assets.core.days import Day
from govbr_assets.defs.newest_day import newest_day
from govbr_assets.defs.resources import PostgresResource
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.defs.test_sensors import ALERT, Clock, automation  # noqa: F401
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.unreachable import swallowing_server

SHARD = AssetKey("hf_parquet_shard")
CHECK = AssetCheckKey(SHARD, "newest_day_is_published")
TODAY = Day.at(datetime.now(UTC)).date


def key(offset: int) -> str:
    """Name the day so many days after today, in which the first publication is made."""
    return (TODAY + timedelta(days=offset)).isoformat()


def publish(graph: Graph, day: str, rows: int) -> None:
    """Record a publication of a day, as a run does."""
    event = AssetMaterialization(SHARD, partition=day, metadata={"postgres_rows": rows, "repo": graph.repo_id})
    graph.instance.report_runless_asset_event(event)


def after(graph: Graph, days: float) -> tuple[str, bool]:
    """Look some days after noon of today."""
    noon = Day(TODAY).start + timedelta(hours=12, days=days)
    found = newest_day(graph.instance, NewsTable(graph.postgres_url, NEWS), graph.repo_id, noon)
    return f"{found.day or ''}", found.published


def test_a_day_that_should_be_there_is_looked_for_whatever_else_was_published(graph: Graph):
    assert after(graph, 9) == ("", True)  # nothing was ever published from here
    graph.insert("old", day=key(-5))
    graph.insert("first", day=key(0))
    publish(graph, key(0), 1)
    graph.insert("next", day=key(1))
    assert after(graph, 1) == ("", True)
    assert after(graph, 2) == (key(0), True)
    assert after(graph, 3) == (key(1), False)
    publish(graph, key(-900), 10)  # a backfill of an old day
    publish(graph, key(-5), 1)  # a repair
    publish(graph, key(2), 0)  # an empty day
    publish(graph, key(1), 0)  # the day itself, before its rows came
    assert after(graph, 3) == (key(1), False)
    assert after(graph, 9) == (key(1), False)
    publish(graph, key(1), 1)
    assert after(graph, 3) == (key(1), True)


def test_an_idle_sunday_and_a_source_that_gives_nothing_more_are_no_lapse(graph: Graph):
    graph.insert("first", day=key(0))
    publish(graph, key(0), 1)
    publish(graph, key(1), 0)
    assert [after(graph, days)[1] for days in (2, 3, 4, 30)] == [True] * 4


def test_what_was_published_to_another_repo_is_not_there_and_a_new_repo_begins_anew(graph: Graph):
    graph.insert("first", day=key(0))
    graph.insert("next", day=key(1))
    publish(graph, key(0), 1)
    publish(graph, key(1), 1)
    ours, graph.repo_id = graph.repo_id, "org/another"
    assert after(graph, 3) == ("", True)  # nothing was published to it
    publish(graph, key(-5), 1)
    assert after(graph, 3) == (key(1), False)
    graph.instance.report_runless_asset_event(AssetMaterialization(SHARD, partition=key(1)))  # by hand, in the UI
    assert after(graph, 3) == (key(1), True)
    graph.repo_id = ours
    publish(graph, key(1), 1)
    assert after(graph, 3) == (key(1), True)


def test_rows_without_a_day_that_a_calendar_has_are_no_newest_day(graph: Graph):
    graph.insert("first", "eternal", "future", "ancient", day=key(0))
    publish(graph, key(0), 1)
    for name, at in (("eternal", "-infinity"), ("future", "infinity"), ("ancient", "4000-01-01 BC")):
        graph.execute(f"UPDATE news SET published_at = '{at}' WHERE unique_id = '{name}'")
    assert after(graph, 5) == (key(0), True)
    graph.execute("DELETE FROM news WHERE unique_id = 'first'")
    assert after(graph, 5) == ("", True)


def test_days_from_before_the_first_publication_are_no_lapse(graph: Graph):
    graph.insert("old", day=key(-5))
    publish(graph, key(-100), 10)
    assert [after(graph, days) for days in (0, 1, 30)] == [("", True)] * 3


def test_rows_that_have_only_just_come_are_given_a_day(graph: Graph):
    graph.insert("first", day=key(0))
    publish(graph, key(0), 1)
    graph.insert("late", day=key(1))
    noon = (Day(TODAY).start + timedelta(days=5)).isoformat()
    graph.execute(
        "UPDATE news SET created_at = created_at", f"UPDATE news SET created_at = '{noon}' WHERE title ~ 'late'"
    )
    assert after(graph, 5.5) == (key(0), True)
    assert after(graph, 6.5) == (key(1), False)


@pytest.mark.parametrize("lacking", [("created_at",), ("created_at", "extracted_at")])
def test_a_table_that_does_not_say_when_a_row_came_is_asked_all_the_same(graph: Graph, lacking: tuple[str, ...]):
    graph.insert("first", day=key(0))
    publish(graph, key(0), 1)
    graph.insert("next", day=key(1))
    graph.execute(*(f"ALTER TABLE news DROP COLUMN {name}" for name in lacking))
    assert after(graph, 3) == (key(1), False)


def test_a_missing_day_is_told_once_and_the_check_agrees(
    automation: Automation,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    automation.alert_url, graph = receiver.url, automation.graph
    graph.insert("first", day=key(0))
    graph.insert("next", "another", day=key(1))
    publish(graph, key(0), 1)

    def look(days: float) -> list[bool]:
        monkeypatch.setattr("govbr_assets.defs.sensors.alerts.datetime", Clock(Day(TODAY).start + timedelta(days=days)))
        return [each.passed for each in automation.tick(ALERT).asset_events]

    verdicts = [look(days) for days in (0.5, 2.5, 3.5, 3.6, 4.5, 8.5)]
    assert verdicts == [[True], [], [False], [], [], []]
    (message,) = [each for each in receiver.messages if each["asset"] == "hf_parquet_shard"]
    assert message["text"].startswith(f"hf_parquet_shard of {key(1)} is not published, though PostgreSQL has had its")
    publish(graph, key(1), 2)
    assert look(8.6) == [True]
    graph.insert("later", day=key(9))
    assert look(12) == [False]
    assert [each["partition"] for each in receiver.messages if each["asset"] == "hf_parquet_shard"] == [key(1), key(9)]


def test_a_missing_day_is_shown_while_nobody_takes_alerts_and_told_once_over_midnight(
    automation: Automation,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    automation.alert_url, graph = receiver.url, automation.graph
    for day in range(3):
        graph.insert(f"on-{day}", day=key(day))
    publish(graph, key(0), 1)

    def look(days: float) -> list[bool]:
        monkeypatch.setattr("govbr_assets.defs.sensors.alerts.datetime", Clock(Day(TODAY).start + timedelta(days=days)))
        return [each.passed for each in automation.tick(ALERT).asset_events]

    assert look(2.5) == [True]
    receiver.answers = [403]
    assert look(3.9) == [False]
    receiver.messages.clear()
    assert [look(days) for days in (4.1, 5.1)] == [[], []]
    assert [each["partition"] for each in receiver.messages] == [key(1)]


def test_alerts_go_out_while_postgres_is_silent(
    automation: Automation,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    publish(automation.graph, key(-9), 1)
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    monkeypatch.setattr("govbr_assets.defs.sensors.alerts._ASKING._seconds", 0.3)
    with swallowing_server() as port:
        silent = PostgresResource(url=f"postgresql://u@127.0.0.1:{port}/news?connect_timeout=0")
        assert automation.tick(ALERT, postgres=silent).skip_message == "0 alerts were sent."
