"""What the viewer refuses or fails at, with the HTTP status and the `X-Error-Code` of the real one."""

from typing import ClassVar


class ViewerRefusal(Exception):  # noqa: N818  (as the Hub's: the server is fine, the request is not)
    """Base of all errors below.

    Args:
        message: one sentence for the person who asked.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "UnexpectedApiError"


class InvalidParameterError(ViewerRefusal):
    """A parameter says what the viewer does not understand."""

    status = 422
    code = "InvalidParameter"


class MissingParameterError(ViewerRefusal):
    """A parameter is not there."""

    status = 422
    code = "MissingRequiredParameter"


class UriTooLongError(ViewerRefusal):
    """The address is longer than the gateway before the viewer lets through."""

    status = 414
    code = "UriTooLong"


class UnauthenticatedError(ViewerRefusal):
    """The dataset is private or missing, and the sender has no token that may see it."""

    status = 401
    code = "ExternalUnauthenticatedError"


class NotFoundError(ViewerRefusal):
    """There is no such dataset, configuration or split, or no data in it."""

    status = 404
    code = "ResponseNotFound"


class NotReadyError(ViewerRefusal):
    """The index is being built."""

    code = "ResponseNotReady"


class UnexpectedError(ViewerRefusal):
    """The files are there and cannot be read as one dataset."""
