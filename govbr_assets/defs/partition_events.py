"""Partition events: a materialization or a verdict for every day of a run, recorded as it comes to pass.

Dagster itself would record all days of a step at its end, keep each event in memory until the run is over, and go
through all days of the run for each of them. It has no public way around that; tests hold what is used here to it.
"""

from types import TracebackType
from typing import Self

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetMaterialization,
    AssetObservation,
    DagsterEvent,
    DagsterEventType,
    OutputContext,
)

from govbr_assets.defs.event_batch import EventBatch
from govbr_assets.defs.metadata.events import Metadata


class PartitionEvents:
    """Materializations of the days of a step; the last one is left to Dagster, which records what a step has made.

    A day is recorded with some others, at the latest when this is left, also by an error.

    Args:
        context: of the step's output.
    """

    def __init__(self, context: OutputContext) -> None:
        self._context, self._batch = context, EventBatch(context.step_context)
        self._last: tuple[str, Metadata] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def materialize(self, key: str, metadata: Metadata) -> None:
        """Take a day, and let the one before it be recorded."""
        self._pass_on()
        self._last = key, metadata

    def observe(self, key: str, metadata: Metadata) -> None:
        """Let be recorded what was seen of a day that is not as it should be."""
        step = self._context.step_context
        event = AssetObservation(self._context.asset_key, partition=key, metadata=metadata)
        self._batch.add(lambda batch: DagsterEvent.asset_observation(step, event, batch))

    def flush(self) -> None:
        """Record all days that were taken."""
        self._pass_on()
        self._batch.store()

    def finish(self) -> None:
        """Record all days that were taken but the last, and let Dagster record that one and no other of the run."""
        self._batch.store()
        if self._last:
            (key, metadata), self._last = self._last, None
            step = self._context.step_context
            step.add_asset_metadata(metadata, asset_key=self._context.asset_key, partition_key=key)
            subset = self._context.asset_partitions_def.subset_with_partition_keys([key])
            self._context._asset_partitions_subset = subset

    def _pass_on(self) -> None:
        """Let the day that was taken last be recorded."""
        if self._last:
            (key, metadata), self._last = self._last, None
            step = self._context.step_context
            event = AssetMaterialization(self._context.asset_key, partition=key, metadata=metadata)
            self._batch.add(lambda batch: DagsterEvent.asset_materialization(step, event, batch))


class Verdicts:
    """The verdicts of a check on the days of a run over many, recorded as `PartitionEvents` are.

    Not as runless events: Dagster keeps only one of those for a check and a partition, and refuses the next.

    Args:
        context: of the check.
    """

    def __init__(self, context: AssetCheckExecutionContext) -> None:
        self._step = context.op_execution_context.get_step_execution_context()
        (self._check,) = context.selected_asset_check_keys
        self._batch = EventBatch(self._step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._batch.store()

    def add(self, key: str, metadata: Metadata, *, passed: bool) -> None:
        """Take the verdict on a day."""
        step, check = self._step, self._check
        verdict = AssetCheckEvaluation(check.asset_key, check.name, passed, metadata, partition=key)
        outcome = "passed" if passed else "did not pass"
        message = f"Asset check '{check.name}' on '{check.asset_key.to_user_string()}' {outcome}."  # Dagster's words
        kind = DagsterEventType.ASSET_CHECK_EVALUATION
        self._batch.add(lambda batch: DagsterEvent.from_step(kind, step, verdict, message, batch))
