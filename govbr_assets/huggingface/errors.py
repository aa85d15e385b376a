"""Errors of the Hub's client, translated into ours: one sentence, transient or permanent."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import JSONDecodeError

import pyarrow as pa
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage] - its HTTP
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from govbr_assets.errors import (
    ContractError,
    GovbrAssetsError,
    HubDeniedError,
    HubUnavailableError,
    NoRoomError,
    UnknownRevisionError,
)

# No connection, for the client and for its storage, whose refusals come as these two as well; or half an answer.
_NO_ANSWER = (HTTPError, ConnectionError, TimeoutError, JSONDecodeError)
_NONSENSE = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
"""What the client and its storage's raise over an answer that they do not expect; a recursion without end as well."""
_SETTINGS = "GOVBR_REPO_ID, or GOVBR_REDUCED_REPO_ID for the reduced dataset"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_HUB = "Look at HF_ENDPOINT, and at what stands between it and us: what answers there is no Hub."
_NO_WAY = "Look at HF_ENDPOINT, and at the certificates that this machine knows: another try will not help."
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"}
"""Reasons of OpenSSL, of a server that speaks something else; a handshake that was cut off has others."""

_CARD_REFUSED = "Invalid metadata in README.md"
_FILES_REFUSED = "LFS batch API returned errors"
_FILE_REFUSED = re.compile(r"OID \S+: `(.+)")
_STORAGE_REFUSED = re.compile(r"HTTP status client error \((40[123]) ")
_QUOTA = re.compile(
    r"quota|storage|billing|payment|invoice|\b(?:un|pre)?pa(?:y|id)\b|past due|overdue|spending|not enough space"
    r"|upgrade|subscri|credits|\bplan\b|\blimit (?:is |has been )?(?:reached|exceeded)|exceed\w* (?:\w+ ){0,4}limit",
    re.I,
)
_MAX_CHARACTERS = 400  # of the Hub's message; a rejected license, for example, lists all that exist
_NAMED_WAIT = re.compile(r"(\d+)\s*(second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class ParentConflictError(GovbrAssetsError):
    """The head is no longer the parent of the commit: plan again. Handled within `dataset.transaction`."""


class HubBusyError(HubUnavailableError):
    """The Hub asks to wait: another commit is in progress, or too many requests.

    Attributes:
        seconds: how long the Hub asks to wait; None if it does not say.
    """

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


@contextmanager
def translated_errors(repo_id: str, doing: str) -> Iterator[None]:
    """Translate the client's exceptions into ours.

    Args:
        repo_id: the repo, for the message.
        doing: the action for the message, such as `reading data/x.parquet`.

    Raises:
        HubUnavailableError, HubDeniedError, ContractError, NoRoomError, ParentConflictError: by what the client raises.
    """
    try:
        yield
    except HfHubHTTPError as error:
        raise _translate(error, repo_id, doing) from error
    except _NO_ANSWER as error:
        if status := storage_refusal(error):
            raise _denied(status, f"The Hub's storage refuses: {error}", repo_id, doing) from error
        if isinstance(error, JSONDecodeError) and error.doc.lstrip().startswith("<"):
            raise HubDeniedError(f"A web page was the answer while {doing} in {repo_id}. {_NO_HUB}") from None
        if _is_misconfigured(error):
            raise HubDeniedError(
                f"There is no way to the Hub while {doing} in {repo_id}: {error}. {_NO_WAY}"
            ) from error
        text = f"The Hub gave no readable answer while {doing} in {repo_id}: {error}"
        raise HubUnavailableError(f"{text}{_where(error)}") from error
    except pa.ArrowException:  # concerns the contents of a file, though it is a ValueError
        raise
    except _NONSENSE as error:
        raise _client_error(error, repo_id, doing) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        text = f"The disk is full ({error.strerror}), found while {doing} in {repo_id}: make room."
        raise NoRoomError(text) from error


def _is_misconfigured(error: BaseException) -> bool:
    """Return whether a connection error is permanent: an unknown host, an invalid certificate, a server without TLS.

    A resolver that does not answer raises another code (`EAI_AGAIN`), which is transient.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError) or getattr(cause, "reason", None) in _NO_TLS:
            return True
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
            return True
    return False


def _where(error: BaseException) -> str:
    """Name the address where nobody listens; empty if somebody does, or the error knows no address."""
    if not (isinstance(error, HTTPError) and any(isinstance(each, ConnectionRefusedError) for each in _causes(error))):
        return ""
    with suppress(RuntimeError):  # an error without its request
        url = error.request.url
        return f" ({url.scheme}://{url.netloc.decode()} was asked: look at HF_ENDPOINT if the Hub is elsewhere)"
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """List an error and what has led to it."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def storage_refusal(error: BaseException) -> int:
    """Return the HTTP status if the Hub's storage denies access, which its client raises as ConnectionError; else 0."""
    named = _STORAGE_REFUSED.search(str(error)) if isinstance(error, ConnectionError) else None
    return int(named[1]) if named else 0


def _client_error(error: Exception, repo_id: str, doing: str) -> GovbrAssetsError:
    """Return our error for an exception of the client without status: a rejection, or a malformed answer."""
    if str(error).startswith(_CARD_REFUSED):
        return card_refusal(str(error), repo_id)
    if str(error).startswith(_FILES_REFUSED):
        return _denied(403, _reason(str(error)), repo_id, doing)
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_CHARACTERS]
    return HubDeniedError(f"The answer makes no sense while {doing} in {repo_id} ({reason}). {_NO_HUB}")


