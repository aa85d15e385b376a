"""The jobs: which assets run together."""

from dagster import AssetSelection, define_asset_job, in_process_executor

daily_sync = define_asset_job(
    "daily_sync",
    selection=AssetSelection.groups("daily"),
    description="One day, or a range of days, from PostgreSQL to the Hub, with its checks.",
    executor_def=in_process_executor,
)
