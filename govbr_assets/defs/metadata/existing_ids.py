"""What `hf_existing_ids` records of a day, and the revision at which the stored ids of a day were found."""

from collections.abc import Mapping
from dataclasses import dataclass

from dagster import DagsterInstance

from govbr_assets.core.identity import identity_digest
from govbr_assets.dataset import Dataset
from govbr_assets.defs.metadata.events import DayEvents, Event, Values
from govbr_assets.errors import UnknownRevisionError
from govbr_assets.io.staged import Rows
from govbr_assets.operations.existing_ids import ExistingRows


@dataclass(frozen=True)
class ExistingIdsRecord:
    """At which revision, and for which rows, ids were found.

    Attributes:
        repo: whose.
        revision: of the repo; empty if it was not there.
        source: who was asked, as `ExistingRows.source`.
        asked_for: `identity_digest` of the Postgres day.
    """

    repo: str
    revision: str
    source: str
    asked_for: str

    def to_metadata(self) -> dict[str, str]:
        """Write the record."""
        return {"repo": self.repo, "source": self.source, "revision": self.revision, "asked_for": self.asked_for}

    @classmethod
    def from_event(cls, event: Event | None) -> "ExistingIdsRecord":
        """Read a record; what is not in the event is empty."""
        values = Values(event)
        return cls(values.text("repo"), values.text("revision"), values.text("source"), values.text("asked_for"))


def existing_ids_metadata(found: ExistingRows, rows: Rows, repo_id: str) -> Mapping[str, str | int | float]:
    """Describe how the ids of a day were found.

    Args:
        found: what was found.
        rows: the Postgres day, [n rows x 25].
        repo_id: of the Hub.
    """
    record = ExistingIdsRecord(repo_id, found.snapshot.revision or "", found.source, identity_digest(rows))
    return {
        **record.to_metadata(),
        "why_not_the_viewer": found.reason or "the viewer was certain, or nobody had to be asked",
        "viewer_requests": found.requests,
        "viewer_seconds": found.seconds,
    }


class KnownRevisions:
    """The revisions at which the stored ids of days were found, as their materializations say.

    Args:
        instance: Dagster's.
        existing: the stored ids by partition key, in the order in which they will be asked for.
        hub: the repo.
    """

    def __init__(self, instance: DagsterInstance, existing: Mapping[str, Rows], dataset: Dataset) -> None:
        self._events = DayEvents(instance, "hf_existing_ids", list(existing))
        self._existing, self._dataset = existing, dataset

    def of(self, key: str, rows: Rows) -> ExistingRows:
        """Give what was known of a day at its revision.

        Nothing, if the ids were asked for other rows than these, of another repo, or of one whose history is gone.
        """
        table, record = self._existing[key], ExistingIdsRecord.from_event(self._events.of(key))
        if not record.revision or not record.source or record.repo != self._dataset.client.repo_id:
            return ExistingRows.unknown()
        if record.asked_for != identity_digest(rows):
            return ExistingRows.unknown()
        try:
            return ExistingRows(table, self._dataset.client.at(record.revision), record.source)
        except UnknownRevisionError:
            return ExistingRows.unknown()
