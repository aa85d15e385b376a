"""The reduced dataset: whether it has to follow the full one."""

from dataclasses import dataclass
from datetime import UTC, datetime

from dagster import DagsterInstance, RunRequest

from govbr_assets.defs.decisions.requests import request
from govbr_assets.defs.metadata.projection import ProjectionRecord
from govbr_assets.defs.projection import REDUCED_DATASET
from govbr_assets.defs.resources import HubResource
from govbr_assets.publications import REDUCED


@dataclass(frozen=True)
class MirrorDecision:
    """Whether the reduced dataset has to follow.

    Attributes:
        requests: the run; none if it mirrors the newest revision.
        why_not: why there is none.
    """

    requests: list[RunRequest]
    why_not: str = ""


def next_mirror(instance: DagsterInstance, hub: HubResource, by: str) -> MirrorDecision:
    """Decide it: it has to follow if either dataset has another revision than the last run has left, or other columns.

    Args:
        instance: Dagster's.
        hub: both repos.
        by: who asks.

    Raises:
        GovbrAssetsError: the Hub cannot be asked.
    """
    full, reduced = hub.dataset().client, hub.reduced_dataset().client
    event = instance.get_latest_materialization_event(REDUCED_DATASET)
    last = ProjectionRecord.from_event(event.asset_materialization if event else None)
    heads = full.head().revision or "", reduced.head().revision or ""
    if (full.repo_id, reduced.repo_id, REDUCED.fingerprint, *heads) == (
        *(last.source_repo, last.repo, last.projection),
        *(last.source_revision, last.revision_after),
    ):
        return MirrorDecision([], f"{reduced.repo_id} mirrors {heads[0][:8] or 'nothing'}, the newest revision.")
    key = f"{reduced.repo_id}@{heads[1][:8]}:{heads[0][:8]}:{REDUCED.fingerprint}:{datetime.now(UTC):%Y%m%d%H}"
    return MirrorDecision([request("reduced_sync", key, by)])
