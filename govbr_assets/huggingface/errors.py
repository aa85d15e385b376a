"""The client's errors, turned into ours: one sentence, and whether another try can help."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

import pyarrow as pa
from huggingface_hub.errors import (
    HfHubHTTPError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage] - its HTTP
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
_MOST_WORDS = 400  # characters: the list of licenses alone is longer than a message should be
_NAMED_WAIT = re.compile(r"(\d+)\s*(second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class ParentConflictError(GovbrAssetsError):
    """The head is no longer the commit that a plan was made at: plan again (never leaves `hub`)."""


class HubBusyError(HubUnavailableError):
    """The Hub asks to wait: another commit is in progress, or too many requests.

    Attributes:
        seconds: how long the Hub wants us to wait; None when it does not say.
    """

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


@contextmanager
def translated_errors(repo_id: str, doing: str) -> Iterator[None]:
    """Turn what the client raises into our errors.

    Args:
        repo_id: the repo, for the message.
        doing: what was tried, such as `reading data/x.parquet`.
    """
    try:
        yield
    except HfHubHTTPError as error:
        raise _told(error, repo_id, doing) from error
    except _NO_ANSWER as error:
        if status := storage_refusal(error):
            raise _denied(status, f"The Hub's storage refuses: {error}", repo_id, doing) from error
        if isinstance(error, JSONDecodeError) and error.doc.lstrip().startswith("<"):
            raise HubDeniedError(f"A web page was the answer while {doing} in {repo_id}. {_NO_HUB}") from None
        if _is_no_way(error):
            raise HubDeniedError(
                f"There is no way to the Hub while {doing} in {repo_id}: {error}. {_NO_WAY}"
            ) from error
        raise HubUnavailableError(f"The Hub gave no readable answer while {doing} in {repo_id}: {error}") from error
    except pa.ArrowException:  # of what is in a file, and no error of the client's, though a ValueError
        raise
    except _NONSENSE as error:
        raise _of_the_client(error, repo_id, doing) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        told = f"The disk is full ({error.strerror}), found while {doing} in {repo_id}: make room."
        raise NoRoomError(told) from error


def _is_no_way(error: BaseException) -> bool:
    """Tell what no other try mends: a name that nobody has, a certificate that nobody knows, no TLS where it should be.

    A resolver that gives no answer says so with another number (`EAI_AGAIN`), which may pass.
    """
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError) or getattr(cause, "reason", None) in _NO_TLS:
            return True
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def storage_refusal(error: BaseException) -> int:
    """Tell the status of a refusal for good by the Hub's storage, whose client raises it as no connection; else 0."""
    named = _STORAGE_REFUSED.search(str(error)) if isinstance(error, ConnectionError) else None
    return int(named[1]) if named else 0


def _of_the_client(error: Exception, repo_id: str, doing: str) -> GovbrAssetsError:
    """Choose our error for the client's own: it speaks of a refusal, or does not know what to make of an answer."""
    if str(error).startswith(_CARD_REFUSED):
        return card_refusal(str(error))
    if str(error).startswith(_FILES_REFUSED):
        return _denied(403, _reason(str(error)), repo_id, doing)
    said = " ".join(f"{type(error).__name__}: {error}".split())[:_MOST_WORDS]
    return HubDeniedError(f"The answer makes no sense while {doing} in {repo_id} ({said}). {_NO_HUB}")


def card_refusal(words: str) -> ContractError:
    """Tell that the Hub refuses the metadata of the card, in its words."""
    told = " ".join(words.split()).removeprefix(_CARD_REFUSED).strip(" -.:")
    told = told if len(told) <= _MOST_WORDS else f"{told[:_MOST_WORDS]}…"
    return ContractError(f"The Hub refuses the metadata of README.md: {told}. Correct it there; nothing was published.")


def _told(error: HfHubHTTPError, repo_id: str, doing: str) -> GovbrAssetsError:
    """Choose our error for an answer of the Hub."""
    status = error.response.status_code
    if isinstance(error, RevisionNotFoundError):
        return UnknownRevisionError(
            f"{repo_id} has no such revision, found while {doing}: it is another repo than the one that had it, or its"
            " history was rewritten."
        )
    said = (error.server_message or "").strip()
    told = _answered(status, said, repo_id, doing)
    if status == 412:
        return ParentConflictError(told)
    if status in (409, 429):
        return HubBusyError(told, _seconds(error.response.headers.get("Retry-After"), said))
    if status in (401, 402, 403):
        return _denied(status, said, repo_id, doing)
    if status in (404, 405) and "X-Error-Code" not in error.response.headers:
        return HubDeniedError(f"{told}. {_NO_HUB}")
    if status == 404:
        return HubDeniedError(f"{told}. Look at GOVBR_REPO_ID and HF_TOKEN: no such thing, or not for this token.")
    if status >= 500:
        return HubUnavailableError(told)
    if said.startswith(_CARD_REFUSED):
        return card_refusal(said)
    return HubDeniedError(f"{told}. The request itself is refused; another try will not help.")


def _answered(status: int, said: str, repo_id: str, doing: str) -> str:
    return f"The Hub answered {status} while {doing} in {repo_id}" + (f": {said.rstrip(' .')}" if said else "")


def _denied(status: int, said: str, repo_id: str, doing: str) -> HubDeniedError:
    """Choose what somebody has to look at: what the owner of the repo pays for, or the token."""
    told = _answered(status, said, repo_id, doing)
    if status == 402 or _QUOTA.search(said):
        return HubDeniedError(
            f"The quota or the billing of the owner of {repo_id} is in the way, not HF_TOKEN: {told}. Free or buy room"
            " there; another try will not help before."
        )
    return HubDeniedError(f"{told}. Look at HF_TOKEN: it must be valid and may write to GOVBR_REPO_ID.")


def _reason(words: str) -> str:
    """Take what the Hub says out of the client's list of files that it did not take: the first one's reason."""
    found = _FILE_REFUSED.search(words)
    return found[1].strip() if found else words


def _seconds(header: str | None, said: str) -> float | None:
    """Read how long the Hub wants us to wait: `Retry-After` in seconds, else what its text names."""
    if header and header.isdigit():
        return float(header)
    named = _NAMED_WAIT.search(said)
    return float(named[1]) * _SECONDS[named[2].lower()] if named else None
