"""The executor of all runs: Dagster's in-process one, with a sign of life every two minutes, and an end when told to.

A run can be silent for an hour and be well: it waits for a busy Hub, for PostgreSQL's first row, for an upload. Dagster
itself cannot see a run whose machine has gone (its default launcher does not look), so silence has to mean something:
`defs.sensors.silent_runs` ends a run that has given no sign for a quarter of an hour.

A step that a signal interrupts has failed for Dagster as any other one: it begins the step again by its retry policy,
and the steps that do not need it in any case. Here the run is over with it: canceled if somebody has asked for that in
the UI, failed if nobody has.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from dagster import (
    DagsterEvent,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRun,
    Executor,
    InitExecutorContext,
    executor,
    in_process_executor,
)

_EVERY = 120  # seconds


_SCHEMA: Any = in_process_executor.config_schema


@executor(name="in_process", config_schema=_SCHEMA)
def living_in_process_executor(init_context: InitExecutorContext) -> Executor:
    """Executes all steps of a run in its one process, which says every two minutes that it is at work."""
    create: Any = in_process_executor.executor_creation_fn
    return _LivingExecutor(create(init_context))


class _LivingExecutor(Executor):
    """Another executor, with signs of life beside what it does, until a signal ends it."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    @property
    def retries(self) -> Any:
        """Whether steps are tried again."""
        return self._executor.retries

    @property
    def step_dependency_config(self) -> Any:
        """What a step waits for."""
        return self._executor.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        """Execute the steps, none after one that was interrupted."""
        steps: Any = self._executor.execute(plan_context, execution_plan)
        with _signs_of_life(plan_context.instance, plan_context.dagster_run), closing(steps):
            for event in steps:
                yield event
                if _is_interrupted(event):
                    raise DagsterExecutionInterruptedError


def _is_interrupted(event: DagsterEvent) -> bool:
    """Return whether a step has ended, or would begin again, because of a signal."""
    error: Any = None
    if event.is_step_failure:
        error = event.step_failure_data.error
    elif event.is_step_up_for_retry:
        error = event.step_retry_data.error
    while error and error.cls_name != DagsterExecutionInterruptedError.__name__:
        error = error.cause
    return error is not None


@contextmanager
def _signs_of_life(instance: DagsterInstance, run: DagsterRun) -> Iterator[None]:
    """Write an event now and then; one that cannot be written is not missed, and keeps nobody waiting."""
    over = threading.Event()

    def signs() -> None:
        """Write events, each in a thread of its own, until it is over."""
        while not over.wait(_EVERY):
            sign = threading.Thread(target=instance.report_engine_event, args=("At work.", run), daemon=True)
            sign.start()

    threading.Thread(target=signs, daemon=True).start()
    try:
        yield
    finally:
        over.set()
