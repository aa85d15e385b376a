"""A plain model of the product: what PostgreSQL says of a day, what stands on the Hub, and laws 1 to 6 between them.

Nothing here is shared with the product but the schema and the names of files: files are read with pyarrow out of the
local Hub's store, and identity is worked out anew from the rows that the test itself put into PostgreSQL.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.local.hub.store import HubStore
from govbr_assets.local.viewer.data_files import data_files
from govbr_assets_tests.stranger import exists, read

Titles = list[tuple[str, str]]  # of a file, row by row: id and title


@dataclass
class News:
    """A row of PostgreSQL.

    Attributes:
        unique_id: its id.
        legacy_id: what it claims to have been called once.
        day: partition key.
        title: its title.
    """

    unique_id: str
    legacy_id: str | None
    day: str
    title: str


@dataclass(frozen=True)
class Named:
    """A row as a run sees it: all ids that are the row by law 1, the one in PostgreSQL first, and its title."""

    ids: tuple[str, ...]
    title: str


def day_of(news: Mapping[int, News], key: str) -> list[Named]:
    """Say what PostgreSQL holds of a day: a legacy id counts if nobody owns it, and the lowest `news.id` has it."""
    owned, claimed = {each.unique_id for each in news.values()}, set()
    found = []
    for _, each in sorted(news.items()):
        counts = each.legacy_id is not None and each.legacy_id not in owned | claimed
        claimed.add(each.legacy_id)
        if each.day == key:
            ids = (each.unique_id, each.legacy_id) if counts and each.legacy_id else (each.unique_id,)
            found.append(Named(ids, each.title))
    return found


@dataclass
class HubReader:
    """The data files of any revision of a repo, each content read once.

    Attributes:
        store: of the local Hub.
        repo_id: the repo.
    """

    store: HubStore
    repo_id: str
    _tables: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def head(self) -> str | None:
        """The newest revision; None if there is no repo."""
        return self.revisions()[-1] if exists(self.store, self.repo_id) else None

    def revisions(self) -> list[str]:
        """List all revisions, oldest first."""
        known = exists(self.store, self.repo_id)
        return [commit.sha for commit in reversed(self.store.commits(self.repo_id))] if known else []

    def files(self, revision: str | None) -> dict[str, Titles]:
        """Read all data files, or fail: by path, id and title of each row."""
        paths = [path for path in self._tree(revision) if path.startswith("data/")]
        columns = ("unique_id", "title")
        return {
            path: list(zip(*(self._table(revision, path)[name].to_pylist() for name in columns), strict=True))
            for path in paths
        }

    def ids(self, revision: str | None) -> Counter[str]:
        """Count the ids of a revision."""
        return Counter(name for titles in self.files(revision).values() for name, _ in titles)

    def changed(self, before: str | None, after: str) -> list[str]:
        """List the paths that two revisions differ in."""
        old, new = self._tree(before), self._tree(after)
        return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))

    def check_ours(self, before: str | None, after: str, shards: Iterable[str]) -> None:
        """Hold a commit of ours against laws 2 and 3: what it may change, the schema, and that readers see all."""
        tree, changed = self._tree(after), self.changed(before, after)
        assert set(changed) <= {"README.md", *shards}
        for path in set(changed) & set(shards) & set(tree):
            schema = self._table(after, path).schema
            assert schema.equals(NEWS_SCHEMA, check_metadata=True), path
        assert DATA_PATTERN in tree["README.md"].path.read_text("utf-8")
        assert set(data_files(tree)) == {path for path in tree if path.startswith("data/")}

    def _tree(self, revision: str | None) -> Mapping:
        return self.store.tree(self.repo_id, revision) if revision else {}

    def _table(self, revision: str | None, path: str) -> pa.Table:
        blob = self._tree(revision)[path]
        if blob.oid not in self._tables:
            self._tables[blob.oid] = read(blob)
        return self._tables[blob.oid]


def check_once_and_nothing_lost(before: Counter[str], after: Counter[str], rows: Sequence[Named]) -> None:
    """Hold two revisions with one commit of ours between them against laws 1 and 7.

    Args:
        before: how often each id stood there.
        after: how often it does.
        rows: of all days of the run.
    """
    unsure = disputed(rows)
    named = {name for row in rows for name in row.ids}
    others = before.keys() | after.keys()
    assert {name: before[name] for name in others - named} == {name: after[name] for name in others - named}
    for row in rows:
        if not unsure.isdisjoint(row.ids):
            continue
        then, now = (sum(counts[name] for name in row.ids) for counts in (before, after))
        assert now <= max(then, 1), f"{row.ids} stood there {then} times and now {now} times"
        assert now >= min(then, 1), f"{row.ids} left the Hub"


def check_published(before: Mapping[str, Titles], after: Mapping[str, Titles], shard: str, rows: list[Named]) -> None:
    """Hold the state that a successful run says to have published against law 4, for one day.

    Args:
        before: the files of the revision that it was made from.
        after: the files of the revision that holds it.
        shard: the path of the day's shard.
        rows: the day in PostgreSQL.
    """
    elsewhere = {name for path, titles in after.items() if path != shard for name, _ in titles}
    expected = {row.ids[0]: row.title for row in rows if elsewhere.isdisjoint(row.ids)}
    known = {name for row in rows for name in row.ids}
    kept = {name: title for name, title in before.get(shard, []) if name not in known}
    found = after.get(shard, [])
    assert len(dict(found)) == len(found), f"ids stand twice in {shard}"
    assert dict(found) == expected | kept
    assert (shard in after) == bool(found)


def disputed(rows: Sequence[Named]) -> set[str]:
    """List the ids that are one row to one day and another to another, as the days were read at different times."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        for name in row.ids:
            seen.setdefault(name, set()).add(row.ids)
    return {name for meanings in seen.values() if len(meanings) > 1 for ids in meanings for name in ids}
