"""The reduced dataset follows the full one: what its asset does, and what a run does that has changed the full one.

How a projection is made belongs to `operations.project`.
"""

from collections.abc import Callable

from dagster import AssetKey, AssetMaterialization, AssetObservation, DagsterInstance, DagsterLogManager

from govbr_assets.defs.metadata.projection import ProjectionProgress
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import GovbrAssetsError
from govbr_assets.operations.project.plan import project
from govbr_assets.operations.release import tag_mirrored
from govbr_assets.publications import REDUCED

REDUCED_DATASET = AssetKey("reduced_dataset")


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
    full, reduced = hub.dataset(), hub.reduced_dataset()
    progress = ProjectionProgress(reduced.client, full.client.repo_id, dry_run=dry_run)
    for result in project(full, reduced, REDUCED, dry_run=dry_run, log=log):
        progress.add(result)
        log(str(progress))
    if hub.tags_releases and not dry_run and progress.source:
        tags = tag_mirrored(full, reduced, progress.source, log)
        progress.tagged(tags)
        if tags.problem:
            log(tags.problem)
    return progress


def follow(hub: HubResource, instance: DagsterInstance, log: DagsterLogManager) -> None:
    """Bring the reduced dataset up to date in a run that has changed the full one, if there is a reduced one.

    Nothing is raised: the full dataset is published. What went wrong is logged and recorded of `reduced_dataset`, its
    check fails, and where automation is on `reduced_dataset_sensor` tries again.

    Args:
        hub: both repos.
        instance: Dagster's.
        log: of the run.
    """
    if not hub.has_reduced or hub.is_dry_run:
        return
    try:
        progress = mirror(hub, log.info)
    except GovbrAssetsError as error:
        told = f"The reduced dataset does not follow yet: {error} Materialize reduced_dataset when that is mended."
        log.error(told)
        instance.report_runless_asset_event(AssetObservation(REDUCED_DATASET, description=told))
    else:
        made = AssetMaterialization(REDUCED_DATASET, metadata=progress.to_metadata())
        instance.report_runless_asset_event(made)
