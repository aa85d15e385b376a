"""Whether the Hub would take a card: asked before anything is made or uploaded, not when all else is there."""

from huggingface_hub import constants
from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage] - its HTTP
from huggingface_hub.utils import build_hf_headers, get_session

from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import card_refusal


def check_card(hub: RepoClient, content: bytes) -> None:
    """Ask the Hub whether it takes a card.

    A Hub that gives no verdict is none that refuses: the client asks again before it commits.

    Args:
        hub: the repo.
        content: of `README.md`, in UTF-8.

    Raises:
        ContractError: the Hub refuses its metadata; in the Hub's words.
    """
    if content == hub.accepted_card:
        return
    address = f"{hub.api.endpoint or constants.ENDPOINT}/api/validate-yaml"
    wish = {"content": content.decode(), "repoType": "dataset"}
    try:
        answer = get_session().post(address, json=wish, headers=build_hf_headers(token=hub.token))
        said = answer.json()
    except (HTTPError, OSError, ValueError):
        return
    errors = said.get("errors") if isinstance(said, dict) else None
    if answer.status_code == 400 and isinstance(errors, list):
        words = "; ".join(str(each.get("message")) if isinstance(each, dict) else str(each) for each in errors)
        raise card_refusal(words or str(said))
    if answer.status_code == 200:
        hub.accepted_card = content
