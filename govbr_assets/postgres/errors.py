"""Errors of PostgreSQL, libpq and poolers, translated into ours: transient or permanent, in one sentence.

SQLSTATE decides. While connecting the driver passes on no SQLSTATE, only libpq's text: then the messages known to be
transient are transient, and all others are permanent. libpq and PgBouncer write English, the server its own language.
"""

import re

import adbc_driver_manager
import pyarrow as pa

from govbr_assets.errors import (
    ConfigurationError,
    GovbrAssetsError,
    SourceError,
    SourceRowsError,
    SourceUnavailableError,
)

DRIVER_ERRORS = (adbc_driver_manager.Error, OSError, pa.ArrowException)

_TRANSIENT = ("08", "40", "531", "532", "533", "55P03", "57P01", "57P02", "57P03", "57P05", "58000", "58030", "72")
"""SQLSTATE prefixes of transient errors: connection, conflict, resources, lock, shutdown, disk.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_OF_ALL_ROWS = ("0A", "25", "26", "28", "34", "3D", "3F", "42", "55000", "57P04")
"""SQLSTATE prefixes of errors that occur whatever rows are selected: unsupported feature, name, privilege, type, state
of the session or of a materialized view."""

_UNTRANSLATABLE = "22P05"
_CANCELLED = "57014"  # by statement_timeout or by hand; with fewer rows it may be soon enough, so it is of these rows
_TOO_LONG = "raise statement_timeout for this role, if it was that, and look for locks and at how a view computes rows"
_INSUFFICIENT_PRIVILEGE = "42501"  # also raised where a policy would hide rows

_NETWORK = re.compile(
    r"connection refused|is the server running|timeout expired|timed out|unreachable|no route to host|host is down"
    r"|could not translate host name|cannot assign requested address|no connection to the server|broken pipe"
    r"|closed the connection|connection (reset|aborted|not open)|could not (send|receive)"
    r"|eof detected|ssl (syscall error|connection has been closed)"
)
_SERVER = re.compile(
    r"starting up|shutting down|in recovery mode|not yet accepting|not accepting connections|terminating connection"
    r"|too many (clients|connections)|connection slots|no more connections allowed|query_wait_timeout"
    r"|client_login_timeout|login has been failing|login failed|cannot connect to server|server conn"
    r"|iniciando|desligando|em modo de recupera|muit(os clientes|as conex)"  # Portuguese
)
_STATEMENTS = "statement pooling mode"
_CONNECTING = "Failed to connect"
_FAILED = "Reading the news from PostgreSQL failed"

_DRIVERS = re.compile(r"^[A-Z_]+: |\[libpq\] |Execution error \[\w+\]: | ?\. SQLSTATE: \w+$")
"""What the driver adds around PostgreSQL's message."""

_HINTS: dict[type[GovbrAssetsError], str] = {
    SourceUnavailableError: "look at GOVBR_POSTGRES_URL and the server",
    SourceError: "check the table and its columns",
    SourceRowsError: "check the values of these rows, and how a view computes them",
}

POOLER = (
    "GOVBR_POSTGRES_URL leads to a connection pooler that gives the statements of one transaction to several sessions"
    " ({}), so that a day could come back empty: use its transaction or session mode, or the server's own port."
)


class UnspellableError(SourceRowsError):
    """A query or a row has a character that the encoding of the other side lacks."""


def translate(error: Exception) -> GovbrAssetsError:
    """Return our error for one of `DRIVER_ERRORS`."""
    state = getattr(error, "sqlstate", None) or ""
    text = _DRIVERS.sub("", " ".join(str(error).split("Query was:")[0].split()))
    if _STATEMENTS in text:
        return SourceError(POOLER.format("statement pooling mode"))
    if state == _INSUFFICIENT_PRIVILEGE:
        remedy = "grant the role SELECT, and BYPASSRLS where row-level security hides rows from it"
        return SourceError(f"PostgreSQL does not show this role all of the news ({remedy}): {text}")
    if not state and _CONNECTING in text:
        return _unconnected(text)
    kind = _kind(state) if state else _kind_without_state(error, text)
    hint = _TOO_LONG if state == _CANCELLED else _HINTS.get(kind, _HINTS[SourceRowsError])
    return kind(f"{_FAILED} ({hint}): {text}")


def _kind(state: str) -> type[GovbrAssetsError]:
    if state.startswith(_TRANSIENT):
        return SourceUnavailableError
    if state == _UNTRANSLATABLE:
        return UnspellableError
    return SourceError if state.startswith(_OF_ALL_ROWS) else SourceRowsError


def _kind_without_state(error: Exception, text: str) -> type[GovbrAssetsError]:
    """Return the class for an error without SQLSTATE: a broken connection, or an error of the driver itself."""
    broken = isinstance(error, OSError) or _NETWORK.search(text.lower())
    return SourceUnavailableError if broken else SourceError


def _unconnected(text: str) -> GovbrAssetsError:
    """Return our error for a failed connection attempt."""
    if _is_transient(text.lower()):
        return SourceUnavailableError(f"{_FAILED} ({_HINTS[SourceUnavailableError]}): {text}")
    if "failed:" in text:  # a server answered
        return SourceError(f"{_FAILED} (look at GOVBR_POSTGRES_URL): {text}")
    return ConfigurationError(f"GOVBR_POSTGRES_URL is rejected by libpq: {text}")


def _is_transient(text: str) -> bool:
    """Return whether a later attempt may connect.

    libpq stops at the first server that answers, so the last attempt's answer decides; if no server answered, one that
    may come back is enough.
    """
    attempts = text.split("connection to server ")
    if "fatal:" in attempts[-1] or _SERVER.search(attempts[-1]):
        return bool(_SERVER.search(attempts[-1]))
    return any(map(_NETWORK.search, attempts))
