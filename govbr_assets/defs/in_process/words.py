"""What a run has done, in words, from what its assets have recorded."""

from collections import Counter
from collections.abc import Callable, Mapping

from govbr_assets.core.day_counts import COUNTS
from govbr_assets.defs.in_process.heard import Heard

ROWS = {
    "new_rows": "added",
    "changed_rows": "changed",
    "moved_in": "moved in",
    "moved_out": "moved out",
    "removed": "removed",
    "doubled": "duplicates dropped",
    "kept": "kept though not in PostgreSQL",
}
"""What becomes of rows of a day: the name of each number in the metadata, and the word for it."""


def outcome(job: str, heard: Heard) -> str:
    """Say what a run has done, or would do if it was a dry run.

    Args:
        job: the name of its job.
        heard: what was heard of it.
    """
    return _WORDS[job](heard) if job in _WORDS else ""


def _days(heard: Heard) -> str:
    """Count the rows of days."""
    numbers = heard.numbers.get("hf_parquet_shard", Counter())
    done = [f"{numbers[name]:,} {words}" for name, words in ROWS.items() if numbers[name]]
    return f"rows: {', '.join(done)}" if done else "nothing had to change"


def _compaction(heard: Heard) -> str:
    """Count the files of a compaction."""
    told = heard.metadata.get("consolidated_dataset", {})
    if not told.get("files_in"):
        return "all was compacted"
    dropped = f", {told['duplicates_dropped']:,} duplicates dropped" if told.get("duplicates_dropped") else ""
    return f"{told['files_in']} files into {told.get('files_out', 0)}{dropped}"


def _reconciliation(heard: Heard) -> str:
    """Count what differs."""
    told = heard.metadata.get("hub_reconciliation", {})
    counted = {name: told.get(name, 0) for name in (*COUNTS[2:], "undated_surplus", "unpublishable_rows")}
    named = [f"{count:,} {name.replace('_', ' ')}" for name, count in counted.items() if count]
    if not told:
        return ""
    files = f"; {told['unfolded_files']} files are to be compacted" if told.get("unfolded_files") else ""
    if not told.get("differing_days") and not named:
        return f"no day differs{files}"
    return f"{told.get('differing_days', 0)} days differ: {', '.join(named) or 'nothing else'}{files}"


def _reduced(heard: Heard) -> str:
    """Count the files of the reduced dataset."""
    told = heard.metadata.get("reduced_dataset", {})
    if not told.get("files_made") and not told.get("files_dropped"):
        return "nothing had to change"
    return f"{told.get('files_made', 0)} files made anew, {told.get('files_dropped', 0)} dropped"


_WORDS: Mapping[str, Callable[[Heard], str]] = {
    "daily_sync": _days,
    "weekly_consolidation": _compaction,
    "reconciliation": _reconciliation,
    "reduced_sync": _reduced,
}
