"""Several days as one plan for one commit, as many as find room in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from govbr_assets.core import identity
from govbr_assets.core.diff import REMOVALS_HOURS, refusal_to_remove_more
from govbr_assets.core.layout import shard_day
from govbr_assets.dataset.reach import out_of_reach
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.huggingface.blob import size_of
from govbr_assets.huggingface.changeset import Changeset
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.operations.sync.changes_since import Trail
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.options import DayReport
from govbr_assets.operations.sync.year_files import YearFiles

COMMIT_BYTES = 10_000_000
"""Bytes of new shards from which on a commit takes no other day: its upload needs some three times as much memory."""


@dataclass
class SyncCommit:
    """The next commit of a run over days, as a function of the revision.

    Attributes:
        hub: the repo.
        plans: by partition key.
        trail: how the Hub came to be as it is since the days were compared with it.
        years: the years' files.
        shards: what the last `at` made, by partition key.
        refused: why a day was left out by the last `at`, by partition key.
    """

    hub: RepoClient
    plans: Mapping[str, DaySync]
    trail: Trail
    years: YearFiles
    shards: dict[str, DayReport] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def at(self, snapshot: Snapshot) -> Changeset:
        """Make the edit for a revision, without the days whose rows must not be published or find no room."""
        if told := out_of_reach(self.hub, snapshot):
            self.shards, self.refused = {}, dict.fromkeys(self.plans, told)
            return Changeset()
        since = self._moves_until(snapshot)
        edit = self._edit(snapshot, since)
        if edit.removed and (refusal := refusal_to_remove_more(edit.removed, self._removed_lately())):
            edit = self._edit(snapshot, since, refusal)
        pa.default_memory_pool().release_unused()  # to the system, before the upload takes its own
        return edit

    def landed(self, planned_at: Snapshot, landed: Snapshot) -> None:
        """Go on along the trail: what the last `at` made is on the Hub."""
        changed = [shard for shard in self.shards.values() if shard.changes]
        self.trail.follow(planned_at, landed, {each for shard in changed for each in shard.touched})

    def _edit(
        self, snapshot: Snapshot, since: Mapping[str | None, list[identity.Moves]], refusal: str = ""
    ) -> Changeset:
        """Make the edit; nothing is removed where a reason not to is given, but by a day that may remove anything."""
        self.shards, self.refused = {}, {}
        self.years.clear(snapshot.data_files)
        draft = ChangesetBuilder(self.hub, snapshot, self.years)
        self._locate(draft, since)
        for key, plan in self.plans.items():
            try:
                shard = plan.at(draft, refusal) if draft.size < COMMIT_BYTES else None
            except (ContractError, SourceError) as error:
                self.refused[key] = str(error)
                continue
            if shard is None:
                break  # the days that are left wait for the next commit
            self.shards[key] = shard
        put, delete = draft.finish()
        removed = {each for shard in self.shards.values() for each in shard.changes.removed}
        fresh = {
            path: [range(size_of(each))] for path, each in put.items() if shard_day(path) and isinstance(each, Path)
        }
        return Changeset(put, delete, removed=len(removed), fresh=fresh, summary=_summary(self.shards))

    def _locate(self, draft: ChangesetBuilder, since: Mapping[str | None, list[identity.Moves]]) -> None:
        """Find out which files hold what is neither in the days' own shards nor under them in the years' files."""
        ids = [
            each
            for plan in self.plans.values()
            for each in plan.to_locate(draft, since.get(plan.known.snapshot.revision, []))
        ]
        if ids:
            draft.locate(pa.array(ids, pa.string()))

    def _removed_lately(self) -> int:
        """Count the rows that have left the dataset by commits of this project, as its history tells."""
        return self.hub.removed_since(datetime.now(UTC) - timedelta(hours=REMOVALS_HOURS))

    def _moves_until(self, snapshot: Snapshot) -> dict[str | None, list[identity.Moves]]:
        """Find what changed since the revisions that the days were compared with, for all their days at once."""
        older: dict[str | None, tuple[Snapshot, list[pa.Array]]] = {}
        for plan in self.plans.values():
            if plan.known.snapshot.revision != snapshot.revision:
                older.setdefault(plan.known.snapshot.revision, (plan.known.snapshot, []))[1].append(plan.ids)
        return {
            revision: [self.trail.moves(before, snapshot, pa.concat_arrays(ids))]
            for revision, (before, ids) in older.items()
        }


def _summary(shards: Mapping[str, DayReport]) -> str:
    """Say in a line what a commit does, such as `Publish 12 news of 2026-01-15, change 2, remove 1`."""
    told = {key: shard.changes for key, shard in shards.items() if shard.changes}
    more = {
        "change": sum(len(each.changed) for each in told.values()),
        "move": sum(len(each.moved_in) + len(each.moved_out) for each in told.values()),
        "remove": sum(len(each.removed) + each.doubled for each in told.values()),
    }
    first = f"Publish {sum(len(each.added) for each in told.values())} news of {_span(list(told))}"
    return ", ".join([first, *(f"{verb} {count}" for verb, count in more.items() if count)])


def _span(days: Sequence[str]) -> str:
    """Name some days, such as `2026-01-15` or `14 days from 2026-01-01 to 2026-01-14`."""
    if len(days) < 2:
        return "".join(days)
    return f"{len(days)} days from {days[0]} to {days[-1]}"
