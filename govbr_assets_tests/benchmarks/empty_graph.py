"""The least that a graph of this shape can cost: the product's three assets and four checks with nothing in them.

Dagster is all that may be imported here. Values are `Any`: with `None` Dagster would not ask the IO manager.
"""

from typing import Any

from dagster import (
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

daily = DailyPartitionsDefinition(start_date="2026-01-01", timezone="America/Sao_Paulo")


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
def partition_ids_are_unique(postgres_news_partition: Any) -> AssetCheckResult:
    """Pass."""
    return AssetCheckResult(passed=True)


@asset_check(asset=hf_parquet_shard, partitions_def=daily)
def shard_schema_is_the_contract() -> AssetCheckResult:
    """Pass."""
    return AssetCheckResult(passed=True)


@asset_check(asset=hf_parquet_shard, partitions_def=daily)
def hub_ids_are_unique() -> AssetCheckResult:
    """Pass."""
    return AssetCheckResult(passed=True)


@asset_check(
    asset=hf_parquet_shard,
    partitions_def=daily,
    additional_ins={"postgres_news_partition": AssetIn("postgres_news_partition")},
)
def postgres_rows_are_on_the_hub(postgres_news_partition: Any) -> AssetCheckResult:
    """Pass."""
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
