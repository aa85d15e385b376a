"""One dataset repo on the Hub, and what it holds at a revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, cast

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem, get_token
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars, validate_repo_id

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_data_file, may_hold
from govbr_assets.errors import ConfigurationError
from govbr_assets.hub.failures import hub_failures

disable_progress_bars()  # they would fill the run's log


@dataclass(frozen=True)
class HubFile:
    """A file of the repo.

    Attributes:
        path: in the repo.
        blob: id of the content; the same content has the same id.
        sha256: digest of a large file; None for a small one that git keeps itself.
        size: bytes.
    """

    path: str
    blob: str
    sha256: str | None
    size: int


@dataclass(frozen=True)
class Snapshot:
    """The repo at one revision.

    Attributes:
        revision: 40 hex digits; None while the repo does not exist.
        files: by path.
    """

    revision: str | None
    files: Mapping[str, HubFile]

    @property
    def data_files(self) -> list[HubFile]:
        """Files whose rows readers see, in the order of their names."""
        return [self.files[path] for path in sorted(self.files) if is_data_file(path)]

    def files_for(self, day: Day) -> list[HubFile]:
        """Data files that can hold rows of the day."""
        return [file for file in self.data_files if may_hold(file.path, day)]


class _Files(HfFileSystem):
    """The client's file system, without the listing of the whole folder that it makes for every file it opens."""

    def isdir(self, path: str) -> bool:
        """Say no: only files of a snapshot are ever opened."""
        return False


class Hub:
    """Client of one dataset repo.

    Args:
        repo_id: `namespace/name`.
        private: visibility of the repo if this project creates it.
        token: None takes the one that the machine is logged in with.
        endpoint: None takes the public Hub.
    """

    def __init__(self, repo_id: str, *, private: bool = True, token: str | None = None, endpoint: str | None = None):
        try:
            validate_repo_id(repo_id)
            complete = repo_id.count("/") == 1
        except HFValidationError:
            complete = False
        if not complete:
            raise ConfigurationError(f"GOVBR_REPO_ID is {repo_id!r}: write namespace/name, such as my-org/my-news.")
        self.repo_id, self.private = repo_id, private
        self.token = token or get_token()
        self.api = HfApi(endpoint=endpoint, token=self.token)
        # Its caches outlive revisions: every path names its commit, and the size comes from our listing.
        self._file_system = _Files(
            endpoint=endpoint, token=self.token, skip_instance_cache=True, use_listings_cache=False
        )
        self._followed_by: dict[str, str] = {}
        self.at = lru_cache(maxsize=8)(self._at)

    def head(self) -> Snapshot:
        """List the repo at its newest commit; an empty snapshot without revision if there is no repo.

        Raises:
            HubUnavailableError: the Hub is out of reach.
            HubDeniedError: the token is refused.
        """
        with hub_failures(self.repo_id, "asking for the head"):
            try:
                revision = self.api.dataset_info(self.repo_id).sha or ""
            except RepositoryNotFoundError:
                return self.at(None)
        while revision in self._followed_by:  # the head that the Hub tells can lag behind our own commits
            revision = self._followed_by[revision]
        return self.at(revision)

    def _at(self, revision: str | None) -> Snapshot:
        """List the repo at a commit; without one it is empty."""
        if not revision:
            return Snapshot(None, {})
        with hub_failures(self.repo_id, f"listing revision {revision[:8]}"):
            entries = self.api.list_repo_tree(self.repo_id, repo_type="dataset", revision=revision, recursive=True)
            files = [entry for entry in entries if isinstance(entry, RepoFile)]
        return Snapshot(
            revision,
            {
                file.path: HubFile(file.path, file.blob_id, file.lfs.sha256 if file.lfs else None, file.size)
                for file in files
            },
        )

    def text(self, snapshot: Snapshot, path: str) -> str | None:
        """Read a text file at a revision; None when it is not there."""
        if path not in snapshot.files:
            return None
        with hub_failures(self.repo_id, f"reading {path}"), self.open(snapshot, snapshot.files[path]) as file:
            return file.read(snapshot.files[path].size).decode()

    def open(self, snapshot: Snapshot, file: HubFile) -> IO[bytes]:
        """Open a file at a revision for reading ranges of it; nothing travels but what is read."""
        address = f"datasets/{self.repo_id}@{snapshot.revision}/{file.path}"
        return cast(IO[bytes], self._file_system.open(address, "rb", cache_type="none", size=file.size))

    def create(self) -> Snapshot:
        """Create the repo, which nobody has published to yet."""
        with hub_failures(self.repo_id, "creating the repo"):
            self.api.create_repo(self.repo_id, repo_type="dataset", private=self.private, exist_ok=True)
        return self.head()

    def commit(self, parent: str, put: Mapping[str, bytes], delete: list[str], summary: str) -> str:
        """Make one commit on the head, if the head is still `parent`.

        Returns:
            The new revision.

        Raises:
            StaleParentError: the head is another commit by now.
        """
        operations = [CommitOperationAdd(path_in_repo=path, path_or_fileobj=data) for path, data in put.items()]
        deletions = [CommitOperationDelete(path_in_repo=path) for path in delete]
        with hub_failures(self.repo_id, f"committing {len(put) + len(delete)} files"):
            revision = self.api.create_commit(
                self.repo_id,
                [*operations, *deletions],
                commit_message=summary,
                repo_type="dataset",
                parent_commit=parent,
            ).oid
        if revision != parent:
            self._followed_by[parent] = revision
        return revision
