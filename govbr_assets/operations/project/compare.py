"""How far a projection is from its full dataset: by revision, rows of each file, and digests of what has changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from govbr_assets.core.projection import Projection
from govbr_assets.dataset import Dataset
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.operations.project.files import ProjectedFiles
from govbr_assets.operations.project.mirror import Mirror, mirror_of

_COMMITS = 1_000  # of the full dataset, among which the mirrored one is looked for


@dataclass(frozen=True)
class FileDifference:
    """A file of a projection that is not what it should be.

    Attributes:
        path: of the file.
        rows: that it should have; 0 if it should not be there.
        found: rows that it has; None if it is not there.
    """

    path: str
    rows: int
    found: int | None


@dataclass(frozen=True)
class ProjectionComparison:
    """A revision of a projection, and one of the full dataset.

    Attributes:
        full: the revision of the full dataset; None if it is not on the Hub.
        reduced: the one of the projection; likewise.
        source: the revision of the full dataset that the projection mirrors: the newest one if no file differs, else
            the one that it says; empty if it says nothing.
        behind: how many commits of the full dataset have come since that one; None if that is not known.
        files: how many files it should have at most.
        differences: the files that differ.
    """

    full: str | None
    reduced: str | None
    source: str
    behind: int | None
    files: int
    differences: tuple[FileDifference, ...]


def compare_projection(full: Dataset, reduced: Dataset, projection: Projection) -> ProjectionComparison:
    """Compare the newest revisions of both.

    Files whose origin is known are compared by their rows; those of the full dataset that have changed since, and those
    that somebody else has changed, by digests of the projected columns as well.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        projection: which columns and rows.

    Raises:
        ContractError: a card or a file cannot be read.
        HubUnavailableError: the Hub is out of reach.
    """
    goal, head = full.client.head(), reduced.client.head()
    mirror = mirror_of(full, reduced, projection, head)
    files = ProjectedFiles(full, reduced, projection, Path())
    differences = tuple(_differences(goal, head, mirror, files, reduced, projection))
    source = mirror.source if differences else goal.revision or ""
    behind = _behind(full, goal, source)
    return ProjectionComparison(goal.revision, head.revision, source, behind, len(goal.data_files), differences)


def _behind(full: Dataset, goal: Snapshot, source: str) -> int | None:
    """Count the commits of the full dataset since a revision; None if it is not among the last ones."""
    if source == (goal.revision or ""):
        return 0
    commits = enumerate(islice(full.client.commits(goal.revision), _COMMITS)) if source and goal.revision else ()
    return next((number for number, each in commits if each.revision == source), None)


def _differences(
    goal: Snapshot, head: Snapshot, mirror: Mirror, files: ProjectedFiles, reduced: Dataset, projection: Projection
) -> Iterator[FileDifference]:
    """List the files that differ."""
    rows = reduced.reader.row_count
    wanted = {projection.path(source.path): source for source in goal.data_files}
    for path, source in wanted.items():
        there = head.data_file(path)
        known = mirror.origins.get(source.path) == source.content
        if known and there and not projection.rows and files.rows(source) != rows(there):
            known = False
        if not known and not files.same(source, there):
            yield FileDifference(path, files.rows(source), rows(there) if there else None)
    for file in head.data_files:
        if file.path not in wanted:
            yield FileDifference(file.path, 0, rows(file))
