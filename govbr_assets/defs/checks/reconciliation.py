"""The check of the reconciliation: judges the table that was stored, and so what was measured."""

from datetime import UTC, datetime

import pyarrow as pa
from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetCheckSeverity, MetadataValue, asset_check

from govbr_assets.core.day_counts import settled, worst
from govbr_assets.core.days import Day
from govbr_assets.defs.assets.reconciliation import hub_reconciliation as measured
from govbr_assets.defs.checks.whole import shortfall
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.reconciliation import WORST_DAYS, days_table
from govbr_assets.defs.resources import HubResource

_BESIDE_DAYS = ("undated_surplus", "unpublishable_rows", "refused_days")


@asset_check(asset=measured)
@without_retries()
def hub_matches_postgres(
    context: AssetCheckExecutionContext, hub_reconciliation: pa.Table, hub: HubResource
) -> AssetCheckResult:
    """On every day the Hub has the rows of PostgreSQL, each once; today and yesterday may still differ, with a warning.

    Rows without a day that PostgreSQL does not have are a warning, too, as are rows of PostgreSQL that no day can
    publish: no run of a day can mend them. A day whose contents cannot be compared is not one that is equal; nor is an
    empty Hub that once had rows, or one of whose files readers do not see some, whatever PostgreSQL has.
    """
    client = hub.client()
    old = settled(hub_reconciliation, Day.at(datetime.now(UTC)))
    told, repo_id = _told(context)
    lacking = shortfall(context.instance, client, client.head())
    if repo_id != client.repo_id:
        lacking = f"What was measured is of {repo_id or 'another repo'}: run hub_reconciliation again."
    to_mend = old.num_rows or told["refused_days"] or lacking
    return AssetCheckResult(
        passed=not hub_reconciliation.num_rows and not any(told.values()) and not lacking,
        severity=AssetCheckSeverity.ERROR if to_mend else AssetCheckSeverity.WARN,
        metadata={
            "differing_days": hub_reconciliation.num_rows,
            "before_yesterday": old.num_rows,
            **told,
            "lacking": lacking or "nothing",
            "worst_days": MetadataValue.md(days_table(worst(hub_reconciliation, WORST_DAYS))),
        },
    )


def _told(context: AssetCheckExecutionContext) -> tuple[dict[str, int], str]:
    """Read what the reconciliation told that no table of differing days can hold, and of which repo it is."""
    event = context.instance.get_latest_materialization_event(measured.key)
    told = event.asset_materialization.metadata if event and event.asset_materialization else {}
    repo_id = str(told["repo"].value) if "repo" in told else ""
    return {name: int(str(told[name].value)) if name in told else 0 for name in _BESIDE_DAYS}, repo_id
