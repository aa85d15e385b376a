"""All repos of a Hub in one folder: which there are, who may see them, and the way to each one's history.

Everything outlives a restart and a `kill -9`. One process at a time owns a folder; its threads may do what they like.
HTTP, tokens and the dataset viewer live elsewhere and only read and write through here.
"""

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from govbr_assets.local.hub.blobs import Blob, Blobs
from govbr_assets.local.hub.changes import Operation, Put
from govbr_assets.local.hub.commits import Commit
from govbr_assets.local.hub.errors import RefusedError, RepoExistsError, RepoNotFoundError
from govbr_assets.local.hub.history import MAIN, History
from govbr_assets.local.hub.xet import Xorbs

Visibility = Literal["public", "private"]

_REPO, _MOVED = "repo.json", "moved"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,95}")
_LARGE = ("7z", "arrow", "bin", "bz2", "gz", "npy", "npz", "onnx", "parquet", "pkl", "rar", "tar", "xz", "zip", "zst")
GIT_ATTRIBUTES = "".join(f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in _LARGE).encode()
"""What `.gitattributes` of a new repo holds: which files are kept as LFS."""


class HubStore:
    """Dataset repos on disk.

    A revision is the branch's name, `main`, that of a tag, or the full sha of a commit. Every method that takes a
    `repo_id` raises `RepoNotFoundError` for one that is not there, and one that takes a revision too
    `RevisionNotFoundError`.

    Args:
        folder: where they are kept; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "repos"
        self._temporary = folder / "tmp"
        shutil.rmtree(self._temporary, ignore_errors=True)  # what a killed process was in the middle of
        self._folder.mkdir(parents=True, exist_ok=True)
        self._temporary.mkdir()
        self.blobs = Blobs(folder / "blobs", self._temporary)
        self.xorbs = Xorbs(folder / "xorbs", self._temporary)
        self._lock = threading.Lock()
        self._histories: dict[str, History] = {}

    def repos(self) -> list[str]:
        """List the repos, `namespace/name`, sorted."""
        return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in self._folder.glob("*/*/repo.json"))

    def create(self, repo_id: str, visibility: Visibility = "public") -> Commit:
        """Make a repo that holds `.gitattributes` and nothing else, as the Hub does.

        Returns:
            The first commit.

        Raises:
            RepoExistsError: it is there already.
            RefusedError: the name is not `namespace/name` in the letters that the Hub allows.
        """
        with self._lock:
            place = self._place(repo_id)
            if (place / _REPO).exists():
                raise RepoExistsError(f"You already created this dataset repo: {repo_id}")
            draft = Path(tempfile.mkdtemp(dir=self._temporary))
            (draft / _REPO).write_text(json.dumps({"visibility": visibility}))
            attributes = Put(".gitattributes", self.blobs.add(GIT_ATTRIBUTES))
            first = History(draft / "commits", self.blobs, self._temporary).commit(None, [attributes], "initial commit")
            shutil.rmtree(place, ignore_errors=True)  # the sign to where a repo of this name has moved
            place.parent.mkdir(exist_ok=True)
            draft.rename(place)
            return first

    def delete(self, repo_id: str) -> None:
        """Take a repo away with its whole history; contents that only it used stay on disk, out of reach."""
        with self._lock:
            place = self._existing(repo_id)
            self._histories.pop(repo_id, None)
            grave = Path(tempfile.mkdtemp(dir=self._temporary))
            place.rename(grave / "repo")
            shutil.rmtree(grave)

    def rename(self, repo_id: str, to: str) -> None:
        """Give a repo another name; who asks for it under the old one is sent on, until that one is somebody else's.

        Raises:
            RepoExistsError: there is a repo of the new name.
        """
        with self._lock:
            place, target = self._existing(repo_id), self._place(to)
            if (target / _REPO).exists():
                raise RepoExistsError(f"You already created this dataset repo: {to}")
            self._histories.pop(repo_id, None)
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(exist_ok=True)
            place.rename(target)
            place.mkdir()
            (place / _MOVED).write_text(to)

    def moved_to(self, repo_id: str) -> str | None:
        """Return under which name a repo is now that had this one; None if none had it, or one has it again."""
        try:
            place = self._place(repo_id)
        except RefusedError:
            return None
        moved = (place / _MOVED).read_text() if (place / _MOVED).exists() else None
        return (self.moved_to(moved) or moved) if moved else None

    def visibility(self, repo_id: str) -> Visibility:
        """Return who may see a repo."""
        return json.loads((self._existing(repo_id) / _REPO).read_bytes())["visibility"]

    def head(self, repo_id: str) -> str:
        """Return the sha of the newest commit: 40 hex digits."""
        return self.history(repo_id).head.sha

    def commits(self, repo_id: str, revision: str = MAIN) -> list[Commit]:
        """List the commits that lead to a revision, newest first."""
        return self.history(repo_id).commits(revision)

    def tree(self, repo_id: str, revision: str = MAIN) -> Mapping[str, Blob]:
        """Return the files of a revision: path to content, sorted by path; not to be changed."""
        return self.history(repo_id).tree(revision)

    def commit(
        self, repo_id: str, parent: str | None, operations: Sequence[Operation], title: str, description: str = ""
    ) -> Commit:
        """Add a commit to `main`, or change nothing at all; see `History.commit`."""
        return self.history(repo_id).commit(parent, operations, title, description)

    def history(self, repo_id: str) -> History:
        """Return the history of a repo, the same object each time."""
        with self._lock:
            if repo_id not in self._histories:
                folder = self._existing(repo_id) / "commits"
                self._histories[repo_id] = History(folder, self.blobs, self._temporary)
            return self._histories[repo_id]

    def _existing(self, repo_id: str) -> Path:
        try:
            place = self._place(repo_id)
        except RefusedError:
            place = None
        if place is None or not (place / _REPO).exists():
            raise RepoNotFoundError(f"Repository not found: {repo_id}")
        return place

    def _place(self, repo_id: str) -> Path:
        parts = repo_id.split("/")
        if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
            raise RefusedError(f"{repo_id!r} is not a name for a repo: it takes the form namespace/name.")
        return self._folder.joinpath(*parts)
