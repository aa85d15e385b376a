"""The token for the Hub where there is no `HF_TOKEN`: that of a trusted publisher, or that of the machine's login."""

from huggingface_hub import get_token
from huggingface_hub.errors import HfHubHTTPError, OIDCError

from govbr_assets.errors import ConfigurationError, GovbrAssetsError, HubDeniedError, HubUnavailableError
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.redact import remember

_RESOURCE = "HF_OIDC_RESOURCE"


def machine_token() -> str | None:
    """Return the token, renewed by the Hub's client if it is about to expire; None if there is none.

    Raises:
        ConfigurationError: `HF_OIDC_RESOURCE` is set, and nothing says who this process is.
        HubDeniedError: the Hub gives no token to this process.
        HubUnavailableError: the Hub does not answer.
    """
    try:
        with translated_errors(_RESOURCE, "asking for a token"):
            token = get_token()
    except OIDCError:  # whose words name the same, and look like a secret
        raise ConfigurationError(
            f"{_RESOURCE} is set, but there is no identity to get a token with: give the job of GitHub Actions the"
            " permission `id-token` to write, elsewhere set HF_OIDC_ID_TOKEN; or set HF_TOKEN instead."
        ) from None
    except HubUnavailableError:
        raise
    except GovbrAssetsError as error:
        raise _no_token(error) from error
    remember(token)
    return token


def _no_token(error: GovbrAssetsError) -> HubDeniedError:
    """Say what is to be done where the Hub knows who asks, and gives no token."""
    cause = error.__cause__
    status = cause.response.status_code if isinstance(cause, HfHubHTTPError) and cause.response is not None else ""
    return HubDeniedError(
        f"The Hub gives this process no token for what {_RESOURCE} names ({status or error}): write datasets/ and the"
        " repo there, and add this workflow to the trusted publishers in the settings of that repo; or set HF_TOKEN"
        " instead."
    )
