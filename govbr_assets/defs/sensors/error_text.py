"""The words of an error as Dagster keeps it: our own sentence where there is one, and never a stack."""

from collections.abc import Iterator
from typing import Any

from govbr_assets.errors import GovbrAssetsError


def words_of(error: Any) -> str:
    """Take the sentence out of a serialized error: the outermost of ours, else the innermost cause.

    Args:
        error: Dagster's `SerializableErrorInfo`, or None.
    """
    chain = []
    while error:
        chain.append(error)
        error = error.cause
    names = {each.__name__ for each in _kinds(GovbrAssetsError)}
    ours = [each for each in chain if each.cls_name in names]
    found = (ours or chain[-1:] or [None])[0]
    return _without_name(found.message.strip(), found.cls_name or "") if found else ""


def _kinds(kind: type) -> Iterator[type]:
    """Name an error and all kinds of it."""
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


def _without_name(message: str, name: str) -> str:
    """Drop the name of one of our errors before its sentence."""
    path, _, words = message.partition(": ")
    return words if path == f"{GovbrAssetsError.__module__}.{name}" else message
