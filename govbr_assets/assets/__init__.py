"""The assets: fetch, call the rules, return.

`declared` is what they have in common; `daily`, `weekly` and `reconciliation` have those of each group.
"""

from govbr_assets.assets.daily import hf_existing_ids, hf_parquet_shard, postgres_news_partition
from govbr_assets.assets.reconciliation import hub_reconciliation
from govbr_assets.assets.weekly import consolidated_dataset

__all__ = [
    "consolidated_dataset",
    "hf_existing_ids",
    "hf_parquet_shard",
    "hub_reconciliation",
    "postgres_news_partition",
]
