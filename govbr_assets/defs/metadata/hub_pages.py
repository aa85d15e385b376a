"""Where in the browser what an asset has published can be looked at: the values under names that Dagster knows."""

from collections.abc import Sequence

from dagster import MetadataValue

from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.snapshot import Snapshot


def on_the_hub(client: RepoClient, snapshot: Snapshot, paths: Sequence[str] = ()) -> Metadata:
    """Name the repo, and link to a file of it at a revision.

    Args:
        client: of the repo.
        snapshot: the revision; one without a repo has no page.
        paths: of files; the first one that is there is linked, or all files if none is.
    """
    name: Metadata = {"dagster/table_name": client.repo_id}
    if snapshot.revision is None:
        return name
    path = next((path for path in paths if path in snapshot.files), "")
    return {**name, "dagster/uri": MetadataValue.url(client.page(snapshot.revision, path))}
