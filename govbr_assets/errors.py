"""Every error that this project raises on purpose.

GovbrAssetsError
├── TransientError                try again later: nothing was lost, nothing was half done
│   ├── HubUnavailableError         the Hub answers 429, 5xx, or not at all
│   ├── HubConflictError            somebody else keeps committing to the repo
│   ├── SourceUnavailableError      PostgreSQL is away, or went away in the middle of a read
│   ├── StorageUnavailableError     the storage between assets is away or busy
│   ├── ViewerUncertainError        the dataset viewer cannot vouch for its answer
│   ├── AlertRefusedError           an alert did not get through, and waits
│   │   └── MessageRefusedError         because of what it says; others may get through
│   └── TickTimeoutError            a tick of a sensor waited for something that gives no answer
└── PermanentError                the same call would fail again: somebody has to change something
    ├── ConfigurationError          a setting is missing or malformed
    │   └── BeginningError            without it Dagster cannot begin: on its command line the sentence stands alone
    ├── ContractError               data that the published schema cannot hold without loss
    ├── HubDeniedError              401, 403, 404: a token, a right or a repo is missing
    │   └── UnknownRevisionError      the repo has no such revision: it is another one, or its history was rewritten
    ├── IncompleteCommitError       the Hub would take only a part of a commit, or did
    ├── SourceError                 PostgreSQL understood, and refused: a missing table, a denied right
    │   └── SourceRowsError           it fails at some of the rows: a cast, a domain, a time-out; others can be had
    ├── NotMaterializedError        a table that an asset needs is not in the storage
    ├── NoRoomError                 the disk for temporary files, or the storage, is too small
    └── ProofError                  a fold would have lost or changed a row, and was not published

A message is one sentence that names the thing and says what to do. No password and no token is ever in one: they are
taken out when the error is made.
"""

from click import ClickException

from govbr_assets.redact import redact


class GovbrAssetsError(Exception):
    """Base of all errors below.

    Args:
        message: one sentence.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))


class TransientError(GovbrAssetsError):
    """Worth another try later."""


class HubUnavailableError(TransientError):
    """The Hub is overloaded, broken or out of reach."""


class HubConflictError(TransientError):
    """The repo moved under a publication more often than it was willing to plan again."""


class SourceUnavailableError(TransientError):
    """PostgreSQL cannot be reached, or the connection broke before the last row."""


class StorageUnavailableError(TransientError):
    """The storage at GOVBR_STORAGE_URL cannot be reached, or is too busy."""


class ViewerUncertainError(TransientError):
    """The viewer's answer is stale, partial, failing or half read, and so is no answer."""


class AlertRefusedError(TransientError):
    """Whoever is at GOVBR_ALERT_URL did not take an alert."""


class MessageRefusedError(AlertRefusedError):
    """Whoever is at GOVBR_ALERT_URL cannot take this alert, which says nothing against others."""


class TickTimeoutError(TransientError):
    """A tick of a sensor would not have ended in time."""


class PermanentError(GovbrAssetsError):
    """Will fail again until somebody changes something."""


class ConfigurationError(PermanentError):
    """A setting is missing or malformed."""


class BeginningError(ConfigurationError, ClickException):
    """A setting, a day or a range with which Dagster cannot begin; its command line prints no stack of it."""


class ContractError(PermanentError):
    """Data does not fit the published schema."""


class HubDeniedError(PermanentError):
    """The Hub refuses this token, or knows no such repo."""


class UnknownRevisionError(HubDeniedError):
    """The repo has no such revision, or no longer."""


class IncompleteCommitError(PermanentError):
    """The Hub would leave something out of a commit, or its new revision is not what was sent."""


class SourceError(PermanentError):
    """PostgreSQL refuses the query."""


class SourceRowsError(SourceError):
    """PostgreSQL fails at some of the rows that were asked for, and may give others."""


class NotMaterializedError(PermanentError):
    """An upstream table is not there: never made, dropped with age, or its day was refused."""


class NoRoomError(PermanentError):
    """The disk for temporary files, or the storage between assets, is too small."""


class ProofError(PermanentError):
    """What was written is not what was read."""
