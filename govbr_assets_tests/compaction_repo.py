"""A repo that is compacted: what others write to it, a plain model of the result, and the laws of every commit.

Files are read out of the local Hub's store, past all of the product's code but the cast, which has tests of its own.
"""

import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core import row_group_copy
from govbr_assets.core.conform_file import conform_file
from govbr_assets.core.days import Day
from govbr_assets.core.digest import row_digests
from govbr_assets.core.row_groups import RowGroup
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import CommitResult
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.viewer.data_files import data_files
from govbr_assets.operations.compact.plan import CompactionReport, compact
from govbr_assets.publications import NEWS
from govbr_assets_tests.laws import HubReader
from govbr_assets_tests.operations.test_compact import TODAY, rows
from govbr_assets_tests.stranger import as_others_write, read, write
from govbr_assets_tests.tables import WRITER_SETTINGS, encode

Files = Mapping[str, bytes | None]
VersionRank = tuple[tuple[bool, int], tuple[bool, int], int]

COMMIT = "/commit/main$"
DATA = r"^/lfs/"
"""Where the bytes of data files come from."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class CompactionRepo:
    """A repo on the local Hub that somebody writes to and that is compacted.

    Attributes:
        local_hub: the Hub.
        repo_id: the repo.
        base: the revision that the first compaction begins with.
        kept: a folder for what is kept of files; none keeps nothing.
    """

    local_hub: LocalHub
    repo_id: str
    base: str = ""
    kept: Path | None = None
    _read: HubReader = field(init=False)

    def __post_init__(self) -> None:
        self._read = HubReader(self.local_hub.store, self.repo_id)

    @property
    def hub(self) -> Dataset:
        """A client of its own, without patience."""
        token, endpoint = self.local_hub.write_token, self.local_hub.endpoint
        folder = Folder(str(self.kept)) if self.kept else None
        return Dataset.open(self.repo_id, NEWS, token=token, endpoint=endpoint, folder=folder, patience=0)

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.local_hub.store.head(self.repo_id)

    @property
    def compactions(self) -> list[str]:
        """The revisions that compactions have made, oldest first."""
        commits = self.local_hub.store.commits(self.repo_id)
        return [commit.sha for commit in reversed(commits) if commit.title.startswith("Compact ")]

    def write(self, files: Files) -> str:
        """Let others commit; until the first compaction this is what it begins with."""
        revision = write(self.local_hub.store, self.repo_id, files)
        self.base = self.base if self.compactions else revision
        return revision

    def compact(self, today: Day = TODAY) -> list[CommitResult[CompactionReport]]:
        """Compact with a client that knows nothing."""
        return list(compact(self.hub, today))

    @property
    def contents(self) -> dict[str, str]:
        """Name the content of each data file of the head."""
        tree = self.local_hub.store.tree(self.repo_id)
        return {path: blob.oid for path, blob in tree.items() if path.startswith("data/")}

    def tables(self, revision: str = "main") -> dict[str, pa.Table]:
        """Read the data files of a revision."""
        tree = self.local_hub.store.tree(self.repo_id, revision)
        return {path: read(blob) for path, blob in tree.items() if path.startswith("data/")}

    def ids(self, revision: str | None = None) -> Counter[str]:
        """Count the ids of a revision."""
        return self._read.ids(revision or self.head)

    def check_history(self, most: int = 95) -> None:
        """Every revision that a compaction has made loads, changes few files, and has the best row of every id.

        No row is there that was not before, and none more often. What others have left unreadable may stay so until
        the last of the compactions.
        """
        revisions = self._read.revisions()
        for before, after in pairwise(revisions[revisions.index(self.base) :]):
            if after not in self.compactions:
                continue
            then, now = self._ranked(before), self._ranked(after)
            assert now - then == Counter()
            best = {unique_id: max(rank for each, rank in then if each == unique_id) for unique_id, _ in then}
            assert set(best.items()) - now.keys() == set()
            assert len(set(self._read.changed(before, after)) - {"README.md", "CHANGELOG.md"}) <= most
            if self._loads(before) or after == self.compactions[-1]:
                self._check_loads(after)

    def check_compacted(self, revision: str) -> None:
        """The head holds what a model makes of a revision: files of years, and shards of days that are not over."""
        files = self.tables(revision)
        stay = {path: rows for path, rows in files.items() if is_open(path)}
        wanted = by_year(table for path, table in files.items() if path not in stay) | stay
        found = self.tables()
        assert sorted(found) == sorted(wanted)
        for path, table in wanted.items():
            assert found[path].schema.equals(NEWS.schema, check_metadata=True)
            assert found[path].equals(table), path

    @staticmethod
    def check_nothing_left() -> None:
        """No temporary file is there."""
        assert list(Path(tempfile.gettempdir()).iterdir()) == []

    def check_settled(self) -> None:
        """One more compaction completes what is there, and one after that makes no commit; all revisions are well."""
        self.compact()
        self.check_history()
        head = self.head
        assert self.compact() == []
        assert self.head == head
        assert set(self.ids().values()) <= {1}

    def _ranked(self, revision: str) -> Counter[tuple[str, VersionRank]]:
        """Count the rows of a revision by id and rank, which holds the digest of all that a row says."""
        return Counter(
            each
            for table in self.tables(revision).values()
            for each in ranked(conform_file(table, "a file", NEWS.schema))
        )

    def _loads(self, revision: str) -> bool:
        """Say whether the files of a revision can be read together by the strictest of readers."""
        tree = self.local_hub.store.tree(self.repo_id, revision)
        with suppress(pl.exceptions.PolarsError):
            pl.read_parquet([blob.path for path, blob in tree.items() if path.startswith("data/")])
            return True
        return False

    def _check_loads(self, revision: str) -> None:
        """The card leads to all data files, and they load together."""
        tree = self.local_hub.store.tree(self.repo_id, revision)
        files = data_files(tree)
        assert set(files) == {path for path in tree if path.startswith("data/")}
        loaded = pl.read_parquet([blob.path for blob in files.values()])
        assert Counter(loaded["unique_id"].to_list()) == self.ids(revision)


@contextmanager
def compaction_repo_in(local_hub: LocalHub, repo_id: str, folder: Path) -> Iterator[CompactionRepo]:
    """Give a repo, and compactions a folder for temporary files of their own, which must be empty in the end."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        repo = CompactionRepo(local_hub, repo_id)
        yield repo
        repo.check_nothing_left()


