"""Opens what commands work with: an instance for the time of a command, and resources with their settings read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, cast

import pyarrow as pa
from dagster import DagsterInstance, Definitions
from dagster_shared.telemetry import get_or_create_user_telemetry_dir

from govbr_assets.core.days import Day
from govbr_assets.defs.in_process.context import MendContext
from govbr_assets.defs.in_process.records import open_temporary_instance
from govbr_assets.defs.in_process.watch import Watch
from govbr_assets.defs.metadata.reconciliation import RECONCILIATION
from govbr_assets.defs.resources import HubResource, PostgresResource
from govbr_assets.errors import ConfigurationError, HubDeniedError
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.io.storage.folder import Folder
from govbr_assets.operations.project.mirror import check_apart, check_is_full

_RECORDS_ONLY: Any = {
    "telemetry": {"enabled": False},
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
}
"""Settings of an instance that writes nothing outside of its folder, and leaves the output of steps where it goes."""


@contextmanager
def temporary_instance() -> Iterator[DagsterInstance]:
    """Make an instance whose records are gone at the end: on the disk, as those of a history are hundreds of megabytes.

    Raises:
        NoRoomError: the disk for temporary files is full.
    """
    with scratch_folder() as folder, open_temporary_instance(folder, _RECORDS_ONLY) as instance:
        yield instance


def memory_instance() -> DagsterInstance:
    """Make an instance in memory, for commands that record nothing."""
    return DagsterInstance.ephemeral()


def hub_of(definitions: Definitions) -> HubResource:
    """Return both repos of a code location, with their settings read."""
    return _resource(definitions, "hub")


def postgres_of(definitions: Definitions) -> PostgresResource:
    """Return the database of a code location, with its settings read."""
    return _resource(definitions, "postgres")


def check_reachable(hub: HubResource, postgres: PostgresResource) -> None:
    """Ask both sides something that costs nothing, before runs do, which would try again for minutes.

    Raises:
        ConfigurationError: a setting is missing or malformed.
        GovbrAssetsError: one of them does not answer, or refuses.
    """
    check_is_full(hub.dataset(), hub.dataset().client.head())
    if hub.has_reduced:
        with suppress(HubDeniedError):  # of which whoever uses it tells
            hub.reduced_dataset().client.head()
            check_apart(hub.dataset(), hub.reduced_dataset())
    now = datetime.now(UTC)
    postgres.client().newest_day(Day.at(now), now)


def mend_context(
    definitions: Definitions, instance: DagsterInstance, watch: Watch, interrupted: Callable[[], bool]
) -> MendContext:
    """Put together what `mend` works with.

    Args:
        definitions: the code location.
        instance: Dagster's.
        watch: is told what happens.
        interrupted: tells whether a signal to end has come.

    Raises:
        ConfigurationError: Dagster could not execute a run, or a setting of one is malformed.
    """
    _check_telemetry(instance)
    hub = hub_of(definitions)
    check_settings(definitions)

    def load() -> pa.Table:
        return cast(pa.Table, definitions.load_asset_value(RECONCILIATION, instance=instance))

    return MendContext(
        instance,
        hub,
        postgres_of(definitions),
        definitions.resolve_job_def,
        load,
        watch,
        interrupted,
    )


def check_settings(definitions: Definitions) -> None:
    """Look at what only a later step uses, settings and the storage: before that one, others would have published.

    Raises:
        ConfigurationError: one is malformed, or the storage is a folder that cannot be written.
    """
    hub = hub_of(definitions)
    Folder(hub.storage_url).check_writable()
    _resource(definitions, "table_io_manager").storage()
    _resource(definitions, "viewer").client()
    _ = hub.approved_removals, hub.tags_releases
    if hub.has_reduced:
        hub.reduced_dataset()


def _check_telemetry(instance: DagsterInstance) -> None:
    """Make the folder that Dagster's telemetry needs: without it a run ends in the middle, with a stack of Dagster's.

    Raises:
        ConfigurationError: it cannot be made.
    """
    if not instance.telemetry_enabled:
        return
    try:
        get_or_create_user_telemetry_dir()
    except OSError as error:
        raise ConfigurationError(
            f"Dagster's telemetry needs ~/.dagster, which cannot be written ({error.strerror}): set HOME to a folder"
            " that can, or write `telemetry: {enabled: false}` into dagster.yaml in DAGSTER_HOME."
        ) from None


def _resource(definitions: Definitions, name: str) -> Any:
    """Read the settings of a resource, which holds nothing that would have to be closed."""
    resource: Any = (definitions.resources or {})[name]
    # The way without `with` leaves behind an instance of Dagster's, whose connection complains when all ends.
    with resource.process_config_and_initialize_cm() as found:
        return found
