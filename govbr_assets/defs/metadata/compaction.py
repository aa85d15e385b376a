"""What is told of a fold for the UI: files before and after, rows, duplicates, bytes, and how far it is."""

from collections import Counter
from typing import Any

from dagster import MetadataValue

from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.operations.compact.plan import CompactionCommit

_PROOF = (
    "Before each commit every file was read back from the disk: its ids and row digests are the ones that were read,"
    " less the dropped duplicates; its schema is the contract; its rows are in order, no id twice; row groups that were"
    " copied have the same bytes."
)


class CompactionProgress:
    """The commits of a fold, added up.

    Args:
        repo_id: of the repo.
        before: the revision that it begins with.
    """

    def __init__(self, repo_id: str, before: Snapshot) -> None:
        self._repo_id = repo_id
        self._before = self._after = before
        self._came: list[DataFile] = []
        self._put: dict[str, int] = {}
        self._numbers, self._dropped = Counter[str](), Counter[str]()
        self._left, self._notes = 0, list[str]()

    @property
    def commits(self) -> int:
        """How many there are."""
        return self._numbers["commits"]

    def add(self, folded: CompactionCommit) -> None:
        """Add a commit."""
        edit = folded.publication.edit
        self._came += folded.came
        self._after, self._left = folded.publication.snapshot, folded.left
        self._put |= {path: folded.rows[path] for path in edit.put if path in folded.rows}
        self._dropped.update(folded.dropped)
        self._notes = folded.publication.notes
        self._numbers.update(commits=1, bytes_written=edit.size, bytes_new=folded.new_bytes)

    def __str__(self) -> str:
        done, total = len(self._came), len(self._came) + self._left
        return (
            f"{done} of {total} files are folded ({done / max(1, total):.0%}), {self._left} are left;"
            f" {self.commits} commits, {self._dropped.total()} duplicates dropped."
        )

    def metadata(self) -> dict[str, Any]:
        """Tell all of it."""
        came = "\n".join(f"{file.path} ({file.size:,} bytes)" for file in self._came)
        return {
            "repo": self._repo_id,
            "files_in": len(self._came),
            "files_out": len(self._put),
            "dagster/row_count": sum(self._put.values()),
            "duplicates_dropped": self._dropped.total(),
            "bytes_in": sum(file.size for file in self._came),
            "bytes_written": self._numbers["bytes_written"],
            "bytes_new": self._numbers["bytes_new"],
            "commits": self.commits,
            "revision_before": self._before.revision or "",
            "revision_after": self._after.revision or "",
            "dropped_from": MetadataValue.md(_table("file | duplicates", self._dropped)),
            "written": MetadataValue.md(_table("file | rows", self._put)),
            "still_different": "\n".join(self._notes[:20]) or "none: every file has the published schema",
            "taken_up": came or "nothing: all is folded",
            "proof": _PROOF if self._came else "nothing was written",
        }


def _table(head: str, numbers: dict[str, int]) -> str:
    """Show numbers by file as a Markdown table."""
    lines = [f"{path} | {number:,}" for path, number in sorted(numbers.items())]
    return "\n".join([head, "--- | ---:", *lines]) if lines else "none"
