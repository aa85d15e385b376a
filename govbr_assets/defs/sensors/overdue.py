"""Alerts for what is not there in time: an asset that nobody materializes, and the newest day."""

from collections.abc import Iterator
from datetime import UTC, datetime

from dagster import AssetCheckEvaluation, AssetsDefinition, DagsterInstance

from govbr_assets.alerts.message import Alert, day_missing, overdue_alert
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.assets.daily import hf_parquet_shard
from govbr_assets.defs.assets.reconciliation import hub_reconciliation
from govbr_assets.defs.assets.reduced import reduced_dataset
from govbr_assets.defs.newest_day import NewestDay
from govbr_assets.defs.sensors.alert_cursor import AlertCursor


def overdue_assets(instance: DagsterInstance, now: datetime, *, reduced: bool = False) -> Iterator[Alert]:
    """Find the assets that were not materialized for longer than their freshness policy allows, as the UI does.

    Args:
        instance: Dagster's.
        now: aware.
        reduced: the reduced dataset is published as well.
    """
    assets: list[AssetsDefinition] = [consolidated_dataset, hub_reconciliation, *([reduced_dataset] if reduced else [])]
    for spec in (spec for each in assets for spec in each.specs):
        event = instance.get_latest_materialization_event(spec.key)
        if event and spec.freshness_policy:
            last = datetime.fromtimestamp(event.timestamp, UTC)
            window = spec.freshness_policy.fail_window.to_timedelta()  # pyright: ignore[reportAttributeAccessIssue]
            if alert := overdue_alert(spec.key.path[-1], last, now, window):
                yield alert


def missing_day(newest: NewestDay | None, cursor: AlertCursor) -> Iterator[Alert]:
    """Report that the newest day is not there, once until one is.

    Args:
        newest: that should be there; None if that is not known.
        cursor: is brought up to date.
    """
    if newest and newest.published:
        cursor.missing = ""
    elif newest and newest.day:
        cursor.missing = cursor.missing or newest.day.isoformat()
        yield day_missing(hf_parquet_shard.key.path[-1], cursor.missing)


def newest_day_events(newest: NewestDay | None, cursor: AlertCursor) -> list[AssetCheckEvaluation]:
    """Give `newest_day_is_published` another verdict if it has changed.

    Args:
        newest: that should be there; None if that is not known.
        cursor: is brought up to date.
    """
    if newest is None or newest.published == cursor.fresh:
        return []
    cursor.fresh = newest.published
    return [
        AssetCheckEvaluation(
            asset_key=hf_parquet_shard.key,
            check_name="newest_day_is_published",
            passed=newest.published,
            metadata={"day": f"{newest.day or 'none'}"},
            description=str(newest),
        )
    ]
