"""The exceptions that this package raises.

GovbrAssetsError
├── TransientError                a later attempt may succeed; nothing was lost or left incomplete
│   ├── HubUnavailableError         the Hub answers 429 or 5xx, or does not answer
│   ├── HubConflictError            the head of the repo moved at every attempt to commit
│   ├── SourceUnavailableError      PostgreSQL is unreachable, or the connection broke during a read
│   ├── StorageUnavailableError     the storage between assets, or of Dagster's records, is unreachable or busy
│   ├── ViewerUncertainError        the dataset viewer's answer is stale, partial, malformed or missing
│   ├── AlertRefusedError           the receiver has not taken an alert, which stays in the queue
│   │   └── MessageRefusedError       the receiver rejects this alert for its contents
│   └── TickTimeoutError            a sensor's tick ran out of time
└── PermanentError                every attempt fails until something is changed
    ├── ConfigurationError          a setting is missing or malformed
    │   └── BeginningError            a setting without which Dagster cannot load the definitions
    ├── ContractError               data does not fit the published schema without loss
    ├── HubDeniedError              the Hub answers 401, 402, 403 or 404: token, rights, quota or repo
    │   └── UnknownRevisionError      the repo has no such revision
    ├── IncompleteCommitError       the Hub would apply, or has applied, only a part of a commit
    ├── SourceError                 PostgreSQL rejects the query: a missing table, a missing privilege
    │   └── SourceRowsError           PostgreSQL fails on some rows: a cast, a domain, a statement timeout
    ├── NotMaterializedError        the storage has no table of an upstream asset
    ├── NoRoomError                 the disk for temporary files, or the storage, is full
    └── ProofError                  verification failed: a commit would have lost or changed rows

A message is one sentence that names the thing and says what to do. Secrets are redacted when an error is created.
"""

from click import ClickException

from govbr_assets.redact import redact


class GovbrAssetsError(Exception):
    """Base class of all exceptions of this package.

    Args:
        message: one sentence; secrets in it are redacted.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))


class TransientError(GovbrAssetsError):
    """Base class of errors that a later attempt may not meet again."""


class HubUnavailableError(TransientError):
    """The Hub is overloaded, failing or unreachable."""


class HubConflictError(TransientError):
    """The head of the repo moved at every attempt to commit."""


class SourceUnavailableError(TransientError):
    """PostgreSQL is unreachable, or the connection broke before the last row."""


class StorageUnavailableError(TransientError):
    """The storage at GOVBR_STORAGE_URL, or that of Dagster's records, is unreachable, busy or damaged."""


class ViewerUncertainError(TransientError):
    """The viewer's answer is stale, partial, malformed or missing, and cannot be used."""


class AlertRefusedError(TransientError):
    """The receiver at GOVBR_ALERT_URL has not taken an alert."""


class MessageRefusedError(AlertRefusedError):
    """The receiver at GOVBR_ALERT_URL rejects this alert for its contents; it may take others."""


class TickTimeoutError(TransientError):
    """A sensor's tick did not finish in time."""


class PermanentError(GovbrAssetsError):
    """Base class of errors that every attempt meets until something is changed."""


class ConfigurationError(PermanentError):
    """A setting is missing or malformed."""


class BeginningError(ConfigurationError, ClickException):
    """A setting, day or range with which Dagster cannot start; its command line prints the message alone."""


class ContractError(PermanentError):
    """Data does not fit the published schema without loss."""


class HubDeniedError(PermanentError):
    """The Hub denies access: token, rights, quota, or no such repo."""


class UnknownRevisionError(HubDeniedError):
    """The repo has no such revision: it is another repo, or its history was rewritten."""


class IncompleteCommitError(PermanentError):
    """The Hub would leave files out of a commit, or the new revision differs from what was sent."""


class SourceError(PermanentError):
    """PostgreSQL rejects the query."""


class SourceRowsError(SourceError):
    """PostgreSQL fails on some of the rows; others can still be read."""


class NotMaterializedError(PermanentError):
    """A table of an upstream asset is missing: never materialized, dropped with age, or its day was rejected."""


class NoRoomError(PermanentError):
    """The disk for temporary files, or the storage between assets, is full."""


class ProofError(PermanentError):
    """Verification failed: the rows written are not the rows read."""
