"""The executor of all runs: Dagster's in-process one, with a sign of life every two minutes.

A run can be silent for an hour and be well: it waits for a busy Hub, for PostgreSQL's first row, for an upload. Dagster
itself cannot see a run whose machine has gone (its default launcher does not look), so silence has to mean something:
`sensors.silence` ends a run that has given no sign for a quarter of an hour.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster import DagsterInstance, DagsterRun, Executor, InitExecutorContext, executor, in_process_executor

_EVERY = 120  # seconds


_SCHEMA: Any = in_process_executor.config_schema


@executor(name="in_process", config_schema=_SCHEMA)
def living_in_process_executor(init_context: InitExecutorContext) -> Executor:
    """Executes all steps of a run in its one process, which says every two minutes that it is at work."""
    create: Any = in_process_executor.executor_creation_fn
    return _LivingExecutor(create(init_context))


class _LivingExecutor(Executor):
    """Another executor, with signs of life beside what it does."""

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
        """Execute the steps."""
        with _signs_of_life(plan_context.instance, plan_context.dagster_run):
            yield from self._executor.execute(plan_context, execution_plan)


@contextmanager
def _signs_of_life(instance: DagsterInstance, run: DagsterRun) -> Iterator[None]:
    """Write an event now and then; one that cannot be written is not missed, and keeps nobody waiting."""
    over = threading.Event()

    def signs() -> None:
        while not over.wait(_EVERY):
            sign = threading.Thread(target=instance.report_engine_event, args=("At work.", run), daemon=True)
            sign.start()

    threading.Thread(target=signs, daemon=True).start()
    try:
        yield
    finally:
        over.set()
