"""What `reduced_dataset` records: which revision of the full dataset is mirrored, and which files were made for it."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster import DataVersion, MetadataValue

from govbr_assets.core.counting import count
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import CommitResult
from govbr_assets.defs.metadata.events import NO_REPO, Event, Metadata, Values
from govbr_assets.defs.metadata.hub_pages import on_the_hub
from govbr_assets.defs.metadata.markdown import table
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.operations.release import TaggedReleases

if TYPE_CHECKING:
    from govbr_assets.operations.project.compare import ProjectionComparison
    from govbr_assets.operations.project.plan import ProjectionReport

_SHOWN = 20  # files


@dataclass(frozen=True)
class ProjectionRecord:
    """What later runs read of a projection.

    Attributes:
        repo: of the projection.
        source_repo: of the full dataset.
        source_revision: the revision of that one which it mirrors; empty if there was none.
        revision_before: of the projection; empty if there was no repo.
        revision_after: likewise.
        projection: the fingerprint of its columns and rows.
        dry_run: nothing was committed.
    """

    repo: str
    source_repo: str
    source_revision: str
    revision_before: str
    revision_after: str
    projection: str
    dry_run: bool

    def to_metadata(self) -> Metadata:
        """Write the record."""
        return {
            "dry_run": self.dry_run,
            "repo": self.repo,
            "source_repo": self.source_repo,
            "source_revision": self.source_revision,
            "revision_before": self.revision_before,
            "revision_after": self.revision_after,
            "projection": self.projection,
        }

    @classmethod
    def from_event(cls, event: Event | None) -> "ProjectionRecord":
        """Read a record."""
        values = Values(event)
        repos = values.text("repo"), values.text("source_repo"), values.text("source_revision")
        revisions = values.text("revision_before"), values.text("revision_after")
        return cls(*repos, *revisions, values.text("projection"), values.flag("dry_run"))


class ProjectionProgress:
    """The commits of a projection, added up.

    Args:
        dataset: its own.
        source_repo: of the full dataset.
        fingerprint: of the projection.
        dry_run: nothing is committed.

    Attributes:
        source: the revision of the full dataset that is mirrored; empty if there is none.
    """

    def __init__(self, dataset: Dataset, source_repo: str, fingerprint: str, *, dry_run: bool) -> None:
        self._dataset, self._source_repo, self._dry_run = dataset, source_repo, dry_run
        self._fingerprint = fingerprint
        self._before: Snapshot | None = None
        self._after, self.source, self._tags = Snapshot(None, {}), "", TaggedReleases()
        self._made, self._numbers, self._notes = list[str](), Counter[str](), list[str]()

    def add(self, result: "CommitResult[ProjectionReport]") -> None:
        """Add a commit, or what one would be."""
        report = result.report
        self._before = self._before or result.parent
        self._after, self.source = result.snapshot, report.source or ""
        self._notes = [*result.notes, *result.unwritten]
        self._made += report.made
        done = {"commits": int(result.committed), "files_made": len(report.made), "files_dropped": len(report.dropped)}
        self._numbers.update(done | {"bytes_written": result.changeset.size})

    def tagged(self, tags: TaggedReleases) -> None:
        """Add what became of the tag of a release."""
        self._tags = tags

    @property
    def version(self) -> DataVersion:
        """The version of the projection: what it says of its contents is the revision."""
        return DataVersion(self._after.revision or NO_REPO)

    def __str__(self) -> str:
        made, dropped = self._numbers["files_made"], self._numbers["files_dropped"]
        source = self.source[:8] or "nothing"
        return f"{self._dataset.client.repo_id} mirrors {source}: {count(made, 'file')} made anew, {dropped:,} dropped."

    def to_metadata(self) -> Metadata:
        """Describe all of it."""
        client, before = self._dataset.client, (self._before.revision if self._before else "") or ""
        record = ProjectionRecord(
            *(client.repo_id, self._source_repo, self.source, before, self._after.revision or ""),
            *(self._fingerprint, self._dry_run),
        )
        return {
            "dagster/row_count": sum(map(self._dataset.reader.row_count, self._after.data_files)),
            **record.to_metadata(),
            **on_the_hub(client, self._after),
            **{name: self._numbers[name] for name in ("commits", "files_made", "files_dropped", "bytes_written")},
            "files": len(self._after.data_files),
            "made": "\n".join(self._made[:_SHOWN]) or "none",
            "tags": ", ".join(self._tags.created) or self._tags.problem or "none",
            "notes": "\n".join(self._notes) or "none",
        }


def comparison_metadata(found: "ProjectionComparison") -> Metadata:
    """Describe a comparison with the full dataset."""
    rows = [
        (each.path, each.rows, "not there" if each.found is None else each.found) for each in found.differences[:_SHOWN]
    ]
    return {
        "revision": found.reduced or NO_REPO,
        "mirrors": found.source or "not known",
        "full_revision": found.full or NO_REPO,
        "commits_behind": "not known" if found.behind is None else found.behind,
        "files": found.files,
        "different": len(found.differences),
        "examples": MetadataValue.md(table(["file", "rows", "found"], rows, {"rows", "found"})) if rows else "none",
    }
