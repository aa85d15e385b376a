"""Partition events: a materialization or a verdict for every day of a run, recorded as it comes to pass.

Dagster itself would record all days of a step at its end, keep each event in memory until the run is over, and go
through all days of the run for each of them. It has no public way around that; tests hold what is used here to it.
"""

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetMaterialization,
    AssetObservation,
    DagsterEvent,
    OutputContext,
)

from govbr_assets.defs.metadata.events import Metadata


class PartitionEvents:
    """Materializations of the days of a step; the last one is left to Dagster, which records what a step has made.

    Args:
        context: of the step's output.
    """

    def __init__(self, context: OutputContext) -> None:
        self._context = context
        self._last: tuple[str, Metadata] | None = None

    def materialize(self, key: str, metadata: Metadata) -> None:
        """Take a day, and record the one before it."""
        self.flush()
        self._last = key, metadata

    def observe(self, key: str, metadata: Metadata) -> None:
        """Record what was seen of a day that is not as it should be."""
        event = AssetObservation(self._context.asset_key, partition=key, metadata=metadata)
        DagsterEvent.asset_observation(self._context.step_context, event)

    def flush(self) -> None:
        """Record the day that was taken last."""
        if self._last:
            key, metadata = self._last
            event = AssetMaterialization(self._context.asset_key, partition=key, metadata=metadata)
            # Made, it is stored; who gives it to Dagster as well keeps it in memory.
            DagsterEvent.asset_materialization(self._context.step_context, event)
            self._last = None

    def finish(self) -> None:
        """Let Dagster record the day that was taken last, and no other day of the run."""
        if self._last:
            key, metadata = self._last
            step = self._context.step_context
            step.add_asset_metadata(metadata, asset_key=self._context.asset_key, partition_key=key)
            subset = self._context.asset_partitions_def.subset_with_partition_keys([key])
            self._context._asset_partitions_subset = subset


def record_check(context: AssetCheckExecutionContext, evaluation: AssetCheckEvaluation) -> None:
    """Record the verdict of a check on one day of a run over many.

    Not as a runless event: Dagster keeps only one of those for a check and a partition, and refuses the next.
    """
    step = context.op_execution_context.get_step_execution_context()
    DagsterEvent.asset_check_evaluation(step, evaluation)
