"""A plain model of the product: what PostgreSQL says of a day, what stands on the Hub, and laws 1 to 6 between them.

Nothing here is shared with the product but the schema and the names of files: files are read with pyarrow out of the
local Hub's store, and identity is worked out anew from the rows that the test itself put into PostgreSQL.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import yaml

from govbr_assets.core.days import Day
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.local.hub.store import HubStore
from govbr_assets.local.viewer.data_files import data_files
from govbr_assets.publications import NEWS
from govbr_assets_tests.stranger import exists, read

Rows = list[tuple[str, str, str]]  # of a file, row by row: id, title, day


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
    """Say what PostgreSQL holds of a day."""
    return [row for day, row in all_of(news) if day == key]


def all_of(news: Mapping[int, News]) -> list[tuple[str, Named]]:
    """Say what PostgreSQL holds: a legacy id counts if nobody owns it, and the lowest `news.id` has it."""
    owned, claimed = {each.unique_id for each in news.values()}, set()
    found = []
    for _, each in sorted(news.items()):
        counts = each.legacy_id is not None and each.legacy_id not in owned | claimed
        claimed.add(each.legacy_id)
        ids = (each.unique_id, each.legacy_id) if counts and each.legacy_id else (each.unique_id,)
        found.append((each.day, Named(ids, each.title)))
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

    def files(self, revision: str | None) -> dict[str, Rows]:
        """Read all data files, or fail: by path, id, title and day of each row; no day for no time."""
        paths = [path for path in self._tree(revision) if path.startswith("data/")]
        found = {}
        for path in paths:
            rows = self._table(revision, path)
            days = [str(Day.at(at)) if at else "" for at in rows["published_at"].to_pylist()]
            found[path] = list(zip(rows["unique_id"].to_pylist(), rows["title"].to_pylist(), days, strict=True))
        return found

    def ids(self, revision: str | None) -> Counter[str]:
        """Count the ids of a revision."""
        paths = [path for path in self._tree(revision) if path.startswith("data/")]
        return Counter(name for path in paths for name in self._table(revision, path)["unique_id"].to_pylist())

    def changed(self, before: str | None, after: str) -> list[str]:
        """List the paths that two revisions differ in."""
        old, new = self._tree(before), self._tree(after)
        return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))

    def check_ours(self, before: str | None, after: str, *, deleted: bool = False) -> None:
        """Hold a commit of ours against laws 2 and 3: what it may change, the schema, and that readers see all.

        Args:
            before: the revision before.
            after: the revision that it made.
            deleted: it may delete the files of others, as a compaction does.
        """
        tree, changed = self._tree(after), {*self.changed(before, after)} - {"README.md", "CHANGELOG.md"}
        assert all(is_ours(path) or (deleted and path not in tree) for path in changed)
        for path in changed & set(tree):
            schema = self._table(after, path).schema
            assert schema.equals(NEWS.schema, check_metadata=True), path
        before_tree = self._tree(before)
        for name, found in configs_of_others(before_tree).items():
            assert configs_of_others(tree).get(name) == found, f"the config {name} is others' and has changed"
        assert DATA_PATTERN in tree["README.md"].path.read_text("utf-8")
        assert set(data_files(tree)) == {path for path in tree if path.startswith("data/")}

    def has_others(self, revision: str | None) -> bool:
        """Say whether a revision has configs that are not ours."""
        return bool(configs_of_others(self._tree(revision)))

    def _tree(self, revision: str | None) -> Mapping:
        return self.store.tree(self.repo_id, revision) if revision else {}

    def _table(self, revision: str | None, path: str) -> pa.Table:
        blob = self._tree(revision)[path]
        if blob.oid not in self._tables:
            self._tables[blob.oid] = read(blob)
        return self._tables[blob.oid]


def with_config(card: str, name: str) -> str:
    """Give a card with one more config, whose file lies in a folder of that name, as somebody writes it by hand."""
    head, _, body = card.removeprefix("---\n").partition("---\n") if card.startswith("---\n") else ("", "", card)
    metadata = yaml.safe_load(head) or {}
    ours = {"config_name": "default", "data_files": [{"split": "train", "path": DATA_PATTERN}]}
    theirs = {"config_name": name, "data_files": [{"split": "train", "path": f"{name}/*.parquet"}], "description": name}
    known = [each for each in metadata.get("configs", [ours]) if each["config_name"] != name]
    metadata["configs"] = [*known, theirs]
    return f"---\n{yaml.safe_dump(metadata, sort_keys=False)}---\n{body}"


def configs_of_others(tree: Mapping) -> dict[str, tuple[object, list[tuple[str, str]]]]:
    """List what the card says of configs that are not ours, and the content of their files."""
    if "README.md" not in tree:
        return {}
    head = tree["README.md"].path.read_text("utf-8").split("---\n")[1:2]
    configs = (yaml.safe_load(head[0]) or {}).get("configs", []) if head else []
    names = [each for each in configs if each["config_name"] != "default"]
    return {
        each["config_name"]: (
            each,
            [(path, tree[path].oid) for path in tree if path.startswith(f"{each['config_name']}/")],
        )
        for each in names
    }


def check_once_and_nothing_lost(
    before: Mapping[str, Rows], after: Mapping[str, Rows], rows: Sequence[Named], keys: Iterable[str]
) -> None:
    """Hold two revisions with one commit of ours between them against laws 1 and 7.

    Args:
        before: the files there.
        after: the files here.
        rows: all of PostgreSQL, and the days of the run as it read them.
        keys: the days of the run.
    """
    unsure = disputed(rows)
    named = {name for row in rows for name in row.ids}
    then, now = ids_in(before.values()), ids_in(after.values())
    may_go = {name for path, found in before.items() if is_ours(path) for name, _, day in found if day in {*keys}}
    for name in (then.keys() | now.keys()) - named:  # PostgreSQL has it nowhere
        assert now[name] <= then[name], f"{name} came from nowhere"
        assert now[name] == then[name] or name in may_go, f"{name} left the Hub, though it is of no day of the run"
    for row in rows:
        if not unsure.isdisjoint(row.ids):
            continue
        stood, stands = (sum(counts[name] for name in row.ids) for counts in (then, now))
        assert stands <= max(stood, 1), f"{row.ids} stood there {stood} times and now {stands} times"
        assert stands >= min(stood, 1), f"{row.ids} left the Hub"


def check_published(after: Mapping[str, Rows], key: str, rows: list[Named]) -> None:
    """Hold the state that a successful run says to have published against law 4, for one day.

    Args:
        after: the files of the revision that holds it.
        key: the day.
        rows: the day in PostgreSQL.
    """
    others = ids_in(found for path, found in after.items() if not is_ours(path))
    expected = {row.ids[0]: row.title for row in rows if others.keys().isdisjoint(row.ids)}
    ours = [found for path, found in after.items() if is_ours(path)]
    found = [(name, title) for each in ours for name, title, day in each if day == key]
    assert len(dict(found)) == len(found), f"ids stand twice in the files of {key}"
    assert dict(found) == expected


def ids_in(files: Iterable[Rows]) -> Counter[str]:
    """Count the ids in files."""
    return Counter(name for rows in files for name, _, _ in rows)


def is_ours(path: str) -> bool:
    """Say whether a file is one that this project makes: a day's shard, or a year."""
    return re.fullmatch(r"data/train-\d{4}-(\d\d-\d\d|00)\.parquet", path) is not None


def disputed(rows: Sequence[Named]) -> set[str]:
    """List the ids that are one row to one day and another to another, as the days were read at different times."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        for name in row.ids:
            seen.setdefault(name, set()).add(row.ids)
    return {name for meanings in seen.values() if len(meanings) > 1 for ids in meanings for name in ids}
