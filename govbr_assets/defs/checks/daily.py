"""Asset checks: what is true of a day, said with numbers.

The rules are in `core`. What breaks them stops a day before its upload already, so these look at what really is in
the storage and on the Hub.
"""

import pyarrow as pa
from dagster import AssetCheckExecutionContext, AssetCheckResult

from govbr_assets.core.contract import repeated
from govbr_assets.core.days import ByDay, Day
from govbr_assets.core.identity import aliases, missing_rows
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.defs.assets.daily import hf_parquet_shard, postgres_news_partition
from govbr_assets.defs.assets.defaults import Tables
from govbr_assets.defs.checks.per_day import Verdict, daily_check, judge_days, named
from govbr_assets.defs.checks.whole import emptied
from govbr_assets.defs.metadata.daily import DayRecord
from govbr_assets.defs.metadata.events import DayEvents
from govbr_assets.defs.newest_revision import newest
from govbr_assets.defs.resources import HubResource


@daily_check(postgres_news_partition)
def partition_ids_are_unique(context: AssetCheckExecutionContext, postgres_news_partition: Tables) -> AssetCheckResult:
    """No unique_id stands twice in the day's table."""
    days = ByDay.of(postgres_news_partition, context.partition_keys)
    return judge_days(context, lambda key: _unique(days[key]["unique_id"]))


@daily_check(hf_parquet_shard)
def shard_schema_is_the_contract(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """The day's shard on the Hub has exactly the published schema."""
    published = _PublishedDays(context, hub)

    def judge(key: str) -> Verdict:
        """Compare the schema of the day's shard; a day without one is judged by whether rows of it are lost."""
        file = published.head.data_file(published.dataset.spec.layout.day_path(Day.of(key)))
        if file is None:
            lost = published.lost(key, len(published.ids(key)))
            return Verdict(not lost, {"shard": lost or "none: other files hold the day, or it has no rows"})
        difference = str(published.dataset.spec.compare(published.dataset.reader.schema(file))) or published.emptied
        return Verdict(not difference, {"shard": file.path, "difference": difference or "none"})

    return judge_days(context, judge)


@daily_check(hf_parquet_shard)
def hub_ids_are_unique(context: AssetCheckExecutionContext, hub: HubResource) -> AssetCheckResult:
    """No unique_id of the day stands twice on the Hub, in whatever files."""
    published = _PublishedDays(context, hub)

    def judge(key: str) -> Verdict:
        """Look for duplicates among the rows that the Hub has under the day."""
        ids = published.ids(key)
        (unique, numbers), lost = _unique(ids), published.lost(key, len(ids))
        return Verdict(unique and not lost, {**numbers, "lacking": lost or "nothing"})

    return judge_days(context, judge)


@daily_check(hf_parquet_shard, ["postgres_news_partition"])
def postgres_rows_are_on_the_hub(
    context: AssetCheckExecutionContext, postgres_news_partition: Tables, hub: HubResource
) -> AssetCheckResult:
    """Every row of the day in PostgreSQL is on the Hub, under one of its ids."""
    published, days = _PublishedDays(context, hub), ByDay.of(postgres_news_partition, context.partition_keys)

    def judge(key: str) -> Verdict:
        """Look for the day's rows under the day, and then in all files."""
        rows = days[key]
        missing = missing_rows(rows, published.ids(key))
        if missing:  # a row that moved here may stand under its old day still
            found = published.index.locate(aliases(rows), published.head.data_files)
            missing = missing_rows(rows, pa.chunked_array([list(found)], pa.string()))
        numbers = {"postgres_rows": rows.num_rows, "missing": len(missing), "examples": named(missing)}
        return Verdict(not missing and not published.emptied, {**numbers, "lacking": published.emptied or "nothing"})

    return judge_days(context, judge)


class _PublishedDays:
    """The days of a run on the Hub. A day that has lost all rows fails: checks of single rows would pass without any.

    Attributes:
        dataset: of the repo.
        head: its newest revision.
        index: of the keys of its files.
        emptied: why all rows are lost; empty if they are not.
    """

    def __init__(self, context: AssetCheckExecutionContext, hub: HubResource) -> None:
        self.dataset = hub.dataset()
        self.head = newest(context.run.run_id, hf_parquet_shard.key, self.dataset)
        self.index = KeyIndex(self.dataset.reader.keys, self.dataset.reader.fetch_keys)
        self.emptied = emptied(context.instance, self.dataset, self.head)
        self._events = DayEvents(context.instance, hf_parquet_shard.key.path[-1], context.partition_keys)

    def ids(self, key: str) -> pa.ChunkedArray:
        """Read the ids that the Hub has under a day: [n rows]."""
        return self.dataset.reader.day_rows(self.head, Day.of(key), ["unique_id"])["unique_id"]

    def lost(self, key: str, rows: int) -> str:
        """Return what is lost of a day that has some rows on the Hub; empty if nothing."""
        if rows or self.emptied:
            return self.emptied
        published = DayRecord.from_event(self._events.of(key)).published_rows(self.dataset.client.repo_id)
        return f"{published} rows of the day were published, and readers see none." if published else ""


def _unique(ids: pa.ChunkedArray) -> Verdict:
    """Judge whether ids are unique and there."""
    duplicates = repeated(ids)
    numbers = {"rows": len(ids), "repeated": len(duplicates), "without_id": ids.null_count}
    return Verdict(not duplicates and not ids.null_count, {**numbers, "examples": named(duplicates)})
