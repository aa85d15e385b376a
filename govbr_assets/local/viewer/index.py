"""Which revision of a repo the viewer answers from, and what it has indexed of it.

By default that is the head, all of it, at once. A test can hold it back, cut it short, or let it lag as the real one
does. Nothing here speaks HTTP or reads a row.
"""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from govbr_assets.local.hub.store import HubStore
from govbr_assets.local.viewer.data_files import files_of_default
from govbr_assets.local.viewer.errors import NotFoundError, NotReadyError, UnexpectedError
from govbr_assets.local.viewer.footers import Footer, Footers

_MOST_BYTES = 5_000_000_000
"""How much data the real viewer indexes of a dataset."""


@dataclass(frozen=True)
class Snapshot:
    """What is indexed of a repo.

    Attributes:
        revision: the commit it was made from.
        files: footers of the files, in the order of their names.
        schema: of all files together.
        partial: files at the end are left out.
        config: whose files they are.
    """

    revision: str
    files: list[Footer]
    schema: pa.Schema
    partial: bool
    config: str

    @property
    def rows(self) -> int:
        """How many rows are indexed."""
        return sum(file.rows for file in self.files)


@dataclass(frozen=True)
class _Orders:
    """What a repo's index was told; as it stands, to follow the head."""

    held_at: str | None = None
    ready: bool = True
    most_bytes: int = _MOST_BYTES
    stale: timedelta = timedelta(0)
    building: timedelta = timedelta(0)


@dataclass
class Index:
    """The index of every repo of a Hub. Safe to use from any thread; what a repo is told adds up until `follow`.

    Args:
        store: where the repos are.
    """

    store: HubStore
    _footers: Footers = field(default_factory=Footers)
    _orders: dict[str, _Orders] = field(default_factory=dict)
    _snapshots: dict[str, tuple[tuple[str, int], Snapshot]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, repo_id: str) -> None:
        """Answer from the head again, all of it, at once."""
        self._orders.pop(repo_id, None)

    def hold(self, repo_id: str, revision: str | None = None) -> None:
        """Stay at a revision, whatever is committed; None for the head as it is now."""
        self._tell(repo_id, held_at=revision or self.store.head(repo_id))

    def not_ready(self, repo_id: str) -> None:
        """Be under construction until `follow`."""
        self._tell(repo_id, ready=False)

    def limit(self, repo_id: str, most_bytes: int) -> None:
        """Index no further file once there are as many bytes, before compression; the first is always indexed."""
        self._tell(repo_id, most_bytes=most_bytes)

    def lag(self, repo_id: str, stale: float, building: float) -> None:
        """Lag behind every commit as the real viewer does.

        Args:
            repo_id: which repo.
            stale: seconds from a commit for which the revision before is answered from.
            building: seconds after that for which there is no answer.
        """
        self._tell(repo_id, stale=timedelta(seconds=stale), building=timedelta(seconds=building))

    def snapshot(self, repo_id: str) -> Snapshot:
        """Return what is indexed of a repo now.

        Raises:
            NotReadyError: the index is being built.
            NotFoundError: there are no data files.
            UnexpectedError: the files are not one dataset.
        """
        orders = self._orders.get(repo_id, _Orders())
        key = self._revision(repo_id, orders), orders.most_bytes
        with self._lock:
            known, snapshot = self._snapshots.get(repo_id, (None, None))
            if snapshot is None or known != key:
                snapshot = self._build(repo_id, *key)
                self._snapshots[repo_id] = key, snapshot
            return snapshot

    def _tell(self, repo_id: str, **orders: object) -> None:
        self._orders[repo_id] = replace(self._orders.get(repo_id, _Orders()), **orders)

    def _revision(self, repo_id: str, orders: _Orders) -> str:
        """Choose the revision to answer from."""
        if not orders.ready:
            raise NotReadyError("The server is busier than usual and the response is not ready yet.")
        if orders.held_at:
            return orders.held_at
        if not orders.stale + orders.building:
            return self.store.head(repo_id)
        commits, now = self.store.commits(repo_id), datetime.now(UTC)
        known_after = orders.stale + orders.building
        if any(orders.stale <= now - each.created_at < known_after for each in commits):
            raise NotReadyError("The server is busier than usual and the response is not ready yet.")
        indexed = (each.sha for each in commits if now - each.created_at >= known_after)
        return next(indexed, commits[-1].sha)

    def _build(self, repo_id: str, revision: str, most_bytes: int) -> Snapshot:
        """Read the footers of a revision's data files."""
        config, chosen = files_of_default(self.store.tree(repo_id, revision))
        footers = self._footers.of(chosen.values())
        if not footers:
            raise NotFoundError("Not found: the dataset has no data files.")
        files, size = [], 0
        for footer in footers:
            if size >= most_bytes and files:
                break
            files.append(footer)
            size += footer.data_bytes
        return Snapshot(revision, files, _together(files), len(files) < len(footers), config)


def _together(files: list[Footer]) -> pa.Schema:
    """Unite the schemas of all files."""
    try:
        return pa.unify_schemas(list(dict.fromkeys(file.schema for file in files)), promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UnexpectedError(f"The data files cannot be cast to one schema: {error}") from error
