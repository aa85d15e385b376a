"""Tags of a dataset repo. What is tagged, and what a tag says, belongs to `operations.release`."""

import time

from govbr_assets.errors import HubUnavailableError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors

_ATTEMPTS = 3
_PAUSE = 2.0  # seconds before another attempt


def tag_names(client: RepoClient) -> set[str]:
    """List the tags.

    Raises:
        HubUnavailableError: the Hub is out of reach.
        HubDeniedError: the Hub denies access, or there is no such repo.
    """
    with translated_errors(client.repo_id, "listing the tags"):
        refs = client.api.list_repo_refs(client.repo_id, repo_type="dataset")
    return {tag.name for tag in refs.tags}


def tagged_revision(client: RepoClient, name: str) -> str:
    """Return the commit that a tag names: 40 hex digits. A list of tags may name the tag's own object instead.

    Raises:
        UnknownRevisionError: there is no such tag.
        HubUnavailableError: the Hub is out of reach.
    """
    with translated_errors(client.repo_id, f"looking for the tag {name}"):
        return client.api.dataset_info(client.repo_id, revision=name).sha or ""


def create_tag(client: RepoClient, name: str, revision: str, message: str) -> None:
    """Create a tag; one that exists is left alone, whatever it names.

    Args:
        client: of the repo.
        name: of the tag.
        revision: the commit that it names.
        message: what it says.

    Raises:
        HubUnavailableError: the Hub stayed busy or broken.
        HubDeniedError: the Hub rejects it.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with translated_errors(client.repo_id, f"creating the tag {name}"):
                return client.api.create_tag(
                    client.repo_id,
                    tag=name,
                    tag_message=message,
                    revision=revision,
                    repo_type="dataset",
                    exist_ok=True,  # an answer may be lost: then it is there
                )
        except HubUnavailableError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE)
    return None
