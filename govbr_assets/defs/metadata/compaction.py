"""What `consolidated_dataset` records: files before and after, rows, duplicates, bytes, and how far a run is."""

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance, DataVersion, MetadataValue

from govbr_assets.core.counting import count
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import RemovalApproval
from govbr_assets.dataset.transaction import CommitResult
from govbr_assets.dataset.visible_rows import rows_seen
from govbr_assets.defs.metadata.events import NO_REPO, Event, Metadata, Values, materializations
from govbr_assets.defs.metadata.hub_pages import on_the_hub
from govbr_assets.defs.metadata.markdown import table
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.operations.release import TaggedReleases

if TYPE_CHECKING:
    from govbr_assets.operations.compact.plan import CompactionReport

_CONSOLIDATED = AssetKey("consolidated_dataset")

_PROOF = (
    "Before each commit every file was read back from the disk: its ids and row digests are the ones that were read,"
    " less the dropped duplicates and removed rows; its schema is the contract; its rows are in order, no id twice; row"
    " groups that were copied have the same bytes."
)


@dataclass(frozen=True)
class CompactionRecord:
    """What later runs read of a compaction, or of one that has come as far as a commit.

    Attributes:
        repo: whose.
        revision_before: of the Hub; empty if there was no repo.
        revision_after: likewise.
        dry_run: nothing was committed.
    """

    repo: str
    revision_before: str
    revision_after: str
    dry_run: bool

    def to_metadata(self) -> Metadata:
        """Write the record."""
        return {
            "dry_run": self.dry_run,
            "repo": self.repo,
            "revision_before": self.revision_before,
            "revision_after": self.revision_after,
        }

    @classmethod
    def from_event(cls, event: Event | None) -> "CompactionRecord":
        """Read a record."""
        values = Values(event)
        revisions = values.text("revision_before"), values.text("revision_after")
        return cls(values.text("repo"), *revisions, values.flag("dry_run"))


def last_compactions(instance: DagsterInstance, repo_id: str, number: int) -> list[tuple[float, CompactionRecord]]:
    """Read the last compactions of a repo; those of others may be recorded beside them.

    Args:
        instance: Dagster's.
        repo_id: of the Hub.
        number: how many at most.

    Returns:
        When each one was, in seconds since 1970, and what it recorded, the newest first.
    """
    wanted = materializations(instance, AssetRecordsFilter(_CONSOLIDATED))
    records = ((each.timestamp, CompactionRecord.from_event(each.asset_materialization)) for each in wanted)
    return list(islice((each for each in records if each[1].repo == repo_id), number))


class CompactionProgress:
    """The commits of a compaction, added up.

    Args:
        dataset: what is compacted.
        before: the revision that it begins with.
        dry_run: nothing is committed.
    """

    def __init__(self, dataset: Dataset, before: Snapshot, *, dry_run: bool) -> None:
        self._dataset, self._dry_run = dataset, dry_run
        self._before = self._after = before
        self._inputs: list[DataFile] = []
        self._written: dict[str, int] = {}
        self._numbers, self._dropped = Counter[str](), Counter[str]()
        self._left, self._notes, self._unwritten = 0, list[str](), list[str]()
        self._tags, self._approval = TaggedReleases(), cast(RemovalApproval | None, None)
        self._rows: int | None = None

    @property
    def commits(self) -> int:
        """How many there are."""
        return self._numbers["commits"]

    @property
    def version(self) -> DataVersion:
        """The version of the dataset: what it says of its contents is the revision."""
        return DataVersion(self._after.revision or NO_REPO)

    def add(self, result: "CommitResult[CompactionReport]") -> None:
        """Add a commit."""
        report, changeset = result.report, result.changeset
        self._inputs += report.compacted
        self._after, self._left = result.snapshot, report.waiting
        self._written |= {path: report.rows[path] for path in changeset.put if path in report.rows}
        self._dropped.update(report.dropped)
        self._rows = changeset.visible_rows.after if changeset.visible_rows else None
        self._notes, self._unwritten = result.notes, result.unwritten
        self._approval = changeset.approval or self._approval
        self._numbers.update(
            commits=1, removed=report.removed, bytes_written=changeset.size, bytes_new=report.new_bytes
        )

    def tagged(self, tags: TaggedReleases) -> None:
        """Add what became of tags."""
        self._tags = tags

    def __str__(self) -> str:
        removed = f", {count(self._numbers['removed'], 'row')} removed" if self._numbers["removed"] else ""
        done, total = len(self._inputs), len(self._inputs) + self._left
        dry_run = " Dry run, nothing is written." if self._dry_run else ""
        return (
            f"{done} of {count(total, 'file')} compacted ({done / max(1, total):.0%}), {self._left} left;"
            f" {count(self.commits, 'commit')}, {count(self._dropped.total(), 'duplicate')} dropped{removed}.{dry_run}"
        )

    def to_metadata(self) -> Metadata:
        """Describe all of it."""
        before, after, approval = self._before.revision or "", self._after.revision or "", self._approval
        inputs = "\n".join(f"{file.path} ({file.size:,} bytes)" for file in self._inputs)
        return {
            **on_the_hub(self._dataset.client, self._after),
            **CompactionRecord(self._dataset.client.repo_id, before, after, self._dry_run).to_metadata(),
            "files_in": len(self._inputs),
            "files_out": len(self._written),
            "dagster/row_count": rows_seen(self._dataset, self._after) if self._rows is None else self._rows,
            "rows_written": sum(self._written.values()),
            "duplicates_dropped": self._dropped.total(),
            "removed": self._numbers["removed"],
            **({"approved_removals": approval.approved, "used_removals": approval.used} if approval else {}),
            "bytes_in": sum(file.size for file in self._inputs),
            "bytes_written": self._numbers["bytes_written"],
            "bytes_new": self._numbers["bytes_new"],
            "commits": self.commits,
            "dropped_from": _by_file("duplicates", self._dropped),
            "written": _by_file("rows", self._written),
            "still_different": "\n".join(self._notes[:20]) or "none: every file has the published schema",
            "card_and_changelog": "\n".join(self._unwritten) or "written, if there was anything to write",
            "tags": ", ".join(self._tags.created),
            "tags_missing": self._tags.problem,
            "taken_up": inputs or "nothing: all is compacted",
            "proof": _PROOF if self.commits else "nothing was written",
        }


def _by_file(name: str, numbers: dict[str, int]) -> MetadataValue:
    """Show numbers by file."""
    return MetadataValue.md(table(["file", name], sorted(numbers.items()), numbers=[name]))
