"""How the ids of a day were found: recorded by `hf_existing_ids` for people, and in the stored table for its reader."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pyarrow as pa

from govbr_assets.core.identity import identity_digest
from govbr_assets.dataset import Dataset
from govbr_assets.errors import UnknownRevisionError
from govbr_assets.io.staged import Rows, table_of
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

    repo: str = ""
    revision: str = ""
    source: str = ""
    asked_for: str = ""

    @classmethod
    def of(cls, found: ExistingRows, rows: Rows, repo_id: str) -> "ExistingIdsRecord":
        """Record how ids were found.

        Args:
            found: what was found.
            rows: the Postgres day, [n rows x 25].
            repo_id: of the Hub.
        """
        return cls(repo_id, found.snapshot.revision or "", found.source, identity_digest(rows))

    @classmethod
    def read(cls, table: Rows) -> "ExistingIdsRecord":
        """Read the record of a stored table; what another version has not recorded is empty."""
        recorded = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
        return cls(**{name: recorded.get(name, "") for name in asdict(cls())})

    def write(self, table: Rows) -> pa.Table:
        """Put the record into the schema of a table, which is stored with it."""
        return table_of(table).replace_schema_metadata(asdict(self))


def existing_ids_metadata(found: ExistingRows, record: ExistingIdsRecord) -> Mapping[str, str | int | float]:
    """Describe how the ids of a day were found."""
    return {
        **asdict(record),
        "why_not_the_viewer": found.reason or "the viewer was certain, or nobody had to be asked",
        "viewer_requests": found.requests,
        "viewer_seconds": found.seconds,
    }


def known_rows(table: Rows, rows: Rows, dataset: Dataset) -> ExistingRows:
    """Return what was known of a day at the revision at which its ids were found.

    Nothing, if the ids were found for other rows than these, in another repo, or in one whose history is gone, or if
    the table does not say so.

    Args:
        table: the stored ids, [n matches x 3].
        rows: the Postgres day, [n rows x 25].
        dataset: the dataset.
    """
    record = ExistingIdsRecord.read(table)
    if not record.revision or not record.source or record.repo != dataset.client.repo_id:
        return ExistingRows.unknown()
    if record.asked_for != identity_digest(rows):
        return ExistingRows.unknown()
    try:
        return ExistingRows(table, dataset.client.at(record.revision), record.source)
    except UnknownRevisionError:
        return ExistingRows.unknown()
