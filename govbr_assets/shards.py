"""The day's shard as a plan: what to publish, as a function of the revision.

Turns rows at hand and a revision into rows and files; sending them is `hub.publish`'s, recording them the IO manager's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from govbr_assets.core.contract import check_day
from govbr_assets.core.days import Day
from govbr_assets.core.dedup import shard_rows
from govbr_assets.core.layout import encode, shard_path
from govbr_assets.errors import ContractError
from govbr_assets.existing import Existing, ExistingIds
from govbr_assets.hub import Edit, Snapshot


@dataclass(frozen=True)
class Shard:
    """A day's shard at one revision.

    Attributes:
        rows: [n rows x 24], the whole shard.
        old: [n rows x 24], the shard as it stands on the Hub.
        found: [n matches x 3], the Postgres rows that the Hub held.
        new: number of rows that no file of the Hub held.
        file: the Parquet file; None when the Hub has these very rows already.
    """

    rows: pa.Table
    old: pa.Table
    found: pa.Table
    new: int
    file: bytes | None


@dataclass(frozen=True)
class ShardPlan:
    """The value of `hf_parquet_shard`: the rows of a day that no other file holds, at whatever revision is asked.

    Attributes:
        day: the day.
        rows: [n rows x 25], the Postgres day, with aliases.
        known: what the Hub held at the first revision; the first guess, no more.
        existing: where to ask about another revision.
    """

    day: Day
    rows: pa.Table
    known: Existing
    existing: ExistingIds

    @property
    def first_revision(self) -> Snapshot:
        """The revision that the rows at hand were compared with."""
        return self.known.snapshot

    def at(self, snapshot: Snapshot) -> Shard:
        """Make the shard for a revision.

        Raises:
            ContractError: the shard must not be published.
            TransientError: the revision cannot be read for certain.
        """
        known = self.known
        if known.snapshot.revision != snapshot.revision:
            known = self.existing.carry(self.rows, self.day, known, snapshot)
        old = self.existing.own_shard(self.day, snapshot)
        rows = shard_rows(self.rows, known.table, old)
        check_day(rows, self.day)
        new = self.rows.num_rows - len(known.table["unique_id"].unique())
        return Shard(rows, old, known.table, new, None if rows.equals(old) else encode(rows))


@dataclass
class ShardsPlan:
    """Several days as one plan for one commit.

    Attributes:
        plans: by partition key.
        shards: what the last `at` made, by partition key.
        refused: why a day was left out by the last `at`, by partition key.
    """

    plans: Mapping[str, ShardPlan]
    shards: dict[str, Shard] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def at(self, snapshot: Snapshot) -> Edit:
        """Make the edit for a revision, without the days whose rows must not be published."""
        self.shards, self.refused = {}, {}
        for key, plan in self.plans.items():
            try:
                self.shards[key] = plan.at(snapshot)
            except ContractError as error:
                self.refused[key] = str(error)
        put = {shard_path(Day.of(key)): shard.file for key, shard in self.shards.items() if shard.file is not None}
        rows = sum(shard.new for shard in self.shards.values())
        days = [key for key, shard in self.shards.items() if shard.file is not None]
        return Edit(put, summary=f"Publish {rows} news of {_span(days)}")


def _span(days: list[str]) -> str:
    """Name some days, such as `2026-01-15` or `14 days from 2026-01-01 to 2026-01-14`."""
    if len(days) < 2:
        return "".join(days)
    return f"{len(days)} days from {days[0]} to {days[-1]}"
