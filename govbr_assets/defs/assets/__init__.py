"""The assets: fetch, call the rules, return.

`defaults` is what they have in common; `sources` has those that others fill, `daily`, `consolidated`,
`reduced` and `reconciliation` those of each group.
"""

from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.assets.daily import hf_existing_ids, hf_parquet_shard, postgres_news_partition
from govbr_assets.defs.assets.reconciliation import hub_reconciliation
from govbr_assets.defs.assets.reduced import reduced_dataset
from govbr_assets.defs.assets.sources import news, themes

__all__ = [
    "consolidated_dataset",
    "hf_existing_ids",
    "hf_parquet_shard",
    "hub_reconciliation",
    "news",
    "postgres_news_partition",
    "reduced_dataset",
    "themes",
]
