"""What one commit of a projection does: it mirrors a revision of the full dataset wholly.

Which revision that is belongs to `next_source`, how a file is made to `files`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from govbr_assets.core.counting import count
from govbr_assets.core.projection import Projection
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset, SourceRevision
from govbr_assets.dataset.left_over import left_over
from govbr_assets.dataset.schema_version import outdated, schema_version
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.commit import COMMIT_FILES, Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.project.files import ProjectedFiles
from govbr_assets.operations.project.mirror import Mirror, check_replaceable, mirror_of, released, remember
from govbr_assets.operations.project.next_source import Sources, stale_files


@dataclass(frozen=True)
class ProjectionReport:
    """What a commit of a projection does.

    Attributes:
        source: the revision of the full dataset that is mirrored wholly after it; None if there is none.
        goal: the revision that all commits lead to.
        behind: the one that was mirrored before, as the history tells; empty if it does not.
        made: paths of the files that are made anew.
        dropped: paths of the files that go.
        remaining: files of the time before that are left for later commits to delete.
    """

    source: str | None
    goal: str | None
    behind: str = ""
    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    remaining: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing remains to be done."""
        return self.source == self.goal and not self.remaining


class ProjectionSync:
    """The next commit of a projection.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        projection: which columns and rows.
        goal: the snapshot of the full dataset to be mirrored.
        files: makes the files.
    """

    def __init__(
        self, full: Dataset, reduced: Dataset, projection: Projection, goal: Snapshot, files: ProjectedFiles
    ) -> None:
        self._full, self._reduced, self._projection, self._goal = full, reduced, projection, goal
        self._files, self._sources = files, Sources(full, goal)

    def plan(self, snapshot: Snapshot) -> Changeset[ProjectionReport]:
        """Plan the commit.

        Raises:
            ContractError: the full dataset is empty or gone, or one of its files cannot be read.
            HubUnavailableError: the Hub is out of reach.
        """
        self._check_source(snapshot)
        mirror = mirror_of(self._full, self._reduced, self._projection, snapshot)
        if not mirror.source:
            check_replaceable(self._full, self._reduced, snapshot)
        if self._goal.revision is None or not self._goal.data_files:
            return Changeset(report=ProjectionReport(self._goal.revision, self._goal.revision))
        origins, since = self._compared(snapshot, mirror), mirror.source
        while True:
            revision, wanted = self._sources.next(since, origins, COMMIT_FILES)
            changeset = self._changeset(snapshot, mirror, revision, wanted, stale_files(wanted, origins))
            if not changeset.empty or changeset.report.complete:
                return changeset
            # The projection does not show what has changed on the way to this revision: it is mirrored already.
            origins, since = {file.path: file.content for file in wanted}, revision

    def _check_source(self, snapshot: Snapshot) -> None:
        """Raise if the full dataset lacks columns of this one, or has no rows where this one has some."""
        goal, full, reduced = self._goal, self._full.client.repo_id, self._reduced.client.repo_id
        there = schema_version(self._full, goal).oldest
        since = {column.name: column.since for column in self._full.spec.columns}
        if any(since[name] > there for name in self._projection.sources):
            raise ContractError(f"{reduced} stays as it is: {outdated(self._full, goal)}")
        if any(map(self._full.reader.row_count, goal.data_files)) or not snapshot.data_files:
            return
        found = "has no rows" if goal.revision else "is not on the Hub"
        raise ContractError(
            f"{full} {found}, so that {reduced} stays as it is: look at {full}, and at GOVBR_REPO_ID; if its rows"
            " should be gone, delete the data files of both by hand."
        )

    def _compared(self, snapshot: Snapshot, mirror: Mirror) -> dict[str, str]:
        """Return the content that is mirrored right, by path: known, or found by comparing files of unknown origin.

        Only files that are there are compared: without one, it has to be made to see whether it has rows.
        """
        origins, there = dict(mirror.origins), snapshot.data_file
        for source in self._goal.data_files:
            file = there(self._projection.path(source.path))
            if source.path not in origins and file and self._files.same(source, file):
                origins[source.path] = source.content
        return origins

    def _changeset(
        self,
        snapshot: Snapshot,
        mirror: Mirror,
        revision: str,
        wanted: tuple[DataFile, ...],
        stale: tuple[DataFile, ...],
    ) -> Changeset[ProjectionReport]:
        """Make the files that are stale, and drop those that mirror none."""
        made = {self._projection.path(file.path): self._files.make(file) for file in stale}
        put = {path: content for path, content in made.items() if content and not _holds(snapshot, path, content)}
        paths = [self._projection.path(file.path) for file in wanted]
        mirrored = {path for path in paths if (made[path] if path in made else snapshot.data_file(path))}
        dropped = [file.path for file in snapshot.data_files if file.path not in mirrored]
        if not mirrored and dropped:
            full, reduced = self._full.client.repo_id, self._reduced.client.repo_id
            raise ContractError(
                f"{full} has no row that {reduced} would have, so that {reduced} stays as it is: look at {full}, and at"
                f" the rows that the projection {self._projection.name} takes."
            )
        room = max(0, COMMIT_FILES - len(put))
        old = [file.path for file in left_over(self._reduced, snapshot)] if len(dropped) < room else []
        delete = tuple([*dropped, *(path for path in old if path not in put)][:room])
        unselect = frozenset(dropped) - {*delete}
        remaining = len(dropped) + len(old) - len(delete)
        report = ProjectionReport(
            revision, self._goal.revision, mirror.source, tuple(put), tuple(dropped), max(0, remaining)
        )
        return Changeset(
            put=put,
            delete=delete,
            unselect=unselect,
            message=_message(self._full.client.repo_id, revision, report),
            source=SourceRevision(revision, self._projection.fingerprint),
            mirrors_release=bool(put or delete) and released(self._full, mirror.source, revision),
            allow_incompatible=True,  # what breaks readers is made anew or goes
            report=report,
        )


def project(
    full: Dataset, reduced: Dataset, projection: Projection, *, dry_run: bool = False, log: Log = lambda _: None
) -> Iterator[CommitResult[ProjectionReport]]:
    """Mirror the newest revision of the full dataset, one commit after another; each is on the Hub when it is given.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        projection: which columns and rows.
        dry_run: give what the first commit would be, and change nothing.
        log: gets a sentence when a commit waits.

    Raises:
        TransientError: the Hub failed, or somebody else keeps committing; what was given before is on the Hub.
        ContractError: the full dataset is empty or gone, or a file cannot be read.
        HubDeniedError: the Hub rejects it.
    """
    goal, here = full.client.head(), reduced.client.head()
    with scratch_folder() as folder:
        files = ProjectedFiles(full, reduced, projection, folder)
        operation = ProjectionSync(full, reduced, projection, goal, files)
        while True:
            result = commit(reduced, operation, here, dry_run=dry_run, log=log)
            source = SourceRevision(result.report.source or "", projection.fingerprint)
            if not dry_run and not result.committed and source.revision not in ("", result.report.behind):
                remember(reduced, result.snapshot, source)
            yield result
            if dry_run or not result.committed or result.report.complete:
                return
            here = result.snapshot


def _holds(snapshot: Snapshot, path: str, content: Path) -> bool:
    """Return whether a data file has these bytes: the projection does not show every change of the full dataset."""
    file = snapshot.data_file(path)
    return file is not None and file.holds(content)


def _message(repo_id: str, revision: str, report: ProjectionReport) -> str:
    """Write the first line of the commit message."""
    return (
        f"Mirror {repo_id} at {revision[:8]}: {count(len(report.made), 'file')} made, {len(report.dropped):,} dropped"
    )
