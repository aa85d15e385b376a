"""The check of the reduced dataset: it is what the full one is, file by file."""

from dagster import AssetCheckResult, asset_check

from govbr_assets.defs.assets.reduced import reduced_dataset
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.metadata.projection import comparison_metadata
from govbr_assets.defs.projection import compare
from govbr_assets.defs.resources import HubResource


@asset_check(asset=reduced_dataset)
@without_retries()
def reduced_matches_full(hub: HubResource) -> AssetCheckResult:
    """Every file of the full dataset is mirrored with all of its rows, and no other file is there.

    It says how far behind the reduced dataset is: which revision it mirrors, how many commits have come since, and
    which files differ by rows or, where the full dataset has changed since, by the digest of the mirrored columns. It
    looks at the newest revision of both. It is judged in each run that changes the full dataset, too.
    """
    found = compare(hub)
    return AssetCheckResult(passed=not found.differences, metadata=comparison_metadata(found))
