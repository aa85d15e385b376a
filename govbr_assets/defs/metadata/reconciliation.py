"""What is told of a reconciliation for the UI: the totals, what is covered month by month, the worst days."""

from typing import Any

import pyarrow as pa
from dagster import MetadataValue

from govbr_assets.core.day_counts import COUNTS, Month, differing, months, worst
from govbr_assets.operations.reconcile.plan import Reconciled

WORST_DAYS = 20
"""Days that are named."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEGEND = (
    "ok: nothing differs. A percentage: of PostgreSQL's rows of the month, the Hub holds so many; 100% if they only"
    " differ in another way. extra: only the Hub has rows. -: nobody has."
)


def reconciliation_metadata(found: Reconciled, repo_id: str, *, deep: bool, seconds: float) -> dict[str, Any]:
    """Tell all of it but the table itself."""
    differ = differing(found.days)
    refused = "\n".join(f"{day}: {reason}" for day, reason in list(found.refused.items())[:WORST_DAYS])
    told = {
        "coverage": MetadataValue.md(_coverage(months(found.days))),
        "worst_days": MetadataValue.md(days_table(worst(differ, WORST_DAYS))),
    }
    return (
        told
        | found.totals
        | {
            "differing_days": differ.num_rows,
            "deep": deep,
            "refused_days": len(found.refused),
            "refused": refused or "none",
            "unpublishable_rows": found.left_out.rows,
            "unpublishable": "\n".join(found.left_out.examples) or "none",
            "repo": repo_id,
            "revision": found.snapshot.revision or "no repo yet",
            "files": len(found.snapshot.data_files),
            "files_fetched": found.fetched,
            "unfolded_files": len(found.unfolded),
            "unfolded": "\n".join(found.unfolded[:WORST_DAYS]) or "none",
            "seconds": round(seconds, 3),
        }
    )


def days_table(days: pa.Table) -> str:
    """Show days as a Markdown table."""
    rows = [" | ".join([str(row["day"]), *(f"{row[name]:,}" for name in COUNTS)]) for row in days.to_pylist()]
    head = [" | ".join(["day", *COUNTS]), " | ".join(["---", *["---:"] * len(COUNTS)])]
    return "\n".join([*head, *rows]) if rows else "none"


def _coverage(found: dict[tuple[int, int], Month]) -> str:
    """Show a year a row, and its months."""
    lines = [
        " | ".join([str(year), *(_cell(found.get((year, month))) for month in range(1, 13))])
        for year in sorted({year for year, _ in found})
    ]
    head = [" | ".join(["year", *_MONTHS]), " | ".join(["---", *["---:"] * len(_MONTHS)])]
    return "\n".join([*head, *lines, "", _LEGEND]) if lines else "nobody has a row"


def _cell(month: Month | None) -> str:
    """Spell what is held of a month; only what is whole is 100%."""
    if month is None:
        return "-"
    if not month.differs:
        return "ok"
    if not month.rows:
        return "extra"
    return f"{month.held * 1000 // month.rows / 10:g}%"
