"""The reduced dataset follows the full one: what its asset does, and what a run does that has changed the full one.

How a projection is made, and compared with the full dataset, belongs to `operations.project`, which is imported when
there is one to be made.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    DagsterInstance,
    DagsterLogManager,
)

from govbr_assets.defs.metadata.projection import ProjectionProgress, comparison_metadata
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import GovbrAssetsError
from govbr_assets.operations.release import tag_mirrored
from govbr_assets.publications import REDUCED

if TYPE_CHECKING:
    from govbr_assets.operations.project.compare import ProjectionComparison

REDUCED_DATASET = AssetKey("reduced_dataset")
REDUCED_MATCHES_FULL = AssetCheckKey(REDUCED_DATASET, "reduced_matches_full")


def mirror(hub: HubResource, log: Callable[[str], None], *, dry_run: bool = False) -> ProjectionProgress:
    """Mirror the full dataset as it is.

    Args:
        hub: both repos.
        log: gets a sentence for each commit.
        dry_run: do everything but commit.

    Raises:
        ConfigurationError: there is no repo for the reduced dataset.
        GovbrAssetsError: it could not be mirrored.
    """
    from govbr_assets.operations.project.plan import project

    full, reduced = hub.dataset(), hub.reduced_dataset()
    progress = ProjectionProgress(reduced, full.client.repo_id, REDUCED.fingerprint, dry_run=dry_run)
    for result in project(full, reduced, REDUCED, dry_run=dry_run, log=log):
        progress.add(result)
        log(str(progress))
    if hub.tags_releases and not dry_run and progress.source:
        tags = tag_mirrored(full, reduced, progress.source, log)
        progress.tagged(tags)
        if tags.problem:
            log(tags.problem)
    return progress


def compare(hub: HubResource) -> "ProjectionComparison":
    """Compare the reduced dataset with the full one as both are now.

    Args:
        hub: both repos.

    Raises:
        GovbrAssetsError: they cannot be compared.
    """
    from govbr_assets.operations.project.compare import compare_projection

    return compare_projection(hub.dataset(), hub.reduced_dataset(), REDUCED)


def follow(hub: HubResource, instance: DagsterInstance, log: DagsterLogManager) -> None:
    """Bring the reduced dataset up to date in a run that has changed the full one, if there is a reduced one.

    Its check is judged as well, as in a run of its own: else it would go on saying what was true before. Nothing is
    raised: the full dataset is published. What went wrong is logged and recorded of `reduced_dataset`, its check fails,
    and where automation is on `reduced_dataset_sensor` tries again.

    Args:
        hub: both repos.
        instance: Dagster's.
        log: of the run.
    """
    if not hub.has_reduced or hub.is_dry_run:
        return
    key, name = REDUCED_MATCHES_FULL.asset_key, REDUCED_MATCHES_FULL.name
    try:
        progress = mirror(hub, log.info)
        made = AssetMaterialization(REDUCED_DATASET, metadata=progress.to_metadata())
        instance.report_runless_asset_event(made)
        found = compare(hub)
        judged = AssetCheckEvaluation(key, name, not found.differences, comparison_metadata(found))
    except GovbrAssetsError as error:
        told = f"The reduced dataset does not follow yet: {error} Materialize reduced_dataset when that is mended."
        log.error(told)
        instance.report_runless_asset_event(AssetObservation(REDUCED_DATASET, description=told))
        judged = AssetCheckEvaluation(key, name, passed=False, description=told)
    instance.report_runless_asset_event(judged)
