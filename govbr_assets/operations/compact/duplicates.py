"""Which ids occur several times in the files of a compaction, and which of their rows wins.

Only of ids that stand twice are rows looked at.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import repeated
from govbr_assets.core.periods import VersionRank, version_ranks
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.errors import ProofError

Tables = Callable[[], Iterator[pa.Table]]
"""Streams the rows of some files, which `source` names."""


DUPLICATES_SCHEMA = pa.schema([("unique_id", pa.string()), ("digest", pa.int64()), ("source", pa.string())])
"""Rows of ids that occur several times."""


@dataclass(frozen=True, eq=False)
class Duplicates:
    """The rows of ids that occur several times, each [n rows x 3] of `DUPLICATES_SCHEMA`.

    Attributes:
        winning: the retained row of each id.
        losing: the rows that are dropped, each as often as it occurs.
        orphans: rows that go though no other one of their id stays (`orphans`), each once.
    """

    winning: pa.Table = field(default_factory=DUPLICATES_SCHEMA.empty_table)
    losing: pa.Table = field(default_factory=DUPLICATES_SCHEMA.empty_table)
    orphans: pa.Table = field(default_factory=DUPLICATES_SCHEMA.empty_table)

    @property
    def ids(self) -> pa.Array:
        """The ids."""
        return self.winning["unique_id"].combine_chunks()

    def losing_in(self, paths: Collection[str]) -> pa.Table:
        """Return the rows of some files that go as another one of their id stays."""
        return _in_files(self.losing, paths)

    def orphans_in(self, paths: Collection[str]) -> pa.Table:
        """Return the rows of some files that go though no other one of their id stays."""
        return _in_files(self.orphans, paths)

    def leaving(self, paths: Collection[str]) -> pa.Table:
        """Return all rows of some files that go."""
        return pa.concat_tables([self.losing_in(paths), self.orphans_in(paths)])

    def without(self, orphans: pa.Array) -> "Duplicates":
        """Let the rows of some ids go, too, which would stay."""
        gone = pc.is_in(self.winning["unique_id"], orphans)
        return Duplicates(self.winning.filter(pc.invert(gone)), self.losing, self.winning.filter(gone))

    def check(self, paths: Collection[str], found: pa.Array) -> None:
        """Check that of the rows that stay those of some files are there, each once.

        Args:
            paths: of the files that were taken into others or made anew.
            found: ids of `winning` in what was made.

        Raises:
            ProofError: it is not so.
        """
        here = _in_files(self.winning, paths)
        if twice := repeated(found):
            raise ProofError(f"unique_id {twice[0]!r} would stand in several year files. Nothing was published.")
        if lost := set(here["unique_id"].to_pylist()).difference(found.to_pylist()):
            raise ProofError(f"unique_id {min(lost)!r} would be lost. Nothing was published.")


def find_duplicates(streams: Sequence[Tables]) -> tuple[pa.Array, set[str]]:
    """Find the ids that stand more than once.

    Args:
        streams: tables with `unique_id` and `source`, together of all files.

    Returns:
        The ids, and the files that hold them.
    """
    index = KeyIndex[int](lambda number: streams[number]())
    index.add(range(len(streams)))
    found = dict(index.duplicates())
    twice = pa.array(found, pa.string())
    tables = (table for number in sorted({*chain.from_iterable(found.values())}) for table in streams[number]())
    sources = (table["source"].filter(pc.is_in(table["unique_id"], twice)) for table in tables)
    return twice, {each for column in sources for each in column.to_pylist()}


def choose_winners(ids: pa.Array, streams: Iterable[Tables], spec: DatasetSpec) -> Duplicates:
    """Choose which row of each id stays: the newest; of equal ones that of the last file.

    Args:
        ids: the ids that stand more than once.
        streams: all rows, of `sourced_schema`, of the files that hold one of them.
        spec: of the dataset.
    """
    best: dict[str, tuple[VersionRank, str]] = {}
    losing: list[tuple[str, int, str]] = []
    for stream in streams:
        for table in stream():
            rows = table.filter(pc.is_in(table["unique_id"], ids))
            for (unique_id, rank), source in zip(version_ranks(rows, spec), rows["source"].to_pylist(), strict=True):
                loser = rank, source
                if unique_id not in best or rank >= best[unique_id][0]:
                    loser = best.get(unique_id)
                    best[unique_id] = rank, source
                if loser:
                    losing.append((unique_id, loser[0][-1], loser[1]))
    winning = [(unique_id, rank[-1], source) for unique_id, (rank, source) in best.items()]
    return Duplicates(_table(winning), _table(losing))


def _in_files(rows: pa.Table, paths: Collection[str]) -> pa.Table:
    """Leave out the rows of other files."""
    return rows.filter(pc.is_in(rows["source"], pa.array(paths, pa.string())))


def _table(rows: Sequence[tuple[str, int, str]]) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[], [], []], schema=DUPLICATES_SCHEMA)
