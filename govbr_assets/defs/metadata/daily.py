"""What `hf_parquet_shard` records of a day: the numbers of its plan and its commit, and the rows concerned."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from dagster import MetadataValue

from govbr_assets.core.layout import FileLayout
from govbr_assets.core.row_changes import Action, RowChanges
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import CommitResult
from govbr_assets.defs.metadata.events import NO_REPO, Event, Metadata, Values
from govbr_assets.defs.metadata.hub_pages import on_the_hub
from govbr_assets.defs.metadata.markdown import short, table
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.options import DayReport
from govbr_assets.operations.sync.plan import SyncReport

_EXAMPLES = 5  # rows that are named
_COUNTED = re.compile(r"(?:^|, )(.+?) \((\d+)\)")


@dataclass(frozen=True)
class DayRecord:
    """What later runs read of a day's publication.

    Attributes:
        repo: to which it went; empty if the event does not say, as one that was reported by hand.
        postgres_rows: rows of the Postgres day; None if the event does not say.
        uncompacted: how many of them could not be changed before a compaction.
        revision_after: of the Hub; empty if there is no repo.
    """

    repo: str
    postgres_rows: int | None
    uncompacted: int | None
    revision_after: str

    def published_rows(self, repo_id: str) -> int:
        """Count the rows that went to a repo as they are in PostgreSQL."""
        if self.repo != repo_id or self.postgres_rows is None or self.uncompacted is None:
            return 0
        return self.postgres_rows - self.uncompacted

    def to_metadata(self) -> Metadata:
        """Write the record."""
        return {
            "repo": self.repo,
            "postgres_rows": self.postgres_rows or 0,
            "unfolded": self.uncompacted or 0,
            "revision_after": self.revision_after or NO_REPO,
        }

    @classmethod
    def from_event(cls, event: Event | None) -> "DayRecord":
        """Read a record; None is a day that was never published."""
        values = Values(event)
        revision = values.text("revision_after").replace(NO_REPO, "")
        return cls(values.text("repo"), values.number("postgres_rows"), values.number("unfolded"), revision)


def day_metadata(plan: DaySync, report: DayReport, result: CommitResult[SyncReport], dataset: Dataset) -> Metadata:
    """Describe what became of a day.

    Args:
        plan: the day.
        report: what was planned for it.
        result: that it is in.
        dataset: on the Hub.
    """
    changes, client, approval = report.changes, dataset.client, result.changeset.approval
    files = report.path, dataset.spec.layout.compacted_path_for(plan.day)
    return {
        "dagster/partition_row_count": report.postgres_rows + changes.count(Action.RETAIN),
        **on_the_hub(client, result.snapshot, files),
        **DayRecord(client.repo_id, report.postgres_rows, report.uncompacted, result.after or "").to_metadata(),
        "plan": MetadataValue.md(day_table(report)),
        "existing_rows": report.postgres_rows - changes.count(Action.ADD),
        "new_rows": changes.count(Action.ADD),
        "changed_rows": len(changes.changed),
        "changed_columns": _counted(changes.columns),
        "moved_in": changes.count(Action.MOVE_IN),
        "moved_out": changes.count(Action.MOVE_OUT),
        **_moves(changes, dataset.spec.layout),
        "removed": changes.count(Action.REMOVE),
        **({"approved_removals": approval.approved, "used_removals": approval.used} if approval else {}),
        "kept": changes.count(Action.RETAIN),
        "doubled": changes.duplicates,
        "ids_source": plan.known.source,
        "shard_rows": report.rows,
        "bytes": report.bytes,
        "path": report.path,
        "published": bool(changes) and result.committed,
        "revision_before": result.before or NO_REPO,
        "tolerated": "\n".join(result.notes[:20]) or "none: every file has the published schema",
        "preview": MetadataValue.md(_preview(report.preview)),
    }


def day_table(report: DayReport) -> str:
    """Show the plan of a day as a Markdown table: what happens to how many rows, and to which."""
    changes = report.changes
    changed = [f"{unique_id} ({', '.join(names)})" for unique_id, names in changes.changed.items()]
    kinds = {
        "added": changes.ids(Action.ADD),
        "changed": changed,
        "moved here": changes.ids(Action.MOVE_IN),
        "moved to another day": changes.ids(Action.MOVE_OUT),
        "removed": changes.ids(Action.REMOVE),
        "kept, though not in PostgreSQL": changes.ids(Action.RETAIN),
    }
    rows = [(name, len(ids), _examples(ids)) for name, ids in kinds.items() if ids]
    rows += [("duplicates, which go", changes.duplicates, "")] if changes.duplicates else []
    rows += [("in uncompacted files, left as they are", report.uncompacted, "")] if report.uncompacted else []
    if not rows:
        return "Nothing differs."
    blocked = f"\n\nNot carried out in full: {report.blocked}" if report.blocked else ""
    return table(["rows", "how many", "which"], rows, numbers=["how many"]) + blocked


def _counted(rows: Counter[str]) -> str:
    """Name columns or days, each with the number of its rows."""
    return ", ".join(f"{name} ({count})" for name, count in rows.most_common()) or "none"


def counted(text: str) -> dict[str, int]:
    """Read what the metadata of a day name with numbers, as `_counted` has written it."""
    return {name: int(rows) for name, rows in _COUNTED.findall(text)}


def _moves(changes: RowChanges, layout: FileLayout) -> Metadata:
    """Name the days between which rows move; a file that has those of a year is named itself."""
    found = {"moved_from": changes.moved_from, "moved_to": changes.moved_to}
    named = {
        name: Counter({f"{layout.day_of(path) or path}": rows for path, rows in files.items()})
        for name, files in found.items()
    }
    return {name: _counted(days) for name, days in named.items() if days}


def _examples(ids: Sequence[str]) -> str:
    """Name some rows."""
    more = f" and {len(ids) - _EXAMPLES} more" if len(ids) > _EXAMPLES else ""
    return ", ".join(ids[:_EXAMPLES]) + more


def _preview(rows: pa.Table) -> str:
    """Show rows: [up to 5 rows x 4]."""
    return table(rows.column_names, [list(map(short, row.values())) for row in rows.to_pylist()])
