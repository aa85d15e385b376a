"""What a Hub refuses, with the HTTP status and the `X-Error-Code` that its client expects.

HubRefusal
├── RepoNotFoundError       404 RepoNotFound
├── RevisionNotFoundError   404 RevisionNotFound
├── EntryNotFoundError      404 EntryNotFound
├── RepoExistsError         409
├── TagExistsError          409
├── StaleParentError        412
└── RefusedError            400, or what it is told
"""


class HubRefusal(Exception):  # noqa: N818  (the word of the Hub: the server is fine, the request is not)
    """Base of all errors below.

    Args:
        message: one sentence for the person who asked.
    """

    status = 400
    code: str | None = None


class RepoNotFoundError(HubRefusal):
    """No such repo, or none that this token may know of."""

    status = 404
    code = "RepoNotFound"


class RevisionNotFoundError(HubRefusal):
    """The repo has no such branch, tag or commit."""

    status = 404
    code = "RevisionNotFound"


class EntryNotFoundError(HubRefusal):
    """The revision has no such file or folder."""

    status = 404
    code = "EntryNotFound"


class RepoExistsError(HubRefusal):
    """A repo of this name is there already."""

    status = 409


class TagExistsError(HubRefusal):
    """A tag of this name is there already."""

    status = 409


class StaleParentError(HubRefusal):
    """The branch has moved since the commit that was named as the parent."""

    status = 412


class RefusedError(HubRefusal):
    """The request makes no sense, or must not be done.

    Args:
        message: one sentence for the person who asked.
        status: the HTTP status, a 4xx.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
