"""Checks of the whole dataset, file after file: never more than a row group of keys is in memory.

They look at the newest revision, whoever made it, and so judge what a rollback has brought back as well.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetRecordsFilter, asset_check

from govbr_assets.core.periods import SortCheck
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.card import CardChanges, card_changes
from govbr_assets.dataset.changeset import REMOVED_ROWS, RemovalApproval
from govbr_assets.dataset.compatibility import obstacles
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.dataset.schema_version import in_version_of
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.checks.whole import shortfall
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.compaction import CompactionRecord, last_compactions
from govbr_assets.defs.newest_revision import newest
from govbr_assets.defs.resources import HubResource, ViewerResource
from govbr_assets.errors import UnknownRevisionError, ViewerUncertainError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot

_TRIED = 500  # commits of compactions since the last one that came to its end


@asset_check(asset=consolidated_dataset)
@without_retries()
def dataset_ids_are_unique(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """No unique_id stands twice in the dataset."""
    dataset = hub.dataset()
    head = newest(context.run.run_id, consolidated_dataset.key, dataset)
    index = _index(dataset, head)
    repeated = sum(1 for _ in index.duplicates())
    numbers = {"rows": index.rows([head.revision]), "repeated": repeated} | _about(head)
    return _verdict(context, dataset, head, passed=not repeated, numbers=numbers)


@asset_check(asset=consolidated_dataset)
@without_retries()
def dataset_schema_is_the_contract(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """Every file has exactly the published schema, and the card is one that any files load with."""
    dataset = hub.dataset()
    head = newest(context.run.run_id, consolidated_dataset.key, dataset)
    schemas = {file.path: dataset.reader.schema(file) for file in head.data_files}
    wrong = {path: difference for path, schema in schemas.items() if (difference := dataset.spec.compare(schema))}
    breaking = [path for path, difference in wrong.items() if difference.for_readers(first=False)[0]]
    put, stale, _ = card_changes(dataset, head) if head.data_files else CardChanges({})
    examples = "\n".join(f"{path}: {difference}" for path, difference in list(wrong.items())[:20])
    numbers = {"different": len(wrong), "break_readers": len(breaking), "examples": examples or "none"} | _about(head)
    in_the_way = [f"to be mended: {[*put, *stale]}"] if put or stale else []
    in_the_way += obstacles(dataset, head)
    numbers["card"] = " ".join(in_the_way) or "loads"
    return _verdict(context, dataset, head, passed=not wrong and not in_the_way, numbers=numbers)


@asset_check(asset=consolidated_dataset)
@without_retries()
def dataset_is_sorted(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """The rows of every file stand in the order of `published_at, unique_id`."""
    dataset = hub.dataset()
    head = newest(context.run.run_id, consolidated_dataset.key, dataset)
    as_it_is = in_version_of(dataset, head)
    wrong = [breach for file in head.data_files if (breach := _breach(as_it_is, file))]
    numbers = {"unsorted_files": len(wrong), "examples": "\n".join(wrong[:20]) or "none"} | _about(head)
    return _verdict(context, dataset, head, passed=not wrong, numbers=numbers)


@asset_check(asset=consolidated_dataset)
@without_retries()
def no_row_was_lost(context: AssetCheckExecutionContext, hub: HubResource, viewer: ViewerResource) -> AssetCheckResult:
    """Every unique_id from before the last compaction is still there, but for removals, and nobody took rows away."""
    dataset = hub.dataset()
    head = newest(context.run.run_id, consolidated_dataset.key, dataset)
    before = _before_last_compaction(context, dataset, head)
    index = _index(dataset, before, head)
    rows_before, rows = (index.rows([each.revision]) for each in (before, head))
    missing, counted = index.missing([before.revision], [head.revision]), _viewer_rows(viewer, head)
    removed = _removed(dataset, before, head) if missing else 0
    numbers = {"rows_before": rows_before, "rows": rows, "missing": missing, "removed": removed} | _about(head)
    numbers |= {"viewer_rows": counted, "before": before.revision or ""}
    agrees = isinstance(counted, str) or counted == rows
    return _verdict(context, dataset, head, passed=missing <= removed and agrees, numbers=numbers)


def _removed(dataset: Dataset, before: Snapshot, head: Snapshot) -> int:
    """Count the rows that commits of ours have removed by approval between two revisions, by their trailers."""
    commits = takewhile(lambda commit: commit.revision != before.revision, dataset.client.commits(head.revision or ""))
    return sum(commit.trailer(REMOVED_ROWS) for commit in commits if RemovalApproval.parse(commit.message))


def _verdict(
    context: AssetCheckExecutionContext, dataset: Dataset, head: Snapshot, *, passed: bool, numbers: Mapping[str, Any]
) -> AssetCheckResult:
    """Let nothing pass that is true only because rows are not there any more, or are not seen."""
    lacking = shortfall(context.instance, dataset, head)
    return AssetCheckResult(passed=passed and not lacking, metadata={**numbers, "lacking": lacking or "nothing"})


def _viewer_rows(viewer: ViewerResource, head: Snapshot) -> int | str:
    """Return how many rows the viewer counts at the revision, or why it cannot be asked: it needs minutes to index."""
    if not head.data_files:
        return "nothing to count"
    client = viewer.client()
    client.config = head.scope.default or client.config
    try:
        return client.rows(head.revision or "")
    except ViewerUncertainError as error:
        return f"not known: {error}"


def _before_last_compaction(context: AssetCheckExecutionContext, dataset: Dataset, head: Snapshot) -> Snapshot:
    """Find the revision that the last compaction began with, which may have failed and been tried again since."""
    repo_id, instance = dataset.client.repo_id, context.instance
    done = last_compactions(instance, repo_id, 2)
    wanted = AssetRecordsFilter(consolidated_dataset.key, after_timestamp=done[1][0] if len(done) > 1 else None)
    tried = instance.fetch_observations(wanted, limit=_TRIED).records
    begun = (CompactionRecord.from_event(each.asset_observation) for each in reversed(tried))
    records = (*(each for each in begun if each.repo == repo_id), *(record for _, record in done[:1]))
    before = (each.revision_before for each in records if not each.dry_run)
    try:
        return dataset.client.at(next(before, None) or head.revision)
    except UnknownRevisionError:  # a repo that was made anew under the same name
        return head


def _index(dataset: Dataset, *snapshots: Snapshot) -> KeyIndex[str | None]:
    """Index the ids of whole revisions."""
    by_revision = {each.revision: each for each in snapshots}
    index = KeyIndex[str | None](lambda revision: dataset.reader.ids(by_revision[revision]))
    index.add(by_revision)
    return index


def _breach(dataset: Dataset, file: DataFile) -> str:
    """Return what stands out of order in a file."""
    if dataset.spec.compare(dataset.reader.schema(file)):
        return f"{file.path} has another schema"
    order = SortCheck(file.path)
    return next((breach for keys in dataset.reader.keys(file) if (breach := order.breach(keys))), "")


def _about(head: Snapshot) -> dict[str, Any]:
    """Describe what was looked at."""
    return {"files": len(head.data_files), "revision": head.revision or "no repo yet"}
