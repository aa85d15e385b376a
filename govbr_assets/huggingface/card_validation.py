"""Validation of a card by the Hub, before anything is written or uploaded."""

from huggingface_hub import constants
from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage] - its HTTP
from huggingface_hub.utils import build_hf_headers, get_session

from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import card_refusal


def check_card(hub: RepoClient, content: bytes) -> None:
    """Raise if the Hub rejects a card.

    If the Hub gives no verdict, nothing is raised, since the client asks again before it commits.

    Args:
        hub: the repo.
        content: of `README.md`, in UTF-8.

    Raises:
        ContractError: the Hub rejects its metadata; the message quotes the Hub.
    """
    if content == hub.accepted_card:
        return
    address = f"{hub.api.endpoint or constants.ENDPOINT}/api/validate-yaml"
    card = {"content": content.decode(), "repoType": "dataset"}
    try:
        response = get_session().post(address, json=card, headers=build_hf_headers(token=hub.token))
        answer = response.json()
    except (HTTPError, OSError, ValueError):
        return
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if response.status_code == 400 and isinstance(errors, list):
        message = "; ".join(str(error.get("message")) if isinstance(error, dict) else str(error) for error in errors)
        raise card_refusal(message or str(answer), hub.repo_id)
    if response.status_code == 200:
        hub.accepted_card = content
