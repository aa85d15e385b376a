"""The check of the reconciliation: judges the table that was stored, and so what was measured."""

from datetime import UTC, datetime

import pyarrow as pa
from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetCheckSeverity, MetadataValue, asset_check

from govbr_assets.core.day_counts import settled, worst
from govbr_assets.core.days import Day
from govbr_assets.defs.assets.reconciliation import hub_reconciliation as measured
from govbr_assets.defs.checks.whole import shortfall
from govbr_assets.defs.decisions.repair import approved_in_all
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.reconciliation import (
    WORST_DAYS,
    ReconciliationRecord,
    days_table,
    last_reconciliation,
)
from govbr_assets.defs.resources import HubResource


@asset_check(asset=measured)
@without_retries()
def hub_matches_postgres(
    context: AssetCheckExecutionContext, hub_reconciliation: pa.Table, hub: HubResource
) -> AssetCheckResult:
    """On every day the Hub has the rows of PostgreSQL, each once; today and yesterday may still differ, with a warning.

    Rows without a day that PostgreSQL does not have are a warning, too: they leave when their number is approved. So
    are rows of PostgreSQL that no day can publish. A day whose contents cannot be compared is not one that is equal;
    nor is an empty Hub that once had rows, or one of whose files readers do not see some, whatever PostgreSQL has.
    """
    dataset = hub.dataset()
    old = settled(hub_reconciliation, Day.at(datetime.now(UTC)))
    record = last_reconciliation(context.instance, dataset.client.repo_id)
    lacking = shortfall(context.instance, dataset, dataset.client.head())
    if not record.repo:
        lacking = "What was measured is of another repo: run hub_reconciliation again."
    to_mend = old.num_rows or record.refused_days or lacking
    return AssetCheckResult(
        passed=not hub_reconciliation.num_rows and not any(record.beside_days.values()) and not lacking,
        severity=AssetCheckSeverity.ERROR if to_mend else AssetCheckSeverity.WARN,
        metadata={
            "differing_days": hub_reconciliation.num_rows,
            "before_yesterday": old.num_rows,
            **record.beside_days,
            **({"removals": _to_approve(record, hub_reconciliation, hub)} if record.undated else {}),
            "lacking": lacking or "nothing",
            "worst_days": MetadataValue.md(days_table(worst(hub_reconciliation, WORST_DAYS))),
        },
    )


def _to_approve(record: ReconciliationRecord, table: pa.Table, hub: HubResource) -> str:
    """Say what to do about rows without a time that only the Hub has."""
    rows, number = record.undated, approved_in_all(record, table, hub)
    return (
        f"{rows} rows without a time are in PostgreSQL nowhere: look at PostgreSQL; if it is right, approve {number}"
        f" removals (`GOVBR_ALLOW_REMOVALS={number}`, or `govbr-assets mend --allow-removals {number}`), and a"
        " compaction removes them."
    )
