"""What stands in the way of commits, told before the first run."""

from pathlib import Path

from govbr_assets.core.card import card_of
from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.card import card_changes, check_card_usable
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.reach import check_movable
from govbr_assets.defs.in_process.report import Left
from govbr_assets.defs.in_process.watch import Watch
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.defs.resources import HubResource
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.write_access import write_refusal
from govbr_assets.operations.project.mirror import check_apart


def datasets_of(hub: HubResource) -> list[Dataset]:
    """List the datasets that are published: the full one, and the reduced one if there is one."""
    return [hub.dataset(), *([hub.reduced_dataset()] if hub.has_reduced else [])]


def refusals(hub: HubResource, watch: Watch) -> list[Left]:
    """List the repos that the token may not write to, as far as the Hub says so.

    Args:
        hub: both repos.
        watch: is told of each.
    """
    asked = ((each.client.repo_id, write_refusal(each.client)) for each in datasets_of(hub))
    found = [Left(repo_id, why) for repo_id, why in asked if why]
    for each in found:
        watch.begin(f"access to {each.what}")
        watch.end(f"refused: {each.why}")
    return found


def check_reduced(hub: HubResource) -> None:
    """Check what can be known of the reduced dataset before there is what it would follow.

    Raises:
        GovbrAssetsError: a commit to it would fail.
    """
    reduced = hub.reduced_dataset()
    head = reduced.client.head()
    check_apart(hub.dataset(), reduced)
    check_card_usable(reduced, head)
    check_movable(reduced, head)
    with card_of(reduced.client.repo_id):
        card_changes(reduced, head, _all_made_anew(reduced, head))


def _all_made_anew(reduced: Dataset, head: Snapshot) -> Changeset[None]:
    """Plan what the last commit of a projection leaves: a file of ours, whatever is in it, in the place of all."""
    path = reduced.spec.layout.compacted_path(reduced.spec.layout.period_of_day(Day(FIRST_DAY)))
    gone = tuple(file.path for file in head.data_files if file.path != path)
    return Changeset(put={path: Path()}, delete=gone, report=None)
