"""Events of a step that are stored together: a range of days has thousands, and each alone costs ten milliseconds.

What is recorded of a day is `partition_events`' business. Dagster batches materializations by itself, but only where
the storage can, which SQLite cannot, and never verdicts of checks. Here they all go over one connection and in one
transaction, by Dagster's own statements. What is used of Dagster's storages has no underscore, but is not documented
either: tests hold it to what each event recorded by itself leaves behind.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from time import monotonic
from typing import Any
from uuid import uuid4

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, EventLogEntry
from dagster._core.events import DagsterEventBatchMetadata
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage

_EVENTS, _SECONDS = 100, 10
"""A batch is stored when it has so many events, or has waited so long for more: a process that is killed loses one."""

Making = Callable[[DagsterEventBatchMetadata], DagsterEvent]
"""Has Dagster make an event of a batch."""


class EventBatch:
    """The events of a step that wait to be stored: whoever adds the last one has to call `store`.

    Args:
        step: Dagster's context of the step.
    """

    def __init__(self, step: Any) -> None:
        self._step, self._waiting, self._began = step, list[Making](), monotonic()

    def add(self, make: Making) -> None:
        """Take an event, and store all that wait if they are many or wait for long.

        Args:
            make: has Dagster make the event, which stores it with the batch of which it is told.
        """
        if not self._waiting:
            self._began = monotonic()
        self._waiting.append(make)
        if len(self._waiting) >= _EVENTS or monotonic() - self._began > _SECONDS:
            self.store()

    def store(self) -> None:
        """Store all that wait: with `DAGSTER_EVENT_BATCH_SIZE=0` each by itself."""
        waiting, self._waiting = self._waiting, []
        batch, last = str(uuid4()), len(waiting) - 1
        with stored_together(self._step.instance) if last > 0 else nullcontext():
            for number, make in enumerate(waiting):
                make(DagsterEventBatchMetadata(batch, number == last))


@contextmanager
def stored_together(instance: DagsterInstance) -> Iterator[None]:
    """Let an instance's storage store batches as is told above, within a block, if it is SQLite's or PostgreSQL's."""
    storage: Any = instance.event_log_storage
    ours = instance.is_persistent and (isinstance(storage, SqliteEventLogStorage) or _is_postgres(storage))
    if not ours:
        yield
        return
    own = storage.store_event_batch

    def store_event_batch(events: Sequence[EventLogEntry]) -> None:
        """Store a batch: by the storage itself if it can, which SQLite's cannot."""
        kinds = {event.dagster_event_type for event in events}
        if _is_postgres(storage) and kinds == {DagsterEventType.ASSET_MATERIALIZATION}:
            own(events)
        else:
            _store_over_one_connection(instance, events)

    storage.store_event_batch = store_event_batch
    try:
        yield
    finally:
        del storage.store_event_batch


def _is_postgres(storage: Any) -> bool:
    """Return whether events go to PostgreSQL; a run on SQLite does not import what that needs."""
    return isinstance(storage, SqlEventLogStorage) and hasattr(storage, "postgres_url")


def _store_over_one_connection(instance: DagsterInstance, events: Sequence[EventLogEntry]) -> None:
    """Store events of one run as Dagster does, but in one transaction: by a storage of our own, for others use theirs.

    SQLite has two databases, one of the run and one of all runs, and a storage has one connection at a time.
    """
    storage: Any = instance.get_ref().event_storage
    with storage.index_transaction() as index, ExitStack() as stack:
        run, store = index, SqlEventLogStorage.store_event
        if isinstance(instance.event_log_storage, SqliteEventLogStorage):
            run = stack.enter_context(instance.event_log_storage.run_connection(events[0].run_id))
            store = SqliteEventLogStorage.store_event
        # Who uses a connection does not close it.
        storage.run_connection = lambda run_id=None: nullcontext(run)
        storage.index_connection = lambda: nullcontext(index)
        storage.has_table = cache(storage.has_table)
        for event in events:
            store(storage, event)
