"""What is known of a repo's revisions without asking: the last snapshots, which never change, and our own commits.

Also which commit was the head when the Hub was asked last. What a revision holds that nobody knows, the client asks.
"""

from govbr_assets.huggingface.kept_tree import snapshot_of, tree_of
from govbr_assets.huggingface.small_files import RepoCache
from govbr_assets.huggingface.snapshot import Snapshot

_SNAPSHOTS = 4


class KnownRevisions:
    """The revisions of a repo that are known.

    Args:
        key: names the repo in the cache.
        cache: where is kept between runs what the repo held last; None keeps nothing.

    Attributes:
        told: the head that the Hub told last; empty if it has told none.
    """

    def __init__(self, key: str, cache: RepoCache | None) -> None:
        self._key, self._cache, self.told = key, cache, ""
        self._snapshots = dict[str, Snapshot]()
        self._followed_by = dict[str, str]()

    def get(self, revision: str) -> Snapshot | None:
        """Return the repo at a commit, if it is one of the last that were added or asked for."""
        if found := self._snapshots.get(revision):
            self.add(found)
        return found

    def add(self, snapshot: Snapshot) -> None:
        """Remember the repo at a commit."""
        others = [(each, found) for each, found in self._snapshots.items() if each != snapshot.revision]
        self._snapshots = dict([*others, (snapshot.revision or "", snapshot)][-_SNAPSHOTS:])

    def follow(self, parent: str, landed: Snapshot) -> None:
        """Remember a commit of our own, whose files were looked at: the Hub may tell its parent for a while."""
        self._followed_by[parent] = landed.revision or ""
        self.add(landed)

    def forward(self, revision: str) -> str:
        """Follow our own commits from a revision on: what the Hub tells can lag behind them."""
        while revision in self._followed_by:
            revision = self._followed_by[revision]
        return revision

    def kept(self, revision: str) -> Snapshot | None:
        """Return the repo at a commit, without its card, if it is what an earlier run has kept."""
        tree = self._cache.tree(self._key) if self._cache else None
        return snapshot_of(tree, revision) if tree else None

    def keep(self, head: Snapshot) -> None:
        """Keep what the repo holds now, for the runs to come."""
        if self._cache and head.revision:
            self._cache.keep_tree(self._key, tree_of(head))
