"""What `mend` works with: Dagster's instance, both sides, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from dagster import DagsterInstance, JobDefinition

from govbr_assets.defs.in_process.watch import Watch
from govbr_assets.defs.resources import HubResource, PostgresResource


@dataclass(frozen=True)
class MendContext:
    """What `mend` works with.

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
