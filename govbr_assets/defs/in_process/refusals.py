"""What stands in the way of commits, told before the first run."""

from collections.abc import Collection
from datetime import date

from govbr_assets.core.card import card_of
from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.card import card_changes, check_card_usable
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.compatibility import check_places, obstacles
from govbr_assets.dataset.reach import check_movable
from govbr_assets.defs.in_process.report import Left
from govbr_assets.defs.in_process.watch import Watch
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.verification import check_ignored
from govbr_assets.huggingface.write_access import write_refusal
from govbr_assets.operations.project.mirror import check_apart, check_replaceable, mirror_of
from govbr_assets.publications import REDUCED


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


def check_reduced(hub: HubResource, days: Collection[date]) -> str:
    """Check what can be known of the reduced dataset before there is what it would follow.

    Args:
        hub: both repos.
        days: that would be published to the full dataset before.

    Returns:
        Which files of others would go, in a sentence; empty if none would.

    Raises:
        GovbrAssetsError: a commit to it would fail.
    """
    full, reduced = hub.dataset(), hub.reduced_dataset()
    source, head = full.client.head(), reduced.client.head()
    check_apart(full, reduced)
    check_card_usable(reduced, head)
    check_movable(reduced, head)
    check_replaceable(full, reduced, head)
    layout = full.spec.layout
    there = {file.path for file in source.data_files if layout.is_ours(file.path)}
    mirrored = {REDUCED.path(path) for path in (*there, *(layout.day_path(Day(day)) for day in days))}
    if not mirrored:
        return ""
    gone = tuple(file.path for file in head.data_files if file.path not in mirrored)
    planned = Changeset(put=dict.fromkeys(sorted(mirrored), b""), delete=gone, report=None)
    if found := obstacles(reduced, head):
        raise ContractError(f"{reduced.client.repo_id}: {found[0]}")
    check_places(head, planned)
    with card_of(reduced.client.repo_id):
        card_changes(reduced, head, planned)
    check_ignored(reduced.client, head, planned.put)
    first, *others = gone or [""]
    if not first or mirror_of(full, reduced, REDUCED, head).source:
        return ""
    more = f" and {len(others):,} more" if others else ""
    return f"The reduced dataset takes the place of {first}{more} in {reduced.client.repo_id}."
