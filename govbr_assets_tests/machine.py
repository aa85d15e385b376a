"""A machine that executes a run of `daily_sync`, as the process that a launcher starts there: `python -m ... DAY`.

With `resume` in place of the day it executes what is left of the last run, when its machine is known to be gone: what
Dagster's `run_retries` do. Prints as JSON whether the run succeeded, and which steps it executed.
"""

import json
import sys
from datetime import UTC, datetime

from dagster import DagsterInstance, JobDefinition, ReexecutionOptions, execute_job, reconstructable

from govbr_assets.definitions import defs
from govbr_assets.defs.sensors import silent_runs


def daily_sync() -> JobDefinition:
    """Give the job, for a process that has only its name."""
    return defs.resolve_job_def("daily_sync")


def main(what: str) -> None:
    """Execute a run of a day, or the rest of the last one."""
    with DagsterInstance.get() as instance:
        if what == "resume":
            now = datetime.now(UTC) + silent_runs.SILENCE
            silent_runs.end(instance, silent_runs.silent_runs(instance, None, now), now)
            gone = instance.get_runs(limit=1)[0]
            how: dict = {"reexecution_options": ReexecutionOptions.from_failure(gone.run_id, instance)}
            how["tags"] = {name: value for name, value in gone.tags.items() if name == "dagster/partition"}
        else:
            how = {"tags": {"dagster/partition": what}}
        with execute_job(reconstructable(daily_sync), instance, **how) as result:
            steps = [event.step_key for event in result.all_events if event.is_step_start]
            sys.stdout.write(json.dumps({"success": result.success, "steps": steps}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
