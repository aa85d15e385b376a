"""The repos that are not on the Hub when a command begins: publishing creates them, which may be a typing error."""

from collections.abc import Iterator
from contextlib import suppress

from govbr_assets.dataset import Dataset
from govbr_assets.defs.in_process.refusals import datasets_of
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import GovbrAssetsError


class NewRepos:
    """Looks which repos are missing. Of one that the token may not read, whoever uses it tells.

    Args:
        hub: both repos.

    Attributes:
        present: the repos that are there, or that the token may not read.
    """

    def __init__(self, hub: HubResource) -> None:
        self._missing = [each for each in datasets_of(hub) if _is_missing(each)]
        self.present = [each.client for each in datasets_of(hub) if each not in self._missing]

    def would_be_created(self) -> Iterator[str]:
        """Say which ones a run would create, a sentence each."""
        for repo_id, visible in self._named(created=False):
            yield f"{repo_id} is not on the Hub, or not for this token: it would be created, {visible}."

    def were_created(self) -> Iterator[str]:
        """Say which ones are on the Hub now, a sentence each."""
        for repo_id, visible in self._named(created=True):
            yield f"{repo_id} was not on the Hub: it was created, {visible}."

    def _named(self, *, created: bool) -> Iterator[tuple[str, str]]:
        for client in (dataset.client for dataset in self._missing):
            if bool(client.last_head()) == created:
                yield client.repo_id, "private" if client.private else "public"


def _is_missing(dataset: Dataset) -> bool:
    with suppress(GovbrAssetsError):
        return not (dataset.client.last_head() or dataset.client.head().revision)
    return False
