"""The day's shard as a plan: what to publish, as a function of the revision.

Turns rows at hand and a revision into rows and files; sending them is `hub.publish`'s, recording them the IO manager's.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core import dedup
from govbr_assets.core.contract import NEWS_SCHEMA, check_day
from govbr_assets.core.days import Day
from govbr_assets.core.layout import encode, shard_path
from govbr_assets.errors import ContractError
from govbr_assets.existing import Existing
from govbr_assets.hub import COMMIT_FILES, Edit, Hub, Snapshot, file_rows
from govbr_assets.trail import Trail

COMMIT_BYTES = 10_000_000
"""Bytes of new files from which on a commit takes no other day: its upload needs some three times as much memory."""

_PREVIEW = ["published_at", "agency", "title", "unique_id"]


@dataclass(frozen=True)
class Shard:
    """A day's shard at one revision: of its rows only what is told about them, as many such days wait for one commit.

    Attributes:
        ids: of all its rows.
        preview: [up to 5 rows x 4], its first ones.
        old_ids: ids of the shard as it stood; nothing if it was not read because it has these very bytes.
        postgres_rows: rows of the Postgres day.
        new: how many of them no file of the Hub held.
        file: the Parquet file; None when the Hub has these very rows already, or when none are left.
        emptied: other files hold every row of the shard that stands, and it goes.
    """

    ids: list[str]
    preview: pa.Table
    old_ids: list[str]
    postgres_rows: int
    new: int
    file: bytes | None
    emptied: bool = False

    @property
    def changes(self) -> bool:
        """Whether the Hub is to change."""
        return self.file is not None or self.emptied


@dataclass(frozen=True)
class ShardPlan:
    """The value of `hf_parquet_shard`: the rows of a day that no other file holds, at whatever revision is asked.

    Attributes:
        day: the day.
        rows: gives the Postgres day with its aliases, [n rows x 25], each time anew: many days' plans are small.
        ids: every id of these rows.
        known: what the Hub held at the first revision; the first guess, no more.
    """

    day: Day
    rows: Callable[[], pa.Table]
    ids: pa.Array
    known: Existing

    @property
    def path(self) -> str:
        """Where the shard lies."""
        return shard_path(self.day)

    def at(self, hub: Hub, snapshot: Snapshot, moves: Sequence[dedup.Moves]) -> Shard:
        """Make the shard for a revision.

        Args:
            hub: the repo.
            snapshot: the revision.
            moves: what came into files and went out of them since the first revision.

        Raises:
            ContractError: the shard must not be published.
        """
        rows, ids = self.rows(), self.ids.to_pylist()
        held = Counter(self.known.elsewhere)
        for each in moves:
            held.update(each.outside(self.path, ids))
        elsewhere = [each for each, count in held.items() if count > 0]
        file = snapshot.files.get(self.path)
        made = dedup.shard_rows(rows, elsewhere, NEWS_SCHEMA.empty_table())
        content = self._encoded(made) if made.num_rows else b""
        if file is None:
            return _shard(made, [], rows.num_rows, made.num_rows, content or None)
        if file.holds(content):  # no need to read it
            return _shard(made, [], rows.num_rows, 0, None)
        old = file_rows(hub, snapshot, file)
        whole = dedup.shard_rows(rows, elsewhere, old)
        found = dedup.existing(rows, elsewhere, old["unique_id"].to_pylist())
        new = rows.num_rows - pc.count_distinct(found["unique_id"]).as_py()
        if whole.num_rows > made.num_rows:
            content = self._encoded(whole)
        # What is compared is rows, so that another version of the writer rewrites nothing.
        changed = content if not whole.equals(old) else None
        return _shard(whole, old["unique_id"].to_pylist(), rows.num_rows, new, changed or None, emptied=changed == b"")

    def _encoded(self, rows: pa.Table) -> bytes:
        """Write the rows as the day's file, if they may be published."""
        check_day(rows, self.day)
        return encode(rows)


@dataclass
class ShardsPlan:
    """Several days as one plan for one commit.

    Attributes:
        hub: the repo.
        plans: by partition key.
        trail: how the Hub came to be as it is since the days were compared with it.
        shards: what the last `at` made, by partition key.
        refused: why a day was left out by the last `at`, by partition key.
    """

    hub: Hub
    plans: Mapping[str, ShardPlan]
    trail: Trail
    shards: dict[str, Shard] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def at(self, snapshot: Snapshot) -> Edit:
        """Make the edit for a revision, without the days whose rows must not be published or find no room."""
        self.shards, self.refused = {}, {}
        since, in_this_commit = self._moves_until(snapshot), dedup.Moves()
        put, delete = {}, []
        for key, plan in self.plans.items():
            if len(put) + len(delete) >= COMMIT_FILES or sum(map(len, put.values())) >= COMMIT_BYTES:
                break  # the days that are left wait for the next commit
            moves = [*since.get(plan.known.snapshot.revision, []), in_this_commit]
            try:
                shard = self.shards[key] = plan.at(self.hub, snapshot, moves)
            except ContractError as error:
                self.refused[key] = str(error)
                continue
            if shard.changes:
                put |= {plan.path: shard.file} if shard.file is not None else {}
                delete += [plan.path] if shard.emptied else []
                in_this_commit.record(plan.path, shard.old_ids, -1)
                in_this_commit.record(plan.path, shard.ids, 1)
        pa.default_memory_pool().release_unused()  # to the system, before the upload takes its own
        rows = sum(shard.new for shard in self.shards.values())
        days = [key for key, shard in self.shards.items() if shard.changes]
        return Edit(put, tuple(delete), summary=f"Publish {rows} news of {_span(days)}")

    def _moves_until(self, snapshot: Snapshot) -> dict[str | None, list[dedup.Moves]]:
        """Find what changed since the revisions that the days were compared with, for all their days at once."""
        older: dict[str | None, tuple[Snapshot, list[pa.Array]]] = {}
        for plan in self.plans.values():
            if plan.known.snapshot.revision != snapshot.revision:
                older.setdefault(plan.known.snapshot.revision, (plan.known.snapshot, []))[1].append(plan.ids)
        return {
            revision: [self.trail.moves(before, snapshot, pa.concat_arrays(ids))]
            for revision, (before, ids) in older.items()
        }

    def landed(self, planned_at: Snapshot, landed: Snapshot) -> None:
        """Go on along the trail: what the last `at` made is on the Hub."""
        changed = [shard for shard in self.shards.values() if shard.changes]
        self.trail.follow(planned_at, landed, {each for shard in changed for each in (*shard.ids, *shard.old_ids)})


def _shard(
    rows: pa.Table, old_ids: list[str], postgres_rows: int, new: int, file: bytes | None, *, emptied: bool = False
) -> Shard:
    """Take from a shard's rows what is told about them."""
    first = pa.array(range(min(5, rows.num_rows)), pa.int64())
    preview = rows.select(_PREVIEW).take(first)  # a slice would keep all of them
    return Shard(rows["unique_id"].to_pylist(), preview, old_ids, postgres_rows, new, file, emptied)


def _span(days: list[str]) -> str:
    """Name some days, such as `2026-01-15` or `14 days from 2026-01-01 to 2026-01-14`."""
    if len(days) < 2:
        return "".join(days)
    return f"{len(days)} days from {days[0]} to {days[-1]}"
