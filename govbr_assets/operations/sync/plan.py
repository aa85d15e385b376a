"""Sync: several days made equal to PostgreSQL by one commit, as many as find room in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from govbr_assets.core.counting import count
from govbr_assets.core.row_changes import Action
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset, RemovalApproval
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.dataset.reach import out_of_reach
from govbr_assets.dataset.schema_version import outdated
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.operations.sync.day_files import DayFiles
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.diff import with_retained
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.guard import DayRemovals, judge, removed_lately, used_removals
from govbr_assets.operations.sync.locate import locate
from govbr_assets.operations.sync.options import DayReport

COMMIT_BYTES = 10_000_000
"""Bytes of new shards from which on a commit takes no other day: its upload needs some three times as much memory."""


@dataclass(frozen=True)
class SyncReport:
    """What becomes of days by one commit; a day that is in neither finds no room and waits for the next one.

    Attributes:
        days: by partition key, of the days that it makes equal to PostgreSQL, in full or in part.
        rejected: why other days cannot be published, by partition key.
    """

    days: Mapping[str, DayReport]
    rejected: Mapping[str, str]


@dataclass(frozen=True)
class SyncCommit:
    """The next commit of a run over days.

    Attributes:
        dataset: the dataset.
        plans: by partition key.
        index: of the keys of files, from commit to commit.
        files: those that hold days.
    """

    dataset: Dataset
    plans: Mapping[str, DaySync]
    index: KeyIndex[DataFile]
    files: DayFiles

    def plan(self, snapshot: Snapshot) -> Changeset[SyncReport]:
        """Plan the commit, without the days whose rows must not be published or find no room."""
        if reason := outdated(self.dataset, snapshot) or out_of_reach(self.dataset, snapshot):
            return Changeset(report=SyncReport({}, dict.fromkeys(self.plans, reason)))
        changeset = self._changeset(snapshot)
        pa.default_memory_pool().release_unused()  # to the system, before the upload takes its own
        return changeset

    def _changeset(self, snapshot: Snapshot) -> Changeset[SyncReport]:
        """Make the changeset, with as many days as find room in it."""
        days, rejected = dict[str, DayReport](), dict[str, str]()
        self.files.clear(snapshot.data_files)
        places = locate(self.plans.values(), snapshot, self.index, self.files)
        builder = ChangesetBuilder(snapshot, self.files, places)
        for key, plan in self.plans.items():
            try:
                day = plan.at(builder) if builder.size < COMMIT_BYTES else None
            except (ContractError, SourceError) as error:
                rejected[key] = str(error)
                continue
            if day is None:
                break  # the days that are left wait for the next commit
            days[key] = day
        days, approval = self._guarded(snapshot, days, builder)
        made = builder.finish()
        removed = {each for day in days.values() for each in day.changes.ids(Action.REMOVE)}
        put = {path: file.local for path, file in made.items() if file.local}
        delete = tuple(path for path in made if path not in put and snapshot.data_file(path))
        fresh = {path: file.fresh for path, file in made.items()}
        return Changeset(
            put,
            delete,
            fresh=fresh,
            message=_message(days),
            removed_rows=len(removed),
            changed_rows=_changed(days),
            renamed_rows=len({each for day in days.values() for each in day.changes.renamed}),
            approval=approval,
            report=SyncReport(days, rejected),
        )

    def _guarded(
        self, snapshot: Snapshot, days: Mapping[str, DayReport], builder: ChangesetBuilder
    ) -> tuple[dict[str, DayReport], RemovalApproval | None]:
        """Retain the rows that were to be removed if they are too many; else return by which approval they go."""
        options = {key: self.plans[key].options for key in days}
        asked = {
            key: DayRemovals(frozenset(ids), options[key].guards_deletes, day.guard)
            for key, day in days.items()
            if (ids := day.changes.ids(Action.REMOVE))
        }
        if not asked:
            return dict(days), None
        approved = max(options[key].approved_removals for key in asked)
        client = self.dataset.client
        lately, planned = removed_lately(client), self.dataset.planned
        judged = judge(
            asked,
            lately + planned.removed,
            approved,
            lambda: max(used_removals(client, snapshot.revision), planned.used),
        )
        # What has come to another day in the meantime is not removed: retained, it would be there twice.
        here = {each for plan in self.plans.values() for each in plan.ids.to_pylist()} if judged.blocked else set()
        blocked = {
            key: with_retained(days[key], asked[key].ids - here, builder, reason)
            for key, reason in judged.blocked.items()
        }
        return {**days, **blocked}, judged.approval


def _changed(days: Mapping[str, DayReport]) -> int:
    """Count the rows whose content is another one, or that belong to another day, each once."""
    moves = Action.MOVE_IN, Action.MOVE_OUT
    all_changes = [day.changes for day in days.values() if day.changes]
    return len(
        {each for one in all_changes for each in (*one.changed, *(id for move in moves for id in one.ids(move)))}
    )


def _message(days: Mapping[str, DayReport]) -> str:
    """Say in a line what a commit does, such as `Publish 12 rows of 2026-01-15, change 2, remove 1`."""
    changes = {key: day.changes for key, day in days.items() if day.changes}
    found = {
        "publish": sum(each.count(Action.ADD) for each in changes.values()),
        "change": sum(len(each.changed) for each in changes.values()),
        "move": sum(each.count(Action.MOVE_IN) + each.count(Action.MOVE_OUT) for each in changes.values()),
        "remove": sum(each.count(Action.REMOVE) + each.duplicates for each in changes.values()),
    }
    first, *more = [(verb, number) for verb, number in found.items() if number] or [("rewrite", 0)]
    what = count(first[1], "row") if first[1] else "files"
    named = f"{what} of {_span([*(changes or days)])}"
    return ", ".join([f"{first[0].capitalize()} {named}", *(f"{verb} {number}" for verb, number in more)])


def _span(days: Sequence[str]) -> str:
    """Name some days, such as `2026-01-15` or `14 days from 2026-01-01 to 2026-01-14`."""
    if len(days) < 2:
        return "".join(days)
    return f"{len(days)} days from {days[0]} to {days[-1]}"
