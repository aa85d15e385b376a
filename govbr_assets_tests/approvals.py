"""Approvals of removals, as the history of a repo records them."""

from govbr_assets.dataset.changeset import RemovalApproval
from govbr_assets_tests.graph import Graph


def used_approvals(graph: Graph) -> list[tuple[int, int]]:
    """Read the commits that removed rows by approval: how many, and how many were approved, the oldest first."""
    parsed = (RemovalApproval.parse(each.message) for each in graph.hub.client.commits())
    found = [each for each in parsed if each][::-1]
    before = [0, *(each.used for each in found)]
    return [(each.used - less, each.approved) for each, less in zip(found, before, strict=False)]
