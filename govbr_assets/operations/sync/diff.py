"""One day beside the Hub: what becomes of each row is decided first, and then added to the changeset in the making.

What becomes of extra rows, which PostgreSQL lacks, is decided in `deletes`.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import check_day
from govbr_assets.core.days import Day
from govbr_assets.core.diff import Place, differing_columns, home_of, row_changes
from govbr_assets.core.digest import digests_of
from govbr_assets.core.identity import aliases, owners
from govbr_assets.core.periods import in_order
from govbr_assets.core.row_changes import Action, RowChanges
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ContractError
from govbr_assets.io.staged import Rows, StagedRows, joined, table_of
from govbr_assets.operations.sync.deletes import resolve_extra_rows
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.options import DayReport, SyncOptions, UncompactedPolicy

_PREVIEW = ["published_at", "agency", "title", "unique_id"]


class DayDiff:
    """A day beside the Hub, and the changeset in which it is to become equal to PostgreSQL.

    Args:
        day: the day.
        rows: [n rows x 25], as PostgreSQL has it.
        builder: of the changeset; the files that have the day's rows elsewhere have been located.
        options: what may be removed, and the like.
    """

    def __init__(self, day: Day, rows: Rows, builder: ChangesetBuilder, options: SyncOptions) -> None:
        self._day, self._rows, self._builder, self._options = day, rows, builder, options
        self._spec = builder.spec
        self._path, self._year_path = self._spec.layout.day_path(day), self._spec.layout.compacted_path_for(day)
        self._owner = owners(rows)
        self._index = {row: index for index, row in enumerate(rows["unique_id"].to_pylist())}
        self._places: dict[str, list[Place]] = {row: [] for row in self._index}
        self._extra: list[tuple[str, str]] = []  # file and id there of rows that the day lacks in PostgreSQL

    def added(self) -> DayReport | None:
        """Decide what becomes of the rows, and add it to the changeset.

        Returns:
            What becomes of the day; None if its files find no room in the commit, and the builder is as it was.

        Raises:
            ContractError: the day must not be published; the builder is as it was.
            SourceError: PostgreSQL cannot say what became of extra rows; the builder is as it was.
        """
        year_rows = self._place_outside_shard()
        homes = {row: home_of(found, self._path, self._builder.can_change) for row, found in self._places.items()}
        uncompacted = self._check_uncompacted(homes)
        old = self._place_in_shard(self._only([row for row, home in homes.items() if home == self._path]))
        counts = year_rows + old.num_rows, self._rows.num_rows
        extra = resolve_extra_rows(self._day, self._extra, counts, self._options, self._spec)
        of_day = (row_changes(row, self._places[row], home, self._builder.can_change) for row, home in homes.items())
        changes, inserts = self._with_inserts(RowChanges((*chain.from_iterable(of_day), *extra.changes)), extra.moved)
        whole = _edited(old, changes.deletes.get(self._path, ()), inserts.get(self._path), self._spec)
        rewritten = {*changes.deletes, *inserts}
        if not _same(whole, old, self._spec):
            check_day(whole, self._day, self._spec.schema)
            rewritten.add(self._path)
        if not self._builder.takes(rewritten):
            return None
        # From here on nothing is rejected.
        self._builder.add(changes.deletes, inserts, rewritten)
        size = self._builder.size_of(self._path) if self._path in rewritten else 0
        return DayReport(
            self._path,
            whole.num_rows,
            _preview(whole),
            self._rows.num_rows,
            size,
            changes,
            uncompacted,
            guard=extra.guard,
        )

    def _place_outside_shard(self) -> int:
        """Find the rows under the day in the year's file, and in other files; count those in the year's file."""
        in_place = self._builder.rows_in_place(self._day)
        ids, digests = (column.to_pylist() for column in in_place.columns)
        own = dict(zip(self._index, self._digests() if ids else (), strict=False))
        differing = [
            each
            for each, digest in zip(ids, digests, strict=True)
            if each in self._owner and own[self._owner[each]] != digest
        ]
        columns = self._columns(self._builder.year_rows(self._day, differing)) if differing else iter(())
        asked = set(differing)
        for each in ids:
            if each in self._owner:
                place = Place(self._year_path, each, in_place=True, columns=next(columns) if each in asked else ())
                self._places[self._owner[each]].append(place)
            else:
                self._extra.append((self._year_path, each))
        for each, path in self._builder.places(
            aliases(self._rows).to_pylist(), self._path, Counter(ids), self._year_path
        ):
            self._places[self._owner[each]].append(Place(path, each))
        return len(ids)

    def _place_in_shard(self, mine: Rows) -> Rows:
        """Find rows in the day's own shard, and give what it holds: [n rows x 24]; nothing is read if all is the same.

        Args:
            mine: [n rows x 24], those that belong in it.

        Raises:
            ContractError: rows must not be published, or one in the shard has no id.
        """
        if mine.num_rows:
            check_day(mine, self._day, self._spec.schema)
        if self._builder.has_bytes_of(self._path, mine):
            for row in mine["unique_id"].to_pylist():
                self._places[row].append(Place(self._path, row, in_place=True))
            return mine
        old = self._builder.shard(self._path)
        if old["unique_id"].null_count:
            raise ContractError(
                f"Column unique_id in {self._path} is null in at least one row: correct it in the file."
            )
        ids = old["unique_id"].to_pylist()
        known = [index for index, each in enumerate(ids) if each in self._owner]
        columns = self._columns(old.take(pa.array(known, pa.int64()))) if known else iter(())
        for each in ids:
            if each in self._owner:
                place = Place(self._path, each, in_place=True, columns=next(columns))
                self._places[self._owner[each]].append(place)
            else:
                self._extra.append((self._path, each))
        return old

    def _columns(self, old: Rows) -> Iterator[tuple[str, ...]]:
        """Name the columns in which rows of the Hub differ from those of the day: [n rows x 24]."""
        at = [self._index[self._owner[each]] for each in old["unique_id"].to_pylist()]
        return differing_columns(
            old, self._rows.take(pa.array(at, pa.int64())).select(self._spec.schema.names), self._spec.schema.names
        )

    def _check_uncompacted(self, homes: Mapping[str, str | None]) -> int:
        """Count the rows that cannot be changed before a compaction.

        Raises:
            ContractError: there are some, and they are not to be left as they are.
        """
        of_day = self._builder.uncompacted_rows(self._day)
        count = max(sum(home is None for home in homes.values()), sum(of_day.values()))
        if count and self._options.uncompacted is not UncompactedPolicy.leave:
            places = chain.from_iterable(self._places.values())
            held = {each.path for each in places if not self._builder.can_change(each.path)}
            first, *more = sorted(held | of_day.keys())
            raise ContractError(
                f"Rows of {self._day} ({count}) are in files that are not compacted ({first}"
                f"{f' and {len(more)} more' if more else ''}): run weekly_consolidation first, or set `unfolded` to"
                " `leave` (publish the other rows beside them) in the config of the run."
            )
        return count

    def _with_inserts(self, changes: RowChanges, moved: Rows) -> tuple[RowChanges, dict[str, Rows]]:
        """Return the rows that come into files, by path: [n rows x 24]; rows of other days only if they are not there.

        Args:
            changes: of the day.
            moved: [n rows x 25], as PostgreSQL has the rows of other days.
        """
        inserts, arrived = dict[str, Rows](), set[str]()
        for path, ids in changes.inserts.items():
            day = self._spec.layout.day_of(path)
            if day is None or day == self._day:
                inserts[path] = self._only(ids)
                continue
            rows = moved.filter(_among(moved, ids))
            there = self._builder.ids_in_place(day)
            owner = owners(rows)
            arrived |= {owner[each] for each in there if each in owner}
            new = rows.filter(pc.invert(_among(rows, arrived))).select(self._spec.schema.names)
            check_day(joined(self._builder.shard(path), new), day, self._spec.schema)
            if new.num_rows:
                inserts[path] = new
        return changes.without_target(arrived), inserts

    def _digests(self) -> list[int]:
        return digests_of(self._rows.select(self._spec.schema.names), self._spec.schema).to_pylist()

    def _only(self, ids: Iterable[str]) -> Rows:
        """Take some rows of the day: [n rows x 24]."""
        wanted = list(ids)
        rows = self._rows if len(wanted) == self._rows.num_rows else self._rows.filter(_among(self._rows, wanted))
        return rows.select(self._spec.schema.names)


def with_retained(report: DayReport, hub_ids: Container[str], builder: ChangesetBuilder, reason: str) -> DayReport:
    """Retain rows of a day that were to be removed, and say why.

    Args:
        report: of the day.
        hub_ids: which of them, by their ids on the Hub.
        builder: of the changeset that the day was added to.
        reason: why they are not removed.
    """
    changes = report.changes.retaining(hub_ids)
    builder.retain((each.source, each.hub_id) for each in changes.rows if each.action is Action.RETAIN)
    rows = builder.shard(report.path)
    return replace(
        report,
        rows=rows.num_rows,
        preview=_preview(rows),
        bytes=builder.size_of(report.path),
        changes=changes,
        blocked=f"{report.blocked} {reason}".strip(),
    )


def _edited(old: Rows, deleted: Iterable[str], new: Rows | None, spec: DatasetSpec) -> Rows:
    """Take rows out of others, and put new ones among them: [n rows x 24]."""
    gone = list(deleted)
    stay = old.filter(pc.invert(_among(old, gone))) if gone else old
    return in_order(stay if new is None else joined(stay, new), spec)


def _preview(rows: Rows) -> pa.Table:
    """Take the first rows for the UI: [up to 5 rows x 4]; a slice would keep all of them in memory."""
    return table_of(rows.take(pa.array(range(min(5, rows.num_rows)), pa.int64())).select(_PREVIEW))


def _same(some: Rows, others: Rows, spec: DatasetSpec) -> bool:
    """Return whether rows are the same, in the same order."""
    inexact = any(pa.types.is_floating(field.type) for field in spec.schema)  # to Arrow, NaN differs and -0.0 does not
    if inexact or isinstance(some, StagedRows) or isinstance(others, StagedRows):
        one, other = (digests_of(rows, spec.schema) for rows in (some, others))
        return one.equals(other)
    return some.equals(others)


def _among(rows: Rows, ids: Iterable[str]) -> pa.ChunkedArray:
    """Mark the rows that have one of some ids."""
    return pc.is_in(rows["unique_id"], pa.array(ids, pa.string()))
