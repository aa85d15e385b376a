"""A machine that executes what is left of the last run, when that one's machine is known to be gone.

That is what Dagster's daemon does for `run_retries`, and what a person does by "re-execute from failure" in the UI.
Prints as JSON whether it succeeded, and which steps it executed: `python -m govbr_assets_tests.machine`.
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


def main() -> None:
    """Execute the rest of the last run."""
    with DagsterInstance.get() as instance:
        now = datetime.now(UTC) + silent_runs.SILENCE
        silent_runs.end(instance, silent_runs.silent_runs(instance, None, now), now)
        (gone,) = instance.get_runs(limit=1)
        tags = {name: value for name, value in gone.tags.items() if name == "dagster/partition"}
        options = ReexecutionOptions.from_failure(gone.run_id, instance)
        with execute_job(reconstructable(daily_sync), instance, tags=tags, reexecution_options=options) as result:
            steps = [event.step_key for event in result.all_events if event.is_step_start]
            sys.stdout.write(json.dumps({"success": result.success, "steps": steps}) + "\n")


if __name__ == "__main__":
    main()
