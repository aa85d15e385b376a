"""Rows that a dataset has lost, whoever removed them: found in the history of its repo and in the records of Dagster.

An empty dataset has no id twice, nothing out of order and no wrong schema: without this every check of it would pass.
"""

from datetime import UTC, datetime, timedelta
from itertools import chain, islice

from dagster import AssetRecordsFilter, DagsterInstance

from govbr_assets.core.layout import CARD_PATH, FileLayout
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import VisibleRows
from govbr_assets.dataset.visible_rows import rows_seen
from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.metadata.compaction import last_compactions
from govbr_assets.defs.metadata.daily import DayRecord
from govbr_assets.defs.metadata.events import materializations
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import Snapshot

_COMPACTIONS = 5  # that are looked through
_COMMITS = 200  # at most so many are read of the history
_LONGEST = timedelta(days=14)  # that losses are looked for where no two compactions say since when


def shortfall(instance: DagsterInstance, dataset: Dataset, head: Snapshot) -> str:
    """Return what the dataset lacks.

    Args:
        instance: Dagster's, which knows when the compaction before the last one was.
        dataset: of the repo.
        head: its newest revision.

    Returns:
        One sentence; empty if nothing is lacking.

    Raises:
        ContractError: the card cannot be understood, or a file not be read.
        HubUnavailableError: the Hub is out of reach.
    """
    return (
        emptied(instance, dataset, head)
        or _unselected(head, dataset.spec.layout)
        or _lost(dataset, head, _since(instance, dataset.client.repo_id))
    )


def emptied(instance: DagsterInstance, dataset: Dataset, head: Snapshot) -> str:
    """Say that no row is left where there were some; empty if there are some, or never were."""
    if head.revision is None:
        known = _published(instance, dataset.client.repo_id)
        return f"{dataset.client.repo_id} is not on the Hub any more, and had {known}." if known else ""
    if rows_seen(dataset, head):
        return ""
    for commit in islice(dataset.client.commits(head.revision), _COMMITS):
        try:
            rows = rows_seen(dataset, dataset.client.at(commit.revision))
        except ContractError:  # nobody could load that one either
            continue
        if rows:
            return f"No row is left; at {commit.revision[:8]} there were {rows}, which the job rollback brings back."
    return ""


def _published(instance: DagsterInstance, repo_id: str) -> str:
    """Return which revision of a repo was published last, as far as Dagster knows."""
    wanted = materializations(instance, AssetRecordsFilter(hf_parquet_shard.key))
    days = (DayRecord.from_event(each.asset_materialization) for each in wanted)
    whole = (record for _, record in last_compactions(instance, repo_id, _COMPACTIONS))
    for record in chain(days, whole):
        if record.repo == repo_id and record.revision_after:
            return f"revision {record.revision_after[:8]}"
    return ""


def _unselected(head: Snapshot, layout: FileLayout) -> str:
    """Return which files of ours readers do not see by what the card selects."""
    scope = head.scope
    shown = {*scope.ours.files}.union(*(split.files for _, _, split in scope.others))
    named = filter(layout.is_ours, head.files)
    hidden = sorted({*named} - shown)
    if hidden:
        more = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
        return f"{CARD_PATH} does not select {hidden[0]}{more}, and readers do not see their rows."
    if scope.ours.files and not scope.ours.loads:
        return f"{CARD_PATH} names files of the dataset that are not there, and nobody can load it."
    return ""


def _since(instance: DagsterInstance, repo_id: str) -> datetime:
    """Return since when losses are looked for: since the compaction before the last one."""
    done = last_compactions(instance, repo_id, 2)
    return datetime.fromtimestamp(done[1][0], UTC) if len(done) > 1 else datetime.now(UTC) - _LONGEST


def _lost(dataset: Dataset, head: Snapshot, since: datetime) -> str:
    """Count the rows that went between two commits of ours, or after the last one, by commits of others."""
    lost, after, last = 0, rows_seen(dataset, head), ""
    for commit in islice(dataset.client.commits(head.revision) if head.revision else (), _COMMITS):
        if seen := VisibleRows.parse(commit.message):
            if seen.after > after:
                lost, last = lost + seen.after - after, commit.revision[:8]
            after = seen.before
            if commit.at < since:
                break
    return f"{lost} rows that readers saw at {last} were taken away by commits of others." if lost else ""