def card_refusal(message: str, repo_id: str) -> ContractError:
    """Return the error for a card whose metadata the Hub rejects.

    Args:
        message: of the Hub.
        repo_id: whose card it is.
    """
    reason = " ".join(message.split()).removeprefix(_CARD_REFUSED).strip(" -.:")
    reason = reason if len(reason) <= _MAX_CHARACTERS else f"{reason[:_MAX_CHARACTERS]}…"
    return ContractError(
        f"{repo_id}: The Hub refuses the metadata of README.md: {reason}. Correct it there; nothing was published."
    )


def _translate(error: HfHubHTTPError, repo_id: str, doing: str) -> GovbrAssetsError:
    """Return our error for an error response of the Hub."""
    status = error.response.status_code
    if isinstance(error, RevisionNotFoundError):
        return UnknownRevisionError(
            f"{repo_id} has no such revision, found while {doing}: it is another repo than the one that had it, or its"
            " history was rewritten."
        )
    message = (error.server_message or "").strip()
    text = _answer(status, message, repo_id, doing)
    if status == 412:
        return ParentConflictError(text)
    if status in (409, 429):
        return HubBusyError(text, _seconds(error.response.headers.get("Retry-After"), message))
    if closed := _closed(error, repo_id):
        return HubDeniedError(f"{text}. {closed}")
    if status in (401, 402, 403):
        return _denied(status, message, repo_id, doing)
    if status in (404, 405) and "X-Error-Code" not in error.response.headers:
        return HubDeniedError(f"{text}. {_NO_HUB}")
    if status == 404:
        return HubDeniedError(f"{text}. Look at {_SETTINGS}, and at HF_TOKEN: no such thing, or not for this token.")
    if status >= 500:
        return HubUnavailableError(text)
    if message.startswith(_CARD_REFUSED):
        return card_refusal(message, repo_id)
    return HubDeniedError(f"{text}. The request itself is refused; another try will not help.")


def _closed(error: HfHubHTTPError, repo_id: str) -> str:
    """Say what helps where the repo itself is closed, or cannot be told from a missing one; empty if it is neither."""
    if isinstance(error, DisabledRepoError):
        return "The Hub has disabled the repo, and no token helps: ask the Hub's support why."
    if isinstance(error, GatedRepoError):
        return (
            "The repo is gated: ask for access on the page of the dataset, and set HF_TOKEN to a token of the account"
            " that has it."
        )
    if error.response.status_code == 401 and isinstance(error, RepositoryNotFoundError):
        return (
            "It says so of private repos and of missing ones where there is no token, or none that it takes: set"
            f" HF_TOKEN to one that may read {repo_id}, and write to it if something is to be published."
        )
    return ""


def _answer(status: int, message: str, repo_id: str, doing: str) -> str:
    return f"The Hub answered {status} while {doing} in {repo_id}" + (f": {message.rstrip(' .')}" if message else "")


def _denied(status: int, message: str, repo_id: str, doing: str) -> HubDeniedError:
    """Return the error for denied access, because of the owner's quota or billing, or because of the token."""
    text = _answer(status, message, repo_id, doing)
    if status == 402 or _QUOTA.search(message):
        return HubDeniedError(
            f"The quota or the billing of the owner of {repo_id} is in the way, not HF_TOKEN: {text}. Free or buy room"
            " there; another try will not help before."
        )
    return HubDeniedError(
        f"{text}. Look at HF_TOKEN: it must be valid and have the right to read the repo, and to write to it if"
        f" something is to be published; the repo is set by {_SETTINGS}."
    )


def _reason(message: str) -> str:
    """Return the Hub's reason for the first file of the client's list of rejected files."""
    found = _FILE_REFUSED.search(message)
    return found[1].strip() if found else message


def _seconds(header: str | None, message: str) -> float | None:
    """Return how long the Hub asks to wait: by `Retry-After` in seconds, else by its message."""
    if header and header.isdigit():
        return float(header)
    named = _NAMED_WAIT.search(message)
    return float(named[1]) * _SECONDS[named[2].lower()] if named else None
