"""Whether a token may write to a repo, as far as the Hub can say before anything is sent."""

from contextlib import suppress

from huggingface_hub.errors import RepositoryNotFoundError

from govbr_assets.errors import HubDeniedError, HubUnavailableError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors

_REFUSED = (401, 402, 403)


def write_refusal(hub: RepoClient) -> str:
    """Return why the Hub would refuse a commit, in a sentence that names the repo; empty if it would not, or is silent.

    Of a repo that is there the Hub answers for tokens of all kinds, also for fine-grained ones and those of trusted
    publishers. Before that only the role of a token is known, and a fine-grained one is taken to be good enough.

    Raises:
        ConfigurationError: `HF_OIDC_RESOURCE` is set, and nothing says who this process is.
    """
    if hub.token is None:
        return f"There is no token to write to {hub.repo_id} with: set HF_TOKEN to one that may."
    with suppress(HubUnavailableError):
        try:
            with translated_errors(hub.repo_id, "asking whether the token may write"):
                return _refusal(hub)
        except HubDeniedError as error:
            status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
            return str(error) if status in _REFUSED else ""
    return ""


def _refusal(hub: RepoClient) -> str:
    """Ask the Hub, and raise what its client raises."""
    try:
        hub.api.auth_check(hub.repo_id, repo_type="dataset", write=True)
    except RepositoryNotFoundError as error:
        if error.response.status_code in _REFUSED:
            raise
        if hub.api.whoami().get("auth", {}).get("accessToken", {}).get("role") == "read":
            return f"The token may only read, and {hub.repo_id} is not there yet: set HF_TOKEN to one that may write."
    return ""
