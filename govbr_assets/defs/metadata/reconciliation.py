"""What `hub_reconciliation` records: the totals, what is covered day by day and month by month, the worst days."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from dagster import AssetKey, AssetMaterialization, AssetRecordsFilter, DagsterInstance, MetadataValue

from govbr_assets.core.calendar_picture import calendar_picture
from govbr_assets.core.counting import count
from govbr_assets.core.counting import differing as count_differing
from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.day_counts import COUNTS, Month, closed, differing, months, worst
from govbr_assets.core.days import Day
from govbr_assets.defs.metadata.events import NO_REPO, Metadata, Values, materializations
from govbr_assets.defs.metadata.markdown import picture, table

if TYPE_CHECKING:
    from govbr_assets.operations.reconcile.plan import Reconciled

RECONCILIATION = AssetKey("hub_reconciliation")

WORST_DAYS = 20
"""Days that are named."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEGEND = (
    "ok: nothing differs. A percentage: of PostgreSQL's rows of the month, the Hub holds so many; 100% if they only"
    " differ in another way. extra: only the Hub has rows. -: nobody has."
)
_NOBODY = "nobody has a row"


@dataclass(frozen=True)
class ReconciliationRecord:
    """What sensors and the check read of a reconciliation.

    Attributes:
        repo: whose.
        revision: of the Hub, or `NO_REPO`.
        uncompacted_files: that must be compacted before their days can be synced.
        deep: contents were compared, too.
        undated_surplus: rows without a day that only the Hub has, or has more than once.
        undated_duplicates: those of them that it has more than once.
        unpublishable_rows: of PostgreSQL.
        refused_days: whose contents cannot be compared.
        number: of the event in Dagster's storage.
        differing_closed_days: days before the one of the reconciliation that differ; None if it does not say.
    """

    repo: str
    revision: str
    uncompacted_files: int
    deep: bool
    undated_surplus: int
    unpublishable_rows: int
    refused_days: int
    number: int = 0
    undated_duplicates: int = 0
    differing_closed_days: int | None = None

    def to_metadata(self) -> Metadata:
        """Write the record."""
        return {
            "repo": self.repo,
            "revision": self.revision,
            "unfolded_files": self.uncompacted_files,
            "deep": self.deep,
            "differing_closed_days": self.differing_closed_days or 0,
            "undated_duplicates": self.undated_duplicates,
            **self.beside_days,
        }

    @property
    def beside_days(self) -> dict[str, int]:
        """What no table of differing days can hold."""
        return {
            "undated_surplus": self.undated_surplus,
            "unpublishable_rows": self.unpublishable_rows,
            "refused_days": self.refused_days,
        }

    @property
    def undated(self) -> int:
        """Rows without a day that only the Hub has, each counted once."""
        return self.undated_surplus - self.undated_duplicates

    @classmethod
    def from_event(cls, event: AssetMaterialization | None, number: int = 0) -> "ReconciliationRecord":
        """Read a record; None is one of which nothing is known."""
        values = Values(event)
        counted = ("undated_surplus", "unpublishable_rows", "refused_days")
        undated, unpublishable, rejected = (values.number(name) or 0 for name in counted)
        uncompacted, deep = values.number("unfolded_files") or 0, values.flag("deep")
        repo, revision = values.text("repo"), values.text("revision")
        closed, twice = values.number("differing_closed_days"), values.number("undated_duplicates") or 0
        return cls(repo, revision, uncompacted, deep, undated, unpublishable, rejected, number, twice, closed)


def last_reconciliation(instance: DagsterInstance, repo_id: str) -> ReconciliationRecord:
    """Read the last reconciliation of a repo; those of others may be recorded beside it.

    Args:
        instance: Dagster's.
        repo_id: of the Hub.

    Returns:
        What it recorded; a record without a repo if it is not among the last reconciliations.
    """
    for each in materializations(instance, AssetRecordsFilter(RECONCILIATION)):
        record = ReconciliationRecord.from_event(each.asset_materialization, each.storage_id)
        if record.repo == repo_id:
            return record
    return ReconciliationRecord.from_event(None)


def last_deep_reconciliation(
    instance: DagsterInstance, repo_id: str, since: datetime | None = None
) -> tuple[datetime, ReconciliationRecord] | None:
    """Read the last reconciliation that has compared contents.

    Args:
        instance: Dagster's.
        repo_id: of the Hub.
        since: the oldest one that counts, aware; None sets no limit.

    Returns:
        When it was, aware, and what it recorded; None if it is not among the last reconciliations.
    """
    wanted = AssetRecordsFilter(RECONCILIATION, after_timestamp=since.timestamp() if since else None)
    for each in materializations(instance, wanted):
        record = ReconciliationRecord.from_event(each.asset_materialization, each.storage_id)
        if record.deep and record.repo == repo_id:
            return datetime.fromtimestamp(each.timestamp, UTC), record
    return None


