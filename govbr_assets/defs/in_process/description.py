"""Descriptions of what a run has done, from what its assets have recorded."""

from collections import Counter
from collections.abc import Callable, Mapping

from govbr_assets.core.counting import count
from govbr_assets.defs.in_process.run_result import RunResult

ROW_LABELS = {
    "new_rows": "added",
    "changed_rows": "changed",
    "moved_in": "moved in",
    "moved_out": "moved out",
    "removed": "removed",
    "doubled": "duplicates dropped",
    "kept": "kept though not in PostgreSQL",
}
"""What becomes of rows of a day: the name of each number in the metadata, and the word for it."""


def describe(job: str, result: RunResult) -> str:
    """Say what a run has done, or would do if it was a dry run.

    Args:
        job: the name of its job.
        result: what was recorded of the run.
    """
    return _DESCRIPTIONS[job](result) if job in _DESCRIPTIONS else ""


def _days(result: RunResult) -> str:
    """Count the rows of days."""
    numbers = result.numbers.get("hf_parquet_shard", Counter())
    done = [f"{numbers[name]:,} {words}" for name, words in ROW_LABELS.items() if numbers[name]]
    if done:
        return f"rows: {', '.join(done)}"
    return "nothing had to change" if result.success else ""


def _compaction(result: RunResult) -> str:
    """Count the files of a compaction."""
    recorded = result.metadata.get("consolidated_dataset", {})
    files = recorded.get("files_in")
    done = [f"{count(files, 'file')} into {recorded.get('files_out', 0):,}"] if files else []
    counted = {"duplicates_dropped": ("duplicate", "dropped"), "removed": ("row", "removed")}
    done += [f"{count(recorded[name], noun)} {verb}" for name, (noun, verb) in counted.items() if recorded.get(name)]
    return ", ".join(done) or ("all was compacted" if result.success else "")


def _reconciliation(result: RunResult) -> str:
    """Say what differs."""
    return str(result.metadata.get("hub_reconciliation", {}).get("summary", ""))


def _reduced(result: RunResult) -> str:
    """Count the files of the reduced dataset."""
    recorded = result.metadata.get("reduced_dataset", {})
    if not recorded.get("files_made") and not recorded.get("files_dropped"):
        return "nothing had to change" if result.success else ""
    return f"{count(recorded.get('files_made', 0), 'file')} made anew, {recorded.get('files_dropped', 0):,} dropped"


_DESCRIPTIONS: Mapping[str, Callable[[RunResult], str]] = {
    "daily_sync": _days,
    "weekly_consolidation": _compaction,
    "reconciliation": _reconciliation,
    "reduced_sync": _reduced,
}
