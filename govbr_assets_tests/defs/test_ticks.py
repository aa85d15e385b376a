"""Ticks end in time, whatever hangs, and leave the threads that alerts need."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from dagster import RepositoryDefinition, build_sensor_context

from govbr_assets.defs import sensors as room
from govbr_assets.defs.resources import PostgresResource
from govbr_assets.errors import TickTimeoutError
from govbr_assets.io.deadline import Deadline
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.defs.test_sensors import A_RUN, ALERT, LATE, automation  # noqa: F401
from govbr_assets_tests.postgres.test_silent_network import through
from govbr_assets_tests.unreachable import swallowing_server


@pytest.fixture(params=[None, 20_000], ids=["never a word", "packets are dropped within the catalogue"])
def silent(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[PostgresResource]:
    """Give a PostgreSQL behind a network that is silent, or becomes so, and a client that would wait for ever."""
    if request.param is None:
        with swallowing_server() as port:
            yield PostgresResource(url=f"postgresql://user:s3cret@127.0.0.1:{port}/news?connect_timeout=0")
    else:
        with through(postgres_url, request.param, "connect_timeout=0&tcp_user_timeout=0") as (_, url):
            yield PostgresResource(url=url)


def threads() -> set[threading.Thread]:
    """List the threads that work for somebody who waits for a time only."""
    return {each for each in threading.enumerate() if each.name == "deadline"}


def tick(automation: Automation, repository: RepositoryDefinition, name: str, **changed: Any) -> Any:  # noqa: F811
    """Let a sensor of a code server tick; others of the same server may be ticking."""
    resources = {each: {**automation.resources(), **changed}[each] for each in ("postgres", "alerts", "hub")}
    with build_sensor_context(
        automation.instance, automation.cursors[name], repository_def=repository, sensor_name=name, resources=resources
    ) as context:
        return repository.get_sensor_def(name).evaluate_tick(context)


def test_six_ticks_that_hang_on_a_silent_network_take_no_thread_from_the_alerts(
    automation: Automation,  # noqa: F811
    silent: PostgresResource,
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(room, "_REQUESTING", 0.5)
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    automation.instance.report_run_failed(automation.begin(A_RUN), "The worker is gone.")
    repository = automation.repository()
    with ThreadPoolExecutor(6) as threads:
        hanging = [threads.submit(tick, automation, repository, LATE, postgres=silent) for _ in range(6)]
        alerted = threads.submit(tick, automation, repository, ALERT)
        for each in hanging:
            with pytest.raises(TickTimeoutError, match=r"late_news_sensor got no answer within 0.5 s") as caught:
                each.result()
            assert "s3cret" not in str(caught.value)
        assert alerted.result().skip_message == "1 alerts were sent."
    assert len(receiver.messages) == 1


def test_one_thread_waits_for_a_silent_network_however_many_ticks_there_are(
    automation: Automation,  # noqa: F811
    silent: PostgresResource,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(room, "_REQUESTING", 0.3)
    repository, waiting = automation.repository(), []
    before = threads()
    for _ in range(4):
        with pytest.raises(TickTimeoutError):
            tick(automation, repository, LATE, postgres=silent)
        waiting.append(len(threads() - before))
    assert waiting == [1] * 4


def test_an_alert_tick_whose_storage_hangs_ends_in_time(
    automation: Automation,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    receiver: Receiver,  # noqa: F811
):
    monkeypatch.setattr(room, "_ALERTING", 0.3)
    free = threading.Event()
    monkeypatch.setattr("govbr_assets.alerts.outbox.Folder.names", lambda *_: free.wait(30) or [])
    automation.alert_url = receiver.url
    with pytest.raises(TickTimeoutError, match="alert_sensor got no answer within"):
        automation.tick(ALERT)
    free.set()


def test_ticks_have_less_time_than_dagster_gives_them():
    assert room._REQUESTING < 60
    assert room._ALERTING <= 20


def test_work_in_time_gives_its_result_or_its_own_error():
    deadline: Deadline[int] = Deadline(5)
    assert deadline.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        deadline.run(lambda: 1 // 0)
    assert deadline.run(lambda: 8) == 8


def test_after_work_that_came_late_the_next_one_is_done():
    deadline: Deadline[bool] = Deadline(0.1)
    free = threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            deadline.run(lambda: free.wait(30))
    free.set()
    while deadline._late and deadline._late.is_alive():
        time.sleep(0.01)
    assert deadline.run(lambda: True)
