"""A run that is cancelled in the UI, or that a signal tells to end, does nothing more; only the latter is told of."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetSelection,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RetryPolicy,
    asset,
    asset_check,
    define_asset_job,
)
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from govbr_assets.defs.executor import living_in_process_executor
from govbr_assets.defs.failures import without_retries
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.defs.test_sensors import ALERT, automation  # noqa: F401

AGAIN = RetryPolicy(max_retries=3)


def run(
    instance: DagsterInstance, at: str, end: Callable[[DagsterInstance, str], None]
) -> tuple[DagsterRun, list[str]]:
    """Run some steps, in one of which something happens, and name those that were begun."""
    begun: list[str] = []

    def step(context: AssetExecutionContext, name: str) -> None:
        begun.append(name)
        if name == at:
            end(context.instance, context.run.run_id)

    @asset(retry_policy=AGAIN)
    @without_retries()
    def first(context) -> None:
        step(context, "first")

    @asset_check(asset=first)
    @without_retries()
    def check(context) -> AssetCheckResult:
        step(context, "check")
        return AssetCheckResult(passed=True)

    @asset(deps=[first], retry_policy=AGAIN)
    def second(context) -> None:
        step(context, "second")

    @asset(deps=[first])
    def third(context) -> None:
        step(context, "third")

    job = Definitions(
        assets=[first, second, third],
        asset_checks=[check],
        jobs=[define_asset_job("some_steps", selection=AssetSelection.all())],
        executor=living_in_process_executor,
    ).resolve_job_def("some_steps")
    made = instance.create_run_for_job(job)
    execute_run(InMemoryJob(job), made, instance)
    found = instance.get_run_by_id(made.run_id)
    assert found
    return found, begun


def signalled(instance: DagsterInstance, run_id: str) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def cancelled(instance: DagsterInstance, run_id: str) -> None:
    found = instance.get_run_by_id(run_id)
    assert found
    instance.report_run_canceling(found)  # what the UI says of it before it sends a signal
    signalled(instance, run_id)


@pytest.mark.parametrize(("at", "before"), [("first", []), ("check", ["first"]), ("second", ["first", "check"])])
def test_a_run_that_is_cancelled_or_told_to_end_begins_nothing_more_whatever_its_retry_policies_say(
    automation: Automation,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    at: str,
    before: list[str],
):
    automation.alert_url, instance = receiver.url, automation.instance
    automation.tick(ALERT)
    ended, begun = run(instance, at, cancelled)
    assert (ended.status, begun) == (DagsterRunStatus.CANCELED, [*before, at])
    assert not instance.all_logs(ended.run_id, of_type=DagsterEventType.RUN_FAILURE)
    automation.tick(ALERT)
    assert receiver.messages == []
    failed, begun = run(instance, at, signalled)
    assert (failed.status, begun) == (DagsterRunStatus.FAILURE, [*before, at])
    automation.tick(ALERT)
    assert [each["run_id"] for each in receiver.messages] == [failed.run_id]


def test_a_run_that_nobody_ends_does_all_of_its_steps(automation: Automation):  # noqa: F811
    ended, begun = run(automation.instance, "third", lambda *_: None)
    assert (ended.status, sorted(begun)) == (DagsterRunStatus.SUCCESS, ["check", "first", "second", "third"])
