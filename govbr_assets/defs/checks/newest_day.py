"""The check that says whether the Hub is up to date, by the same rule as the alert; `alert_sensor` keeps it so."""

from datetime import UTC, datetime

from dagster import AssetCheckExecutionContext, AssetCheckResult, asset_check

from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.newest_day import newest_day
from govbr_assets.defs.resources import HubResource, PostgresResource


@asset_check(asset=hf_parquet_shard)
@without_retries()
def newest_day_is_published(
    context: AssetCheckExecutionContext, postgres: PostgresResource, hub: HubResource
) -> AssetCheckResult:
    """The newest day that should be on the Hub is there, once PostgreSQL has had rows of it for a day."""
    found = newest_day(context.instance, postgres.client(), hub.dataset().client.repo_id, datetime.now(UTC))
    return AssetCheckResult(passed=found.published, metadata={"day": f"{found.day or 'none'}"}, description=str(found))