def is_open(path: str) -> bool:
    """Say whether a path is that of a day that is not over."""
    day = NEWS.layout.day_of(path)
    return day is not None and day >= TODAY


def ranked(table: pa.Table) -> Iterator[tuple[str, VersionRank]]:
    """Give id and rank of each row: when it was extracted, when updated, null before all times, and its digest."""
    times = (table[name].cast(pa.int64()).to_pylist() for name in ("extracted_at", "updated_datetime"))
    dated = ([(each is not None, each or 0) for each in column] for column in times)
    return zip(
        table["unique_id"].to_pylist(),
        zip(*dated, row_digests(table, NEWS.schema).to_pylist(), strict=True),
        strict=True,
    )


def by_year(tables: Iterable[pa.Table]) -> dict[str, pa.Table]:
    """Compact by the letter: of each id the latest row, sorted, by the year in São Paulo."""
    whole = pa.concat_tables(
        [NEWS.schema.empty_table(), *(conform_file(table, "a file", NEWS.schema) for table in tables)]
    )
    best: dict[str, tuple[VersionRank, int]] = {}
    for index, (unique_id, rank) in enumerate(ranked(whole)):
        if unique_id not in best or best[unique_id][0] < rank:
            best[unique_id] = rank, index
    kept = whole.take(pa.array([index for _, index in best.values()], pa.int64())).sort_by(NEWS.sorted_by)
    years = [_year(each) for each in kept["published_at"].cast(pa.int64()).to_pylist()]
    paths = {year: NEWS.layout.compacted_path(year) for year in sorted(set(years))}
    return {path: kept.filter(pa.array([each == year for each in years])) for year, path in paths.items()}


def _year(microseconds: int | None) -> int:
    """Tell the year of an instant; an hour of the year 1 in which São Paulo had none is its own."""
    if microseconds is None:
        return 0
    instant = _EPOCH + timedelta(microseconds=microseconds)
    return Day.at(instant).date.year if instant.date() > datetime(1, 1, 1, tzinfo=UTC).date() else 1


def year_file(table: pa.Table, group_rows: int = 10_000) -> bytes:
    """Write the file of a year as a compaction does: sorted, a row group a month; or with smaller row groups."""
    table = table.sort_by(NEWS.sorted_by)
    months = [Day.at(at).date.month for at in table["published_at"].to_pylist()]
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, NEWS.schema, **WRITER_SETTINGS) as writer:
        for month in sorted(set(months)):
            of_month = table.filter(pa.array([each == month for each in months]))
            writer.write_table(of_month.combine_chunks(), group_rows)
    return sink.getvalue()


def flip_bit(sink: IO[bytes], at: int) -> None:
    """Change a bit of what is written already, and go on at the end."""
    end = sink.tell()
    sink.seek(at)
    (byte,) = sink.read(1)
    sink.seek(at)
    sink.write(bytes([byte ^ 1]))
    sink.seek(end)


def with_a_bit_flipped(at: Callable[[Sequence[RowGroup]], int]) -> Callable[..., list[RowGroup]]:
    """Make a copier of row groups that flips a bit of what it has written.

    Args:
        at: gives the position in the file, of the row groups where they lie now.
    """

    def spliced(groups: Sequence[RowGroup], sink: IO[bytes]) -> list[RowGroup]:
        placed = row_group_copy.splice(groups, sink)
        flip_bit(sink, at(placed))
        return placed

    return spliced


def dozen(name: str) -> dict[str, bytes | None]:
    """Make a dozen shards over two years and two legacy files of both, all ids once."""
    shards = [f"{year}-{month:02}-1{month % 2}" for year in (2024, 2025) for month in (1, 2, 3, 7, 11, 12)]
    return _dataset(name, shards, legacy=2)


def handful(name: str) -> dict[str, bytes | None]:
    """Make four shards in two years and a legacy file of both, all ids once."""
    return _dataset(name, ["2024-02-10", "2024-03-11", "2025-02-10", "2025-03-11"], legacy=1)


def _dataset(name: str, days: Sequence[str], legacy: int) -> dict[str, bytes | None]:
    """Make shards of two rows and legacy files of two; the name makes their content new."""
    files: dict[str, bytes | None] = {
        f"data/train-{day}.parquet": encode(rows(f"{name}-{day}", f"{name}-{day}-2", day=day)) for day in days
    }
    for number in range(legacy):
        two = [rows(f"{name}-{number}-{year}", day=f"{year}-06-0{year % 7}") for year in (2024, 2025)]
        files[f"data/train-0000{number}-of-0000{legacy}.parquet"] = as_others_write(pa.concat_tables(two))
    return files


def few_files(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let a commit have fewer files than is the rule."""
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", most)
