"""What is told about days for the UI: the numbers of a plan and of its publication, and how far a run is."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from dagster import AssetKey, AssetRecordsFilter, DagsterInstance, MetadataValue

from govbr_assets.core.identity import identity_digest
from govbr_assets.dataset.transaction import CommitResult
from govbr_assets.errors import UnknownRevisionError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.io.staged import Rows
from govbr_assets.operations.existing_ids import ExistingRows
from govbr_assets.operations.sync.batches import SyncBatch
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.options import DayReport

_TOGETHER = 90  # days whose records are read in one query
_EXAMPLES = 5  # rows that are named


def is_of(told: Mapping[str, MetadataValue], repo_id: str) -> bool:
    """Say whether a record in Dagster is of a repo: what does not say of which one is taken for another's."""
    return "repo" in told and told["repo"].value == repo_id


def existing_metadata(found: ExistingRows, rows: Rows, repo_id: str) -> dict[str, str | int | float]:
    """Tell how the ids of a day were found, and for whom: `KnownRevisions` reads it back."""
    return {
        "repo": repo_id,
        "source": found.source,
        "why_not_the_viewer": found.reason or "the viewer was certain, or nobody had to be asked",
        "viewer_requests": found.requests,
        "viewer_seconds": found.seconds,
        "revision": found.snapshot.revision or "",
        "asked_for": identity_digest(rows),
    }


class ToldOfDays:
    """What the last materializations of an asset told of some days.

    Args:
        instance: Dagster's.
        asset: its name.
        keys: the partition keys of the run, in the order in which they will be asked for.
    """

    def __init__(self, instance: DagsterInstance, asset: str, keys: Sequence[str]) -> None:
        self._instance, self._asset, self._keys = instance, asset, list(keys)
        self._told: dict[str, Mapping[str, MetadataValue]] = {}

    def of(self, key: str) -> Mapping[str, MetadataValue]:
        """Give what was told of a day; nothing if it was never made."""
        if key not in self._told:
            self._read_from(key)
        return self._told[key]

    def _read_from(self, key: str) -> None:
        """Read what was told of this day and of some after it, in one query."""
        wanted = self._keys[self._keys.index(key) :][:_TOGETHER]
        self._told = {each: {} for each in wanted}
        records = self._instance.fetch_materializations(
            AssetRecordsFilter(AssetKey(self._asset), asset_partitions=wanted), limit=_TOGETHER * 10
        ).records
        for record in reversed(records):  # the newest last
            if record.partition_key and record.asset_materialization:
                self._told[record.partition_key] = record.asset_materialization.metadata


class KnownRevisions:
    """The revisions that the stored ids of days were found at, as their materializations tell.

    Args:
        instance: Dagster's.
        existing: the stored ids by partition key, in the order in which they will be asked for.
        hub: the repo.
    """

    def __init__(self, instance: DagsterInstance, existing: Mapping[str, Rows], hub: RepoClient) -> None:
        self._told, self._existing, self._hub = ToldOfDays(instance, "hf_existing_ids", list(existing)), existing, hub

    def of(self, key: str, rows: Rows) -> ExistingRows:
        """Say what was known of a day at its revision.

        Nothing, if the ids were asked for other rows than these, of another repo, or of one whose history is gone.
        """
        table = self._existing[key]
        told = self._told.of(key)
        if not {"asked_for", "revision", "source"} <= told.keys():  # reported by hand, or by another version of this
            return ExistingRows.unknown()
        if told["asked_for"].value != identity_digest(rows) or not told["revision"].value:
            return ExistingRows.unknown()
        if not is_of(told, self._hub.repo_id):
            return ExistingRows.unknown()
        try:
            return ExistingRows(table, self._hub.at(str(told["revision"].value)), str(told["source"].value))
        except UnknownRevisionError:
            return ExistingRows.unknown()


def published_rows(told: Mapping[str, MetadataValue], repo_id: str) -> int:
    """Read how many rows of a day went to a repo as `shard_metadata` tells, but for those that a fold has to change."""
    if not is_of(told, repo_id) or not {"postgres_rows", "unfolded"} <= told.keys():
        return 0
    return int(str(told["postgres_rows"].value)) - int(str(told["unfolded"].value))


