"""The route by which a trusted publisher, such as a workflow of a CI system, gets a token for one repo."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.calls import Call, to_user
from govbr_assets.local.hub.errors import RefusedError

_HOUR = 3600
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_DATASETS = "datasets/"


def exchange(call: Call) -> Response:
    """Exchange an identity for a token that may write to one repo for an hour (RFC 8693)."""
    wish = call.json()
    resource = str(wish.get("resource"))
    if wish.get("grant_type") != _GRANT or not resource.startswith(_DATASETS):
        raise RefusedError("invalid_request: this Hub exchanges tokens for datasets only.")
    repo_id = resource.removeprefix(_DATASETS)
    call.hub.store.visibility(repo_id)  # a repo that is not there trusts nobody
    token = call.hub.tokens.exchange(str(wish.get("subject_token")), repo_id)
    return JSONResponse({"access_token": token, "token_type": "bearer", "expires_in": _HOUR})


ROUTES = [Route("/oauth/token", to_user(exchange), methods=["POST"])]
