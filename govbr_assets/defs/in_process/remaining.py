"""What is left after all runs, and why: from the last reconciliation and from what the runs have said."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from govbr_assets.core.date_ranges import ranges_by_value
from govbr_assets.core.day_counts import COUNTS, closed
from govbr_assets.core.days import Day
from govbr_assets.defs.in_process.report import Left
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.defs.partitions import FIRST_DAY

_NO_REASON = "it differs still, though its run has succeeded: somebody changes it meanwhile, or run mend again"
_NOT_RUN = "no run of it was begun"


def days_left(table: pa.Table, reasons: Mapping[date, str], tried: Collection[date]) -> Iterator[Left]:
    """List days that differ, but for those that are not over, and days that could not be published.

    Args:
        table: days that differ, [n days x 8].
        reasons: why days could not be published as they are, as their last runs say.
        tried: days that runs were for.
    """
    counts = {row["day"]: row for row in closed(table, Day.at(datetime.now(UTC))).to_pylist()}
    why = {day: _why(day, reasons, tried) for day in sorted({*counts, *reasons})}
    for span, reason in sorted(ranges_by_value(why)):
        yield Left(f"{span}", f"{_differences([counts[day] for day in span.days if day in counts])}{reason}")


def _why(day: date, reasons: Mapping[date, str], tried: Collection[date]) -> str:
    """Say why a day differs."""
    if day < FIRST_DAY:
        return f"it is before GOVBR_FIRST_DAY ({FIRST_DAY})"
    return reasons.get(day) or (_NO_REASON if day in tried else _NOT_RUN)


def _differences(rows: list[dict[str, Any]]) -> str:
    """Count the differences of some days, such as `3 missing, 1 surplus: `."""
    totals = {name: sum(row[name] for row in rows) for name in COUNTS[2:]}
    named = ", ".join(f"{count:,} {name}" for name, count in totals.items() if count)
    return f"{named}: " if named else ""


def beside_days(last: RunResult) -> Iterator[Left]:
    """List what a reconciliation has found that no run of a day can mend."""
    recorded = last.metadata.get("hub_reconciliation", {})
    if files := recorded.get("unfolded_files"):
        yield Left("files", f"{files} are not compacted: {recorded.get('unfolded', '')}".replace("\n", ", "))
    if rows := recorded.get("undated_surplus"):
        yield Left("rows without a time", f"only the Hub has these {rows:,}, and no run of a day can remove them")
    if rows := recorded.get("unpublishable_rows"):
        yield Left(
            "rows of PostgreSQL",
            f"{rows:,} cannot be published: {recorded.get('unpublishable', '')}".replace("\n", " "),
        )
    if recorded.get("refused_days"):
        yield Left(
            "days", f"{recorded['refused_days']} cannot be compared: {recorded.get('refused', '')}".replace("\n", " ")
        )
    if last.lacking:
        yield Left("the dataset", last.lacking)