def reconciliation_metadata(found: "Reconciled", repo_id: str, *, deep: bool, seconds: float) -> Metadata:
    """Describe all of it but the table itself.

    Args:
        found: what was compared.
        repo_id: of the Hub.
        deep: contents were compared, too.
        seconds: that it took.
    """
    differ, today = differing(found.days), Day.at(datetime.now(UTC))
    rejected = "\n".join(f"{day}: {reason}" for day, reason in list(found.rejected.items())[:WORST_DAYS])
    record = ReconciliationRecord(
        repo_id,
        found.snapshot.revision or NO_REPO,
        len(found.uncompacted),
        deep,
        found.totals["undated_surplus"],
        found.left_out.rows,
        len(found.rejected),
        undated_duplicates=found.undated_duplicates,
        differing_closed_days=closed(differ, today).num_rows,
    )
    return {
        "summary": _summary(found, today),
        "calendar": MetadataValue.md(_calendar(found)),
        "coverage": MetadataValue.md(_coverage(months(found.days))),
        "worst_days": MetadataValue.md(days_table(worst(differ, WORST_DAYS))),
        **found.totals,
        **record.to_metadata(),
        "differing_days": differ.num_rows,
        "refused": rejected or "none",
        "unpublishable": "\n".join(found.left_out.examples) or "none",
        "files": len(found.snapshot.data_files),
        "files_fetched": found.fetched,
        "unfolded": "\n".join(found.uncompacted[:WORST_DAYS]) or "none",
        "seconds": round(seconds, 3),
    }


def _summary(found: "Reconciled", today: Day) -> str:
    """Say how many days that are over differ and in what; what belongs to no day; and the files in the way.

    Args:
        found: what was compared.
        today: the first day that is not over.
    """
    all_days = differing(found.days)
    days = closed(all_days, today)
    counts = {name: pc.sum(days[name]).as_py() or 0 for name in COUNTS[2:]}
    counts["moved"] = min(counts["moved"], found.totals["moved"])  # once, and not under both days
    counts |= {"undated surplus": found.totals["undated_surplus"], "unpublishable": found.left_out.rows}
    named = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    told = "no day differs"
    if days.num_rows:
        first, last = (each.as_py() for each in pc.min_max(days["day"]).values())
        told = f"{count_differing(days.num_rows, 'day')}, {DateRange(first, last)}"
    later = (pc.sum(all_days["missing"]).as_py() or 0) - counts["missing"]
    waiting = f"; {count(later, 'row')} of today and later: left until the day is over" if later else ""
    files = f"; {count(len(found.uncompacted), 'file')} to be compacted" if found.uncompacted else ""
    return f"{told}{': ' if named else ''}{named}{waiting}{files}"


def days_table(days: pa.Table) -> str:
    """Show days: [n days x 8] of `DAYS_SCHEMA`."""
    rows = [[str(row["day"]), *(row[name] for name in COUNTS)] for row in days.to_pylist()]
    return table(["day", *COUNTS], rows, numbers=COUNTS)


def _calendar(found: "Reconciled") -> str:
    """Show each day as a cell of a calendar."""
    days = found.days
    if not days.num_rows:
        return _NOBODY
    first, last = days["day"][0], days["day"][-1]
    words = f"{days.num_rows} days with rows from {first} to {last}, {differing(days).num_rows} of them differ"
    return picture(calendar_picture(days, {day.date for day in found.rejected}), words)


def _coverage(found: dict[tuple[int, int], Month]) -> str:
    """Show a year a row, and its months."""
    rows = [
        [str(year), *(_cell(found.get((year, month))) for month in range(1, 13))]
        for year in sorted({year for year, _ in found})
    ]
    return f"{table(['year', *_MONTHS], rows, numbers=_MONTHS)}\n\n{_LEGEND}" if rows else _NOBODY


def _cell(month: Month | None) -> str:
    """Write what is held of a month; only what is whole is 100%."""
    if month is None:
        return "-"
    if not month.differs:
        return "ok"
    if not month.rows:
        return "extra"
    return f"{month.held * 1000 // month.rows / 10:g}%"
