"""One day made true in a draft: all is decided first, and then the draft is changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import check_day
from govbr_assets.core.days import Day
from govbr_assets.core.diff import differing_columns, find_places
from govbr_assets.core.digest import digests_of
from govbr_assets.core.identity import aliases, owners
from govbr_assets.core.layout import shard_path, year_path
from govbr_assets.core.periods import in_order
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.blob import Blob
from govbr_assets.io.staged import Rows, joined, table_of
from govbr_assets.operations.sync.deletes import Surplus, resolve
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.options import DayChanges, DayReport, SyncOptions, UncompactedPolicy
from govbr_assets.publications import NEWS

_PREVIEW = ["published_at", "agency", "title", "unique_id"]


class DayDiff:
    """A day and the commit in the making that it is to become true with.

    Args:
        day: the day.
        rows: [n rows x 25], as PostgreSQL has it.
        draft: of the commit; what the day's rows are in besides has been located.
        rules: what may be removed, and the like.
        refusal: why nothing may be removed, in view of other days.
    """

    def __init__(self, day: Day, rows: Rows, draft: ChangesetBuilder, rules: SyncOptions, refusal: str) -> None:
        self._day, self._rows, self._draft, self._rules, self._refusal = day, rows, draft, rules, refusal
        self._path, self._year_file = shard_path(day), year_path(day.date.year)
        self._owner, self._changes = owners(rows), DayChanges()
        year = draft.standing(day)
        self._year_rows, in_year = year.num_rows, Counter(year["unique_id"].to_pylist())
        elsewhere = draft.places(aliases(rows).to_pylist(), self._path, in_year, self._year_file)
        self._places = find_places(rows, self._owner, year, self._year_file, elsewhere, draft.is_folded, NEWS.schema)
        self._check_folded(elsewhere)

    def made(self) -> DayReport | None:
        """Make the day true; None if its files find no room in the commit, and the draft is as it was.

        Raises:
            ContractError: the day must not be published; the draft is as it was.
        """
        mine = self._only(self._places.own)
        content = self._encoded(mine)
        same = bool(content) and self._draft.holds(self._path, content)
        old = mine if same else self._draft.shard(self._path)
        unknown = self._compare(mine, old)
        counts = self._year_rows + old.num_rows, self._rows.num_rows
        surplus = resolve(self._day, [*self._places.unknown, *unknown], counts, self._rules, self._refusal)
        kept = old.filter(_among(old, surplus.stay)) if unknown else old.slice(0, 0)
        whole = in_order(joined(mine, kept)) if kept.num_rows else mine
        arriving = {day: self._arriving(day, rows) for day, rows in surplus.arrivals.items()}
        differs = not _same(whole, old)
        if differs:
            check_day(whole, self._day, NEWS.schema)
        leaving = self._leaving(surplus)
        if not self._draft.takes({*leaving, *map(shard_path, arriving), *([self._path] if differs else [])}):
            return None
        # From here on nothing is refused.
        size = self._draft.write(self._path, old, whole, content if whole is mine else None) if differs else 0
        self._change_others(leaving, arriving)
        self._tell(surplus)
        came_or_went = chain(*(rows["unique_id"].to_pylist() for rows in (old, *arriving.values())), *leaving.values())
        preview = whole.take(pa.array(range(min(5, whole.num_rows)), pa.int64()))  # a slice would keep all
        preview = table_of(preview.select(_PREVIEW))
        told = self._path, whole.num_rows, preview, self._rows.num_rows, size, self._changes
        return DayReport(*told, sorted({*self._owner, *came_or_went}), surplus.withheld)

    def _check_folded(self, elsewhere: Sequence[tuple[str, str]]) -> None:
        """Refuse a day of which rows cannot be changed, unless told to leave them."""
        standing = self._draft.unfolded_rows(self._day)
        self._changes.unfolded = count = max(len(self._places.unfolded), sum(standing.values()))
        if count and self._rules.unfolded is not UncompactedPolicy.leave:
            held = {path for _, path in elsewhere if not self._draft.is_folded(path)}
            first, *more = sorted(held | standing.keys())
            raise ContractError(
                f"{count} rows of {self._day} are in files that are not folded ({first}"
                f"{f' and {len(more)} more' if more else ''}): run weekly_consolidation first, or set `unfolded` to"
                " `fold` (fold now) or `leave` (publish the other rows beside them) in the launchpad."
            )

    def _compare(self, mine: Rows, old: Rows) -> list[str]:
        """Compare the day's own shard as it is with what belongs into it, and list ids that no row of the day has."""
        changes, moved = self._changes, set(self._places.moved)
        if old is mine:
            changes.doubled += len(moved)
            return []
        place = {unique_id: index for index, unique_id in enumerate(mine["unique_id"].to_pylist())}
        before, after, unknown = [], [], []
        for index, unique_id in enumerate(old["unique_id"].to_pylist()):
            row = self._owner.get(unique_id)
            if row is None:
                unknown.append(unique_id)
            elif row in place:
                before.append(index)
                after.append(place.pop(row))
                changes.doubled += row in moved
                moved.discard(row)
            else:
                changes.doubled += 1
        if before:
            new = mine.take(pa.array(after, pa.int64()))
            columns = differing_columns(old.take(pa.array(before, pa.int64())), new, NEWS.schema.names)
            named = zip(new["unique_id"].to_pylist(), columns, strict=True)
            changes.changed |= {name: found for name, found in named if found}
        changes.moved_in = sorted(moved)
        changes.added = [unique_id for unique_id in place if unique_id not in moved]
        return unknown

    def _arriving(self, day: Day, rows: Rows) -> Rows:
        """Take the rows of another day that do not stand under it yet, and see that they may: [n rows x 24]."""
        old = self._draft.shard(shard_path(day))
        owner, standing = owners(rows), self._draft.standing(day)["unique_id"].to_pylist()
        there = {owner[each] for each in (*old["unique_id"].to_pylist(), *standing) if each in owner}
        new = rows.filter(pc.invert(_among(rows, there))).select(NEWS.schema.names)
        check_day(joined(old, new), day, NEWS.schema)
        return new

    def _leaving(self, surplus: Surplus) -> dict[str, list[str]]:
        """List the ids that leave files other than the day's own shard, by file."""
        gone = [each for each in self._places.unknown if each not in surplus.stay]
        leaving: dict[str, list[str]] = {self._year_file: gone} if gone or self._places.renewed else {}
        for path, unique_id in self._places.leaving:
            leaving.setdefault(path, []).append(unique_id)
        return leaving

    def _change_others(self, leaving: dict[str, list[str]], arriving: dict[Day, Rows]) -> None:
        """Change the files but for the day's own shard."""
        for path, ids in leaving.items():
            self._draft.take_out(path, ids)
        if renewed := self._places.renewed:
            self._draft.renew(self._year_file, renewed, self._only(renewed), self._changes)
        for day, rows in arriving.items():
            if rows.num_rows:
                old = self._draft.shard(shard_path(day))  # out of which a row may have been taken just now
                self._draft.write(shard_path(day), old, in_order(joined(old, rows)))

    def _tell(self, surplus: Surplus) -> None:
        """Note what becomes of rows that the day in PostgreSQL lacks."""
        changes = self._changes
        changes.moved_out, changes.removed, changes.kept = surplus.moved, surplus.removed, surplus.kept
        changes.doubled += self._places.doubled

    def _encoded(self, rows: Rows) -> Blob:
        """Write rows as the day's file, if they may be published."""
        if not rows.num_rows:
            return b""
        check_day(rows, self._day, NEWS.schema)
        return self._draft.encoded(rows)

    def _only(self, ids: Iterable[str]) -> Rows:
        """Take some rows of the day: [n rows x 24]."""
        wanted = list(ids)
        rows = self._rows if len(wanted) == self._rows.num_rows else self._rows.filter(_among(self._rows, wanted))
        return rows.select(NEWS.schema.names)


def _same(some: Rows, others: Rows) -> bool:
    """Say whether rows are the same, in the same order."""
    if isinstance(some, pa.Table) and isinstance(others, pa.Table):
        return some.equals(others)
    one, other = (digests_of(rows, NEWS.schema) for rows in (some, others))
    return one.equals(other)


def _among(rows: Rows, ids: Iterable[str]) -> pa.ChunkedArray:
    """Mark the rows that have one of some ids."""
    return pc.is_in(rows["unique_id"], pa.array(ids, pa.string()))
