"""The asset of the reconciliation: all rows of PostgreSQL against all rows of the Hub."""

import time

import pyarrow as pa
from dagster import AssetExecutionContext, Config, Output
from pydantic import Field

from govbr_assets.core.day_counts import DAYS_SCHEMA, differing
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.assets.defaults import DAILY, columns, owned_asset
from govbr_assets.defs.assets.sources import news, themes
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.reconciliation import reconciliation_metadata
from govbr_assets.defs.resources import HubResource, PostgresResource


class ReconciliationConfig(Config):
    """What can be chosen in the launchpad."""

    deep: bool = Field(
        default=False,
        description="Compare all that rows say, and not only their ids and days: reads all of PostgreSQL, and what is"
        " new on the Hub.",
    )


@owned_asset(
    deps=[news, themes, hf_parquet_shard, consolidated_dataset],
    io_manager_key="table_io_manager",
    group_name="reconciliation",
    kinds={"postgres", "huggingface"},
    freshness_policy=DAILY,
    metadata={"dagster/column_schema": columns(DAYS_SCHEMA)},
)
@without_retries()
def hub_reconciliation(
    context: AssetExecutionContext, config: ReconciliationConfig, postgres: PostgresResource, hub: HubResource
) -> Output[pa.Table]:
    """The days on which the Hub is not what PostgreSQL is: rows missing, extra, duplicated, moved, or changed."""
    from govbr_assets.operations.reconcile.plan import reconcile  # a run of a day imports this module too

    dataset, began = hub.dataset(), time.monotonic()
    found = reconcile(
        dataset, dataset.client.head(listed=True), postgres.client(), deep=config.deep, log=context.log.info
    )
    repo_id, seconds = dataset.client.repo_id, time.monotonic() - began
    metadata = reconciliation_metadata(found, repo_id, deep=config.deep, seconds=seconds)
    told = str(metadata["summary"])
    context.log.info(f"{told[0].upper()}{told[1:]}.")
    return Output(differing(found.days), metadata=metadata)
