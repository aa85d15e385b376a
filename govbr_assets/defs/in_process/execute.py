"""One run in this process, with its executor, its retries and its record; and what came of it.

Dagster's public ways execute a run either without the job's executor or without telling what happens meanwhile; what
is used here in their place is what its own run workers use.
"""

from collections.abc import Mapping
from typing import Any

from dagster import DagsterInstance, JobDefinition, RunRequest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from govbr_assets.defs.event_batch import stored_together
from govbr_assets.defs.in_process.run_result import RunResult

_PARTITION = "dagster/partition"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's log of a run stays in its record: what is said of it is the command's business."""

OpConfig = Mapping[str, Mapping[str, Any]]
"""What is chosen for assets, by their names."""


def execute(
    job: JobDefinition,
    request: RunRequest,
    instance: DagsterInstance,
    result: RunResult,
    config: OpConfig | None = None,
) -> None:
    """Execute a run to its end; it may fail.

    A signal to end ends it as failed; whoever handles signals knows of it.

    Args:
        job: what to run.
        request: tags, days and configuration.
        instance: Dagster's; records the run.
        result: is filled while it is executed.
        config: what is chosen beside the request, for those assets that the job has.
    """
    tags = {**request.tags, **({_PARTITION: request.partition_key} if request.partition_key else {})}
    ops = dict(request.run_config.get("ops", {}))
    for name, values in (config or {}).items():
        if job.graph.has_node_named(name):
            ops[name] = {"config": {**ops.get(name, {}).get("config", {}), **values}}
    run_config = {**_QUIET, **request.run_config, "ops": ops}
    with stored_together(instance):  # what is planned for each day
        run = instance.create_run_for_job(job, run_config=run_config, tags={**job.run_tags, **tags})
    result.run_id = run.run_id
    instance.add_event_listener(run.run_id, result)
    execute_run(InMemoryJob(job), run, instance)
