"""One dataset repo on the Hub: its head, what it holds at a revision, and the commit; the client of the Hub."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import IO, cast
from urllib.parse import quote

from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import (
    build_hf_headers,
    disable_progress_bars,
    hf_raise_for_status,
    http_backoff,
    validate_repo_id,
)

from govbr_assets.core.counting import count
from govbr_assets.core.layout import CARD_PATH
from govbr_assets.errors import ConfigurationError, GovbrAssetsError, HubUnavailableError, UnknownRevisionError
from govbr_assets.huggingface.connections import keep_open
from govbr_assets.huggingface.errors import ParentConflictError, storage_refusal, translated_errors
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.history import Commit, Replayed, list_commits
from govbr_assets.huggingface.known_revisions import KnownRevisions
from govbr_assets.huggingface.remote_file import RemoteFile, StorageAddresses
from govbr_assets.huggingface.small_files import RepoCache, SmallFiles
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.huggingface.token import machine_token
from govbr_assets.huggingface.upload import TakenFile, operations_of, uploads_ahead, were_sent
from govbr_assets.io import memory
from govbr_assets.io.settings import base_url
from govbr_assets.io.settings import token as clean_token
from govbr_assets.redact import remember

disable_progress_bars()  # they would fill the run's log
keep_open()

_MISSING = 404
_PATHS = 400  # of one question, which a commit of ours needs one or two of


class RepoClient:
    """Client of one dataset repo.

    Args:
        repo_id: `namespace/name`.
        private: visibility of the repo if this project creates it.
        token: None takes the one that the machine is logged in with.
        endpoint: None takes the public Hub.
        cache: where is kept between runs what never changes; None asks for it anew.
        patience: seconds that a publication may wait for a Hub that is busy or whose commits of the hour are spent.

    Attributes:
        revisions: what is known of the repo without asking.
    """

    def __init__(
        self,
        repo_id: str,
        *,
        private: bool = True,
        token: str | None = None,
        endpoint: str | None = None,
        cache: RepoCache | None = None,
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
        self.canonical_id = repo_id  # as the Hub has it since it was asked: a repo may have been renamed
        self._small = SmallFiles(cache)
        remember(token)
        self._token = clean_token("HF_TOKEN", token or "")
        remember(self._token)
        sent = self._token or (True if self.token else None)  # true: what `machine_token` gives then, for each request
        endpoint = base_url("HF_ENDPOINT", endpoint or "", "https://huggingface.co") or None
        self.api = HfApi(endpoint=endpoint, token=sent)
        self._storage = StorageAddresses()
        self.revisions = KnownRevisions(self.key_of(constants.DEFAULT_REVISION), cache)
        self.accepted_card: bytes | None = None  # the last one that the Hub called valid, `validate` fills it
        self._history: tuple[str, Iterable[Commit]] = "", ()  # of the last commit that was asked for

    @property
    def token(self) -> str | None:
        """The token: that of `HF_TOKEN`, else the machine's, which may be another one in an hour."""
        return self._token or machine_token()

    def head(self, *, listed: bool = False) -> Snapshot:
        """Return the repo at its newest commit; an empty snapshot without revision if there is no repo.

        It is listed unless it is known: from a listing, or from what a commit of ours has changed in one.

        Args:
            listed: list it all the same, for whoever judges what the Hub has.

        Raises:
            HubUnavailableError: the Hub is out of reach.
            HubDeniedError: the token is refused, or there is none and the repo is private, or not there.
        """
        revision = self.head_revision()
        if revision and (listed or not self.revisions.get(revision)):
            bare = None if listed else self.revisions.kept(revision)
            self.revisions.add(self._with_card(bare) if bare else self._listed(revision))
            if bare is None:
                self.revisions.keep(self.at(revision))
        return self.at(revision)

    def keep(self, head: Snapshot) -> None:
        """Keep what the repo holds after a commit, for the runs to come."""
        self.revisions.keep(head)
        if head.card is not None:
            self._small.card(head.files[CARD_PATH].content, partial(bytes, head.card))

    def head_revision(self) -> str | None:
        """Ask which commit is the newest one; None if there is no repo that the token may know of.

        Raises:
            HubUnavailableError: the Hub is out of reach.
            HubDeniedError: the token is refused, or there is none and the repo is private, or not there.
        """
        with translated_errors(self.repo_id, "asking for the head"):
            try:
                found = self.api.dataset_info(self.repo_id)
            except RepositoryNotFoundError as error:
                if error.response.status_code != _MISSING:  # which the client says of any repo that it may not see
                    raise
                self.revisions.told = ""
                return None
        self.canonical_id = found.id
        self.revisions.told = found.sha or ""
        return self.forward(self.revisions.told)

    def look_for_head(self) -> None:
        """Ask for the newest commit if the Hub can be asked, so that `last_head` gives it."""
        with suppress(GovbrAssetsError):
            self.head_revision()

    def last_head(self) -> Snapshot | None:
        """Return the repo at the commit that was the head when the Hub was asked last; None if nobody has asked.

        Raises:
            HubUnavailableError: it is somebody else's commit, and the Hub is out of reach.
        """
        return self.at(self.forward(self.revisions.told)) if self.revisions.told else None

    def page(self, revision: str, path: str = "") -> str:
        """Return the URL of a file at a revision, or of all files, as a browser shows them."""
        repo = f"{self.api.endpoint}/datasets/{self.repo_id}"
        return f"{repo}/blob/{revision}/{quote(path)}" if path else f"{repo}/tree/{revision}"

    def key_of(self, revision: str) -> str:
        """Name what is kept of a revision: revisions are a repo's own, and a copy of a repo may go another way."""
        return sha256(f"{self.repo_id}@{revision}".encode()).hexdigest()

    def forward(self, revision: str) -> str:
        """Follow our own commits from a revision on: what the Hub tells can lag behind them."""
        return self.revisions.forward(revision)

    def at(self, revision: str | None) -> Snapshot:
        """Return the repo at a commit, which is listed if it is not known; without a commit it is empty.

        Raises:
            HubUnavailableError: the Hub is out of reach.
            UnknownRevisionError: there is no such commit.
        """
        if not revision:
            return Snapshot(None, {})
        if found := self.revisions.get(revision):
            return found
        self.revisions.add(found := self._listed(revision))
        return found

    def _listed(self, revision: str) -> Snapshot:
        """List the repo at a commit."""
        with translated_errors(self.repo_id, f"listing revision {revision[:8]}"):
            entries = self.api.list_repo_tree(self.repo_id, repo_type="dataset", revision=revision, recursive=True)
            files = [entry for entry in entries if isinstance(entry, RepoFile)]
        return self._with_card(Snapshot(revision, {file.path: _as_ours(file, revision) for file in files}))

    def _with_card(self, bare: Snapshot) -> Snapshot:
        """Add the contents of the card, if there is one."""
        card = bare.files.get(CARD_PATH)
        named = replace(bare, repo_id=self.repo_id)
        return replace(named, card=self._small.card(card.content, lambda: self._read(card))) if card else named

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
        """Go through the commits that lead to a revision, newest first, a page at a time.

        Args:
            revision: a commit, whose history is asked for once, or the name of a branch.
        """
        endpoint = self.api.endpoint or constants.ENDPOINT
        listing = partial(list_commits, endpoint, self.repo_id, revision, lambda: self.token)
        if not constants.REGEX_COMMIT_OID.fullmatch(revision):
            return listing()
        if self._history[0] != revision:
            self._history = revision, Replayed(listing)
        return iter(self._history[1])

    def content(self, snapshot: Snapshot, path: str) -> bytes | None:
        """Read a small file at a revision; None when it is not there."""
        file = snapshot.files.get(path)
        return self._small.get(file.content, lambda: self._read(file)) if file else None

    def _read(self, file: DataFile) -> bytes:
        with translated_errors(self.repo_id, f"reading {file.path}"), self.open(file) as remote:
            return remote.read(file.size)

    def open(self, file: DataFile) -> IO[bytes]:
        """Open a file for reading ranges of it; nothing travels but what is read."""
        return cast(IO[bytes], self.remote(file))

    def remote(self, file: DataFile) -> RemoteFile:
        """Return a file of which several ranges can be fetched at the same time."""
        return RemoteFile(self.address(file), file.content, file.size, lambda: self.token, self._storage)

    def address(self, file: DataFile) -> str:
        """Return the URL that gives the contents of a file at its revision, or leads to them."""
        repo = {"repo_type": "dataset", "endpoint": self.api.endpoint}
        return hf_hub_url(self.repo_id, file.path, revision=file.revision, **repo)

    def create(self) -> Snapshot:
        """Create the repo, which nobody has published to yet."""
        with translated_errors(self.repo_id, "creating the repo"):
            self.api.create_repo(self.repo_id, repo_type="dataset", private=self.private, exist_ok=True)
        return self.head()

    def commit(self, parent: str, changes: FileChanges, taken: Mapping[str, TakenFile] | None = None) -> str:
        """Make one commit on the head, if the head is still `parent`.

        Args:
            parent: the head, 40 hex digits.
            changes: the files.
            taken: what the Hub has said of them already, by path; None lets the client ask.

        Returns:
            The new revision; what it holds the client does not say.

        Raises:
            ParentConflictError: the head is another commit by now.
        """
        operations = operations_of(changes.put, changes.delete, changes.copy, taken)
        with translated_errors(self.repo_id, f"committing {count(len(operations), 'file')}"):
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
        memory.release_free_memory()  # what uploads took lies between blocks that stay
        if not were_sent(operations):
            raise ParentConflictError("The head has these very files already: the client has sent nothing.")
        self.revisions.told = revision
        return revision

    def _ask_for_storage(self) -> None:
        """Ask whether the storage may be written to: who refuses it says why, and the storage's client drops that."""
        address = f"{self.api.endpoint}/api/datasets/{self.repo_id}/xet-write-token/{constants.DEFAULT_REVISION}"
        hf_raise_for_status(http_backoff("GET", address, headers=build_hf_headers(token=self.token)))


def _as_ours(file: RepoFile, revision: str) -> DataFile:
    """Describe a file of the client's in our words."""
    return DataFile(file.path, file.lfs.sha256 if file.lfs else file.blob_id, file.size, revision)
