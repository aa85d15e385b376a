"""The least that a graph of this shape can cost: the product's three assets and four checks with nothing in them.

Dagster is the only package that may be imported here. Values are `Any`: with `None` Dagster would not ask the IO
manager. Over a range the checks give an evaluation for every day, as the product's do. The first day is the product's.
"""

import os
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetIn,
    BackfillPolicy,
    ConfigurableIOManager,
    DailyPartitionsDefinition,
    Definitions,
    InputContext,
    OutputContext,
    asset,
    asset_check,
    in_process_executor,
)

daily = DailyPartitionsDefinition(os.environ.get("GOVBR_FIRST_DAY", "2003-01-01"), timezone="America/Sao_Paulo")


class NowhereIOManager(ConfigurableIOManager):
    """Keeps nothing and gives nothing."""

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Keep nothing."""

    def load_input(self, context: InputContext) -> None:
        """Give nothing."""


@asset(partitions_def=daily, backfill_policy=BackfillPolicy.single_run())
def postgres_news_partition() -> Any:
    """Stand first."""


@asset(partitions_def=daily, backfill_policy=BackfillPolicy.single_run())
def hf_existing_ids(postgres_news_partition: Any) -> Any:
    """Stand between."""


@asset(partitions_def=daily, backfill_policy=BackfillPolicy.single_run())
def hf_parquet_shard(postgres_news_partition: Any, hf_existing_ids: Any) -> Any:
    """Stand last."""


@asset_check(asset=postgres_news_partition, partitions_def=daily)
def partition_ids_are_unique(context: AssetCheckExecutionContext, postgres_news_partition: Any) -> AssetCheckResult:
    """Pass."""
    return _pass(context)


@asset_check(asset=hf_parquet_shard, partitions_def=daily)
def shard_schema_is_the_contract(context: AssetCheckExecutionContext) -> AssetCheckResult:
    """Pass."""
    return _pass(context)


@asset_check(asset=hf_parquet_shard, partitions_def=daily)
def hub_ids_are_unique(context: AssetCheckExecutionContext) -> AssetCheckResult:
    """Pass."""
    return _pass(context)


@asset_check(
    asset=hf_parquet_shard,
    partitions_def=daily,
    additional_ins={"postgres_news_partition": AssetIn("postgres_news_partition")},
)
def postgres_rows_are_on_the_hub(context: AssetCheckExecutionContext, postgres_news_partition: Any) -> AssetCheckResult:
    """Pass."""
    return _pass(context)


def _pass(context: AssetCheckExecutionContext) -> AssetCheckResult:
    """Pass a day, or each day of a range: Dagster itself records only one verdict for a run."""
    (check,) = context.selected_asset_check_keys
    for key in context.partition_keys if len(context.partition_keys) > 1 else ():
        evaluation: Any = AssetCheckEvaluation(check.asset_key, check.name, True, {}, partition=key)
        context.op_execution_context.log_event(evaluation)
    return AssetCheckResult(passed=True)


defs = Definitions(
    assets=[postgres_news_partition, hf_existing_ids, hf_parquet_shard],
    asset_checks=[
        partition_ids_are_unique,
        shard_schema_is_the_contract,
        hub_ids_are_unique,
        postgres_rows_are_on_the_hub,
    ],
    resources={"io_manager": NowhereIOManager()},
    executor=in_process_executor,
)
