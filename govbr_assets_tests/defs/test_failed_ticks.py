"""A sensor or a schedule that fails itself is told of once for each reason, and once when it is well again."""

from dataclasses import dataclass
from uuid import uuid4

import pytest

from govbr_assets.errors import SourceError, SourceUnavailableError
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.automation import Automation, InstigatorState, InstigatorType
from govbr_assets_tests.defs.test_sensors import ALERT, LATE, REPAIR, automation  # noqa: F401

VIEW = SourceError("Table `news` is a view and has no xmin: add updated_at.")


@dataclass
class Watch:
    """A watch over sensors, and what it told."""

    automation: Automation
    receiver: Receiver

    def fails(self, state: InstigatorState, *errors: Exception | None) -> list[str]:
        """Let ticks fail or be well, and say what was told after each of them."""
        told = []
        for error in errors:
            self.automation.ticked(state, error)
            self.automation.tick(ALERT)
            told += [each["text"] for each in self.receiver.messages]
            self.receiver.messages.clear()
        return told


@pytest.fixture
def watch(automation: Automation, receiver: Receiver) -> Watch:  # noqa: F811
    automation.alert_url = receiver.url
    automation.tick(ALERT)
    return Watch(automation, receiver)


def test_a_sensor_that_fails_again_and_again_is_told_of_once_and_once_when_it_is_well(watch: Watch):
    late = watch.automation.switch_on(LATE)
    assert watch.fails(late, None, VIEW, VIEW) == []
    (told,) = watch.fails(late, *[VIEW] * 4)
    assert told == f"late_news_sensor fails: this sensor requests no run until its reason is mended.\n{VIEW}"
    assert watch.fails(late, None, None) == ["late_news_sensor is well again."]
    assert len(watch.fails(late, *[VIEW] * 4)) == 1


def test_that_it_is_well_again_is_told_also_when_nobody_took_that_it_was_not(watch: Watch):
    late = watch.automation.switch_on(LATE)
    watch.receiver.answers = [403]
    (refused,) = watch.fails(late, *[VIEW] * 3)
    assert watch.fails(late, None) == [refused, "late_news_sensor is well again."]


def test_another_reason_is_told_of_and_another_port_time_id_or_address_is_not(watch: Watch):
    repair = watch.automation.switch_on(REPAIR)
    away = [
        SourceUnavailableError(f"port {port} refused at 10:0{port}, request {uuid4()}, at 0x{uuid4().hex}")
        for port in range(5)
    ]
    assert len(watch.fails(repair, *away)) == 1
    assert len(watch.fails(repair, VIEW, VIEW)) == 1
    assert watch.fails(repair, *away) == []


def test_a_schedule_whose_tick_fails_is_told_of_at_once(watch: Watch):
    schedule = watch.automation.switch_on("daily_sync_schedule", InstigatorType.SCHEDULE)
    (told,) = watch.fails(schedule, VIEW, VIEW)
    assert told.startswith("daily_sync_schedule fails: this schedule requests no run")


def test_what_failed_before_the_watch_or_is_switched_off_is_not_told_of(watch: Watch):
    late = watch.automation.switch_on(LATE)
    for second in range(4):
        watch.automation.ticked(late, VIEW, at=1_700_000_000.0 + second)
    watch.automation.tick(ALERT)
    assert watch.receiver.messages == []


def test_our_own_sentence_is_told_and_not_the_innermost_error_of_the_client(watch: Watch):
    late = watch.automation.switch_on(LATE)

    def fail() -> Exception:
        try:
            try:
                raise OSError("[Errno 111] Connection refused, password=s3cret")
            except OSError as error:
                raise SourceUnavailableError("PostgreSQL is away: look at GOVBR_POSTGRES_URL.") from error
        except SourceUnavailableError as error:
            outer = RuntimeError("Error occurred during the evaluation of a sensor function")
            outer.__cause__ = error
            return outer

    (told,) = watch.fails(late, *[fail() for _ in range(3)])
    assert told.endswith("\nPostgreSQL is away: look at GOVBR_POSTGRES_URL.")
