"""One dataset repo on the Hub: its head, what it holds at a revision, and the commit; the client of the Hub."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import IO, cast
from urllib.parse import quote

from huggingface_hub import HfApi, HfFileSystem, constants
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import (
    build_hf_headers,
    disable_progress_bars,
    hf_raise_for_status,
    http_backoff,
    validate_repo_id,
)

from govbr_assets.core.layout import CARD_PATH
from govbr_assets.errors import ConfigurationError, HubUnavailableError, UnknownRevisionError
from govbr_assets.huggingface.errors import ParentConflictError, storage_refusal, translated_errors
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.history import Commit, list_commits, trailer_since
from govbr_assets.huggingface.small_files import CardCache, SmallFiles
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.huggingface.token import machine_token
from govbr_assets.huggingface.upload import operations_of, uploads_ahead, were_sent
from govbr_assets.io import memory
from govbr_assets.io.settings import base_url
from govbr_assets.io.settings import token as clean_token
from govbr_assets.redact import remember

disable_progress_bars()  # they would fill the run's log

_PATHS = 400  # of one question, which a commit of ours needs one or two of


class _Files(HfFileSystem):
    """The client's file system, without the listing of the whole folder that it makes for every file it opens."""

    def isdir(self, path: str) -> bool:
        """Say no: only files of a snapshot are ever opened."""
        return False


