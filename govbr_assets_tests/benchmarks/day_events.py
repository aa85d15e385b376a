"""The least that Dagster can record of days: a materialization a day and asset, and a verdict a day that has changed.

An asset without days reports them, one after another in Dagster's own way. Dagster is the only package that may be
imported here. `DAYS` names all days and `CHANGED` those that have changed, in files with one in a line.
"""

import os
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    Definitions,
    asset,
    in_process_executor,
)

DAYS, CHANGED = "GOVBR_BENCH_DAYS", "GOVBR_BENCH_CHANGED"
"""Variables with the paths of the files."""

ASSETS = [AssetKey(name) for name in ("postgres_news_partition", "hf_existing_ids", "hf_parquet_shard")]


@asset
def day_events(context: AssetExecutionContext) -> None:
    """Report what happened to each asset and day."""
    days, changed = (Path(os.environ[name]).read_text().split() for name in (DAYS, CHANGED))
    for key in ASSETS:
        for day in days:
            context.log_event(AssetMaterialization(key, partition=day, metadata={"dagster/partition_row_count": 0}))
    for day in changed:
        verdict: Any = AssetCheckEvaluation(ASSETS[-1], "postgres_rows_are_on_the_hub", True, {}, partition=day)
        context.op_execution_context.log_event(verdict)


defs = Definitions(assets=[day_events], executor=in_process_executor)
