"""Where runs are executed in this process, with what, and who is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from dagster import DagsterInstance, JobDefinition, RunRequest

from govbr_assets.defs.decisions.requests import days_of
from govbr_assets.defs.in_process.execute import execute
from govbr_assets.defs.in_process.heard import Heard
from govbr_assets.defs.in_process.watch import Watch
from govbr_assets.defs.in_process.words import outcome
from govbr_assets.defs.resources import HubResource, PostgresResource


@dataclass(frozen=True)
class Workplace:
    """What commands work with.

    Attributes:
        instance: Dagster's; it records the runs.
        hub: both repos.
        postgres: has the news.
        job: gives a job by its name.
        load: loads the table of the last reconciliation, [n days x 8].
        watch: is told what happens.
        interrupted: tells whether a signal to end has come.
    """

    instance: DagsterInstance
    hub: HubResource
    postgres: PostgresResource
    job: Callable[[str], JobDefinition]
    load: Callable[[], pa.Table]
    watch: Watch
    interrupted: Callable[[], bool]

    def execute(self, request: RunRequest, config: Mapping[str, Mapping[str, Any]]) -> Heard:
        """Execute a run to its end, which may be a failure.

        Args:
            request: what is wanted.
            config: what is chosen beside it, by asset.
        """
        name, days = request.job_name or "", days_of(request)
        self.watch.begin(f"{name} {days}".strip())
        heard = Heard(self.watch.say)
        execute(self.job(name), request, self.instance, heard, config)
        self.watch.end(outcome(name, heard) if heard.success else f"failed: {heard.problem}")
        return heard
