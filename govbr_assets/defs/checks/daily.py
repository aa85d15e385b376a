"""Asset checks: what is true of a day, said with numbers.

The rules are in `core`. What breaks them stops a day before its upload already, so these look at what really is in
the storage and on the Hub.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from dagster import AssetCheckEvaluation, AssetCheckExecutionContext, AssetCheckResult, AssetIn, asset_check

from govbr_assets.core.contract import repeated, schema_diff
from govbr_assets.core.days import ByDay, Day
from govbr_assets.core.identity import aliases, missing_rows
from govbr_assets.core.layout import shard_path
from govbr_assets.dataset.keys import holding
from govbr_assets.dataset.reader import day_rows, file_schema
from govbr_assets.defs.assets.daily import hf_parquet_shard, postgres_news_partition
from govbr_assets.defs.assets.defaults import Tables
from govbr_assets.defs.checks.whole import emptied
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.daily import ToldOfDays, published_rows
from govbr_assets.defs.partition_events import record_verdict
from govbr_assets.defs.partitions import daily
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import PermanentError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.snapshot import Snapshot

Verdict = tuple[bool, Mapping[str, Any]]


@asset_check(asset=postgres_news_partition, partitions_def=daily)
@without_retries()
def partition_ids_are_unique(context: AssetCheckExecutionContext, postgres_news_partition: Tables) -> AssetCheckResult:
    """No unique_id stands twice in the day's table."""
    rows = ByDay.of(postgres_news_partition, context.partition_keys)
    return _per_day(context, lambda key: _none_repeated(rows[key]["unique_id"]))


@asset_check(asset=hf_parquet_shard, partitions_def=daily)
@without_retries()
def shard_schema_is_the_contract(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """The day's shard on the Hub has exactly the published schema."""
    client = hub.client()
    head = client.head()
    lacking = _Lacking(context, client, head)

    def judge(key: str) -> Verdict:
        file = head.data_file(shard_path(Day.of(key)))
        if file is None:
            told = lacking.of(key, day_rows(client, head, Day.of(key), ["unique_id"]).num_rows)
            return not told, {"shard": told or "none: other files hold the day, or it has no rows"}
        difference = schema_diff(file_schema(client, head, file)) or lacking.all
        return not difference, {"shard": file.path, "difference": difference or "none"}

    return _per_day(context, judge)


@asset_check(asset=hf_parquet_shard, partitions_def=daily)
@without_retries()
def hub_ids_are_unique(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """No unique_id of the day stands twice on the Hub, in whatever files."""
    client = hub.client()
    head = client.head()

    lacking = _Lacking(context, client, head)

    def judge(key: str) -> Verdict:
        ids = day_rows(client, head, Day.of(key), ["unique_id"])["unique_id"]
        unique, told = _none_repeated(ids)
        gone = lacking.of(key, len(ids))
        return unique and not gone, {**told, "lacking": gone or "nothing"}

    return _per_day(context, judge)


@asset_check(
    asset=hf_parquet_shard,
    partitions_def=daily,
    additional_ins={"postgres_news_partition": AssetIn("postgres_news_partition")},
)
@without_retries()
def postgres_rows_are_on_the_hub(
    context: AssetCheckExecutionContext, postgres_news_partition: Tables, hub: HubResource
) -> AssetCheckResult:
    """Every row of the day in PostgreSQL is on the Hub, under one of its ids."""
    client, days = hub.client(), ByDay.of(postgres_news_partition, context.partition_keys)
    head = client.head()
    lacking = _Lacking(context, client, head)

    def judge(key: str) -> Verdict:
        rows = days[key]
        missing = missing_rows(rows, day_rows(client, head, Day.of(key), ["unique_id"])["unique_id"])
        if missing:  # a row that moved here may stand under its old day still
            missing = missing_rows(rows, holding(client, head, head.data_files, aliases(rows))["unique_id"])
        told = {"postgres_rows": rows.num_rows, "missing": len(missing), "examples": _list(missing)}
        return not missing and not lacking.all, {**told, "lacking": lacking.all or "nothing"}

    return _per_day(context, judge)


class _Lacking:
    """What days lack that were published: no rule about rows is broken where none are left.

    Attributes:
        all: why it is all days; empty if it is not.
    """

    def __init__(self, context: AssetCheckExecutionContext, client: RepoClient, head: Snapshot) -> None:
        self.all = emptied(context.instance, client, head)
        self._told = ToldOfDays(context.instance, hf_parquet_shard.key.path[-1], context.partition_keys)
        self._repo_id = client.repo_id

    def of(self, key: str, rows: int) -> str:
        """Say what a day lacks that has some rows on the Hub; empty if nothing."""
        published = 0 if rows else published_rows(self._told.of(key), self._repo_id)
        return self.all or (f"{published} rows of the day were published, and readers see none." if published else "")


def _none_repeated(ids: pa.ChunkedArray) -> Verdict:
    """Judge whether ids are unique and there."""
    twice = repeated(ids)
    return not twice and not ids.null_count, {
        "rows": len(ids),
        "repeated": len(twice),
        "without_id": ids.null_count,
        "examples": _list(twice),
    }


def _per_day(context: AssetCheckExecutionContext, judge: Callable[[str], Verdict]) -> AssetCheckResult:
    """Judge one day, or each day of a range: Dagster itself records only one verdict for a run."""
    keys = context.partition_keys
    if len(keys) == 1:
        passed, metadata = judge(keys[0])
        return AssetCheckResult(passed=passed, metadata=metadata)
    (check,) = context.selected_asset_check_keys
    failed, absent = [], []
    for key in keys:
        try:
            passed, metadata = judge(key)
        except PermanentError as error:  # a refused day has no table to judge
            absent.append(f"{key}: {error}")
            continue
        failed += [] if passed else [key]
        evaluation = AssetCheckEvaluation(check.asset_key, check.name, passed, metadata, partition=key)
        record_verdict(context, evaluation)
    told = {"days": len(keys), "failed": len(failed), "failed_days": _list(failed), "absent_days": _list(absent)}
    return AssetCheckResult(passed=not failed, metadata=told)


def _list(names: list[str]) -> str:
    """Name some things for the UI."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return (", ".join(names[:20]) or "none") + more
