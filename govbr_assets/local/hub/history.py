"""One repo's branch `main`: a row of commits, each a file, each kept for ever.

A commit file holds what the commit changed, so a history grows with its changes and not with its trees. The row of
numbered files is the branch: renaming the next one into place *is* the commit, and there is no second file that a
`kill -9` could leave behind it. Which repos there are belongs to `store`.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from govbr_assets.local.hub.blobs import Blob, Blobs, write_whole
from govbr_assets.local.hub.changes import Change, Operation, change_of
from govbr_assets.local.hub.commits import Commit, dump, load, new_commit
from govbr_assets.local.hub.errors import RevisionNotFoundError, StaleParentError
from govbr_assets.local.hub.tags import Tags

MAIN = "main"
_CACHED_TREES = 16


class History:
    """The commits of one repo, safe to use from several threads of one process.

    Args:
        folder: where the commit files lie; may be empty or missing. The tags lie beside it.
        blobs: where their contents lie.
        temporary: a folder on the same file system for what is being written.

    Attributes:
        tags: names of some of the commits.
    """

    def __init__(self, folder: Path, blobs: Blobs, temporary: Path) -> None:
        self._folder = folder
        self._temporary = temporary
        self.tags = Tags(folder.parent / "tags", temporary)
        self._lock = threading.Lock()
        self._trees: dict[int, Mapping[str, Blob]] = {}
        records = [load(path.read_bytes(), blobs) for path in sorted(folder.glob("*.json"))]
        self._commits: list[Commit] = [commit for commit, _ in records]
        self._changes: list[Change] = [change for _, change in records]
        self._numbers = {commit.sha: number for number, commit in enumerate(self._commits)}

    @property
    def head(self) -> Commit:
        """The newest commit."""
        return self._commits[-1]

    def commit_at(self, revision: str) -> Commit:
        """Find a commit by the name of the branch or of a tag, or by its full sha."""
        return self._commits[self._number(revision)]

    def commits(self, revision: str) -> list[Commit]:
        """List the commits that lead to a revision, newest first."""
        return self._commits[: self._number(revision) + 1][::-1]

    def tree(self, revision: str) -> Mapping[str, Blob]:
        """Return the files of a revision: path to content, in the order of the paths."""
        number = self._number(revision)
        with self._lock:
            return self._tree(number)

    def has_had(self, blob: Blob) -> bool:
        """Return whether a content is, or was once, a file of the repo."""
        return any(blob in change.put.values() for change in list(self._changes))

    def last_changes(self, revision: str) -> Mapping[str, Commit]:
        """Return which commit wrote each file of a revision last."""
        number = self._number(revision)
        written = {
            path: commit
            for commit, change in zip(self._commits[: number + 1], self._changes, strict=False)
            for path in change.put
        }
        return {path: written[path] for path in self.tree(revision)}

    def commit(self, parent: str | None, operations: Sequence[Operation], title: str, description: str = "") -> Commit:
        """Add a commit to the branch, or change nothing at all.

        Args:
            parent: the sha that the head must have; None for whatever it is.
            operations: what to change, applied in their order.
            title: first line of the message.
            description: the rest of the message.

        Raises:
            StaleParentError: the head is another one by now.
            EntryNotFoundError: a path to delete is not there.
            RefusedError: a path climbs, or is a file and a folder at once.
        """
        with self._lock:
            head = self._commits[-1] if self._commits else None
            if parent is not None and head is not None and parent != head.sha:
                raise StaleParentError(
                    "A commit has happened since. Please refresh and try again. "
                    f"The branch was updated since you started: its head is {head.sha}, not {parent}."
                )
            before = self._tree(len(self._commits) - 1)
            change, tree = change_of(before, operations)
            commit = new_commit(head, tree, title, description)
            number = len(self._commits)
            write_whole(self._folder / f"{number:08}.json", dump(commit, change), self._temporary)
            self._changes.append(change)
            self._commits.append(commit)
            self._numbers[commit.sha] = number
            self._remember(number, tree)
            return commit

    def _number(self, revision: str) -> int:
        if revision in (MAIN, f"refs/heads/{MAIN}"):
            return len(self._commits) - 1
        if revision in self._numbers:  # git takes 40 hex digits for a commit, whatever tag has that name
            return self._numbers[revision]
        tag = self.tags.all().get(revision.removeprefix("refs/tags/"))
        if tag is None:
            raise RevisionNotFoundError(f"Invalid rev id: {revision}")
        return self._numbers[tag.sha]

    def _tree(self, number: int) -> Mapping[str, Blob]:
        if number not in self._trees:
            files: dict[str, Blob] = {}
            for change in self._changes[: number + 1]:
                change.apply(files)
            self._remember(number, dict(sorted(files.items())))
        return self._trees[number]

    def _remember(self, number: int, tree: dict[str, Blob]) -> None:
        while len(self._trees) >= _CACHED_TREES:
            del self._trees[next(iter(self._trees))]
        self._trees[number] = MappingProxyType(tree)