class RepoClient:
    """Client of one dataset repo.

    Args:
        repo_id: `namespace/name`.
        private: visibility of the repo if this project creates it.
        token: None takes the one that the machine is logged in with.
        endpoint: None takes the public Hub.
        cards: where cards are kept between runs; None fetches them anew.
        patience: seconds that a publication may wait for a Hub that is busy or whose commits of the hour are spent.
    """

    def __init__(
        self,
        repo_id: str,
        *,
        private: bool = True,
        token: str | None = None,
        endpoint: str | None = None,
        cards: CardCache | None = None,
        patience: float = 60.0,
    ) -> None:
        try:
            validate_repo_id(repo_id)
            complete = repo_id.count("/") == 1
        except HFValidationError:
            complete = False
        if not complete:
            raise ConfigurationError(f"GOVBR_REPO_ID is {repo_id!r}: write namespace/name, such as my-org/my-news.")
        self.repo_id, self.private, self.patience = repo_id, private, patience
        self._small = SmallFiles(cards)
        remember(token)
        self._token = clean_token("HF_TOKEN", token or "")
        remember(self._token)
        sent = self._token or (True if self.token else None)  # true: what `machine_token` gives then, for each request
        endpoint = base_url("HF_ENDPOINT", endpoint or "", "https://huggingface.co") or None
        self.api = HfApi(endpoint=endpoint, token=sent)
        # Its caches outlive revisions: every path names its commit, and the size comes from our listing.
        self._file_system = _Files(endpoint=endpoint, token=sent, skip_instance_cache=True, use_listings_cache=False)
        self._followed_by: dict[str, str] = {}
        self.accepted_card: bytes | None = None  # the last one that the Hub called valid, `validate` fills it
        self.at = lru_cache(maxsize=4)(self._at)

    @property
    def token(self) -> str | None:
        """The token: that of `HF_TOKEN`, else the machine's, which may be another one in an hour."""
        return self._token or machine_token()

    def head(self) -> Snapshot:
        """List the repo at its newest commit; an empty snapshot without revision if there is no repo.

        Raises:
            HubUnavailableError: the Hub is out of reach.
            HubDeniedError: the token is refused.
        """
        with translated_errors(self.repo_id, "asking for the head"):
            try:
                revision = self.api.dataset_info(self.repo_id).sha or ""
            except RepositoryNotFoundError:
                return self.at(None)
        return self.at(self.forward(revision))

    def page(self, revision: str, path: str = "") -> str:
        """Return the URL of a file at a revision, or of all files, as a browser shows them."""
        repo = f"{self.api.endpoint}/datasets/{self.repo_id}"
        return f"{repo}/blob/{revision}/{quote(path)}" if path else f"{repo}/tree/{revision}"

    def key_of(self, revision: str) -> str:
        """Name what is kept of a revision: revisions are a repo's own, and a copy of a repo may go another way."""
        return sha256(f"{self.repo_id}@{revision}".encode()).hexdigest()

    def follow(self, parent: str, revision: str) -> None:
        """Remember a commit of our own: the Hub may tell its parent for a while."""
        self._followed_by[parent] = revision

    def forward(self, revision: str) -> str:
        """Follow our own commits from a revision on: what the Hub tells can lag behind them."""
        while revision in self._followed_by:
            revision = self._followed_by[revision]
        return revision

    def _at(self, revision: str | None) -> Snapshot:
        """List the repo at a commit; without one it is empty."""
        if not revision:
            return Snapshot(None, {})
        with translated_errors(self.repo_id, f"listing revision {revision[:8]}"):
            entries = self.api.list_repo_tree(self.repo_id, repo_type="dataset", revision=revision, recursive=True)
            files = [entry for entry in entries if isinstance(entry, RepoFile)]
        bare = Snapshot(revision, {file.path: _as_ours(file, revision) for file in files})
        card = bare.files.get(CARD_PATH)
        return replace(bare, card=self._small.card(card.content, lambda: self._read(card))) if card else bare

    def files_at(self, revision: str, paths: Sequence[str]) -> dict[str, DataFile]:
        """Ask for some files of a commit that was made just now: by path, those that are there.

        Raises:
            HubUnavailableError: the Hub is out of reach, or does not know the commit yet.
        """
        entries = []
        for start in range(0, len(paths), _PATHS):
            asked = list(paths[start : start + _PATHS])
            try:
                with translated_errors(self.repo_id, f"looking at revision {revision[:8]}"):
                    entries += self.api.get_paths_info(self.repo_id, asked, repo_type="dataset", revision=revision)
            except UnknownRevisionError as error:
                told = f"The Hub does not know yet the revision {revision[:8]} of {self.repo_id} that it has made."
                raise HubUnavailableError(told) from error
        return {entry.path: _as_ours(entry, revision) for entry in entries if isinstance(entry, RepoFile)}

    def commits(self, revision: str = "main") -> Iterator[Commit]:
        """Go through the commits that lead to a revision, newest first, a page at a time."""
        return list_commits(self.api.endpoint or constants.ENDPOINT, self.repo_id, revision, lambda: self.token)

    def trailer_since(self, name: str, instant: datetime) -> int:
        """Add up a trailer of the commits since an aware instant; 0 if there is no repo."""
        return trailer_since(self.commits(), name, instant) if self.head().revision else 0

    def content(self, snapshot: Snapshot, path: str) -> bytes | None:
        """Read a small file at a revision; None when it is not there."""
        file = snapshot.files.get(path)
        return self._small.get(file.content, lambda: self._read(file)) if file else None

    def _read(self, file: DataFile) -> bytes:
        with translated_errors(self.repo_id, f"reading {file.path}"), self.open(file) as remote:
            return remote.read(file.size)

    def open(self, file: DataFile) -> IO[bytes]:
        """Open a file for reading ranges of it; nothing travels but what is read."""
        address = f"datasets/{self.repo_id}@{file.revision}/{file.path}"
        return cast(IO[bytes], self._file_system.open(address, "rb", cache_type="none", size=file.size))

    def create(self) -> Snapshot:
        """Create the repo, which nobody has published to yet."""
        with translated_errors(self.repo_id, "creating the repo"):
            self.api.create_repo(self.repo_id, repo_type="dataset", private=self.private, exist_ok=True)
        return self.head()

    def commit(self, parent: str, changes: FileChanges) -> str:
        """Make one commit on the head, if the head is still `parent`.

        Returns:
            The new revision; what it holds the client does not say.

        Raises:
            ParentConflictError: the head is another commit by now.
        """
        operations = operations_of(changes.put, changes.delete, changes.copy)
        with translated_errors(self.repo_id, f"committing {len(operations)} files"):
            try:
                for group in uploads_ahead(operations, changes.fresh):  # nobody sees them before the commit names them
                    self.api.preupload_lfs_files(self.repo_id, group, repo_type="dataset")
                    memory.release_free_memory()
                revision = self.api.create_commit(
                    self.repo_id,
                    operations,
                    commit_message=changes.message,
                    commit_description=changes.description or None,
                    repo_type="dataset",
                    parent_commit=parent,
                ).oid
            except ConnectionError as error:
                if storage_refusal(error):
                    self._ask_for_storage()
                raise
        if not were_sent(operations):
            raise ParentConflictError("The head has these very files already: the client has sent nothing.")
        return revision

    def _ask_for_storage(self) -> None:
        """Ask whether the storage may be written to: who refuses it says why, and the storage's client drops that."""
        address = f"{self.api.endpoint}/api/datasets/{self.repo_id}/xet-write-token/{constants.DEFAULT_REVISION}"
        hf_raise_for_status(http_backoff("GET", address, headers=build_hf_headers(token=self.token)))


def _as_ours(file: RepoFile, revision: str) -> DataFile:
    """Describe a file of the client's in our words."""
    return DataFile(file.path, file.lfs.sha256 if file.lfs else file.blob_id, file.size, revision)