def shard_metadata(plan: DaySync, shard: DayReport, publication: CommitResult, repo_id: str) -> dict[str, Any]:
    """Tell what became of a day."""
    changes = shard.changes
    return {
        "repo": repo_id,
        "plan": MetadataValue.md(day_plan(shard)),
        "postgres_rows": shard.postgres_rows,
        "existing_rows": shard.postgres_rows - len(changes.added),
        "new_rows": len(changes.added),
        "changed_rows": len(changes.changed),
        "changed_columns": _counted(changes.columns),
        "moved_in": len(changes.moved_in),
        "moved_out": len(changes.moved_out),
        "removed": len(changes.removed),
        "kept": len(changes.kept),
        "doubled": changes.doubled,
        "unfolded": changes.unfolded,
        "ids_source": plan.known.source,
        "dagster/row_count": shard.rows,
        "bytes": shard.bytes,
        "path": plan.path,
        "published": bool(changes) and publication.committed,
        "revision_before": publication.before or "no repo yet",
        "revision_after": publication.after or "no repo yet",
        "tolerated": "\n".join(publication.notes[:20]) or "none: every file has the published schema",
        "preview": MetadataValue.md(_preview(shard.preview)),
    }


@dataclass
class SyncProgress:
    """How far a run over days is, in numbers that add up as its commits land.

    Attributes:
        days: how many there are in all.
    """

    days: int
    _done: Counter[str] = field(default_factory=Counter)
    _began: float = field(default_factory=time.monotonic)

    def add(self, batch: SyncBatch) -> None:
        """Add the days of one commit."""
        edit = batch.publication.edit
        self._done.update(
            days=len(batch.shards) + len(batch.refused),
            refused=len(batch.refused),
            files=len(edit.put),
            rows=sum(len(shard.changes.added) for shard in batch.shards.values()),
            bytes=edit.size,
            deletions=len(edit.delete),
            commits=int(not edit.empty),
        )

    def __str__(self) -> str:
        done, minutes = self._done, (time.monotonic() - self._began) / 60
        pace = done["days"] / minutes if minutes else 0.0
        left = self.days - done["days"]
        ahead = f", some {left / pace:.0f} minutes left" if left and pace else ""
        return (
            f"{done['days']} of {self.days} days, {done['refused']} refused, {done['rows']} new rows,"
            f" {done['commits']} commits; {pace:.0f} days a minute{ahead}."
        )

    def plan(self) -> dict[str, Any]:
        """Tell what a dry run would have published: files, rows, bytes, deletions, commits."""
        wanted = ("files", "rows", "bytes", "deletions", "commits", "refused")
        return {"dry_run": True} | {name: int(self._done[name]) for name in wanted}


def _counted(columns: Counter[str]) -> str:
    """Name columns, each with the number of rows in which it changed."""
    return ", ".join(f"{name} ({count})" for name, count in columns.most_common()) or "none"


def day_plan(shard: DayReport) -> str:
    """Show the plan of a day as a Markdown table: what happens to how many rows, and to which."""
    changes = shard.changes
    changed = [f"{unique_id} ({', '.join(names)})" for unique_id, names in changes.changed.items()]
    lines = [
        ("added", changes.added),
        ("changed", changed),
        ("moved here", changes.moved_in),
        ("moved to another day", changes.moved_out),
        ("removed", changes.removed),
        ("kept, though not in PostgreSQL", changes.kept),
    ]
    told = [f"{name} | {len(ids)} | {_examples(ids)}" for name, ids in lines if ids]
    told += [f"stood twice, one goes | {changes.doubled} |"] if changes.doubled else []
    told += [f"in files that are not folded, left as they are | {changes.unfolded} |"] if changes.unfolded else []
    if not told:
        return "Nothing differs."
    held_back = f"\n\nNot carried out in full: {shard.withheld}" if shard.withheld else ""
    return "\n".join(["rows | how many | which", "--- | ---: | ---", *told]) + held_back


def _examples(ids: Sequence[str]) -> str:
    """Name some rows in a cell of a table."""
    more = f" and {len(ids) - _EXAMPLES} more" if len(ids) > _EXAMPLES else ""
    return ", ".join(each.replace("|", "\\|") for each in ids[:_EXAMPLES]) + more


def _preview(rows: pa.Table) -> str:
    """Show rows as a Markdown table."""
    cells = [
        " | ".join(str(value).replace("|", "\\|").replace("\n", " ")[:100] for value in row.values())
        for row in rows.to_pylist()
    ]
    return "\n".join([" | ".join(rows.column_names), " | ".join("---" for _ in rows.column_names), *cells])
