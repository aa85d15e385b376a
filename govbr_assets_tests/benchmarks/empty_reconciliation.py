"""The least that a reconciliation can cost: the product's asset and check with nothing in them.

Dagster is the only package that may be imported here. The value is `Any`: with `None` Dagster would not ask the IO
manager.
"""

from typing import Any

from dagster import AssetCheckResult, Definitions, asset, asset_check, in_process_executor

from govbr_assets_tests.benchmarks.empty_graph import NowhereIOManager


@asset
def hub_reconciliation() -> Any:
    """Stand alone."""


@asset_check(asset=hub_reconciliation)
def hub_matches_postgres(hub_reconciliation: Any) -> AssetCheckResult:
    """Pass."""
    return AssetCheckResult(passed=True)


defs = Definitions(
    assets=[hub_reconciliation],
    asset_checks=[hub_matches_postgres],
    resources={"io_manager": NowhereIOManager()},
    executor=in_process_executor,
)
