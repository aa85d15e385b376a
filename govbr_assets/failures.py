"""Permanent errors as Dagster failures that no retry policy repeats; transient ones go through as they are."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from dagster import Failure, MetadataValue

from govbr_assets.errors import PermanentError

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def final_failures() -> Iterator[None]:
    """Turn a permanent error into a failure without retries, in its own words."""
    try:
        yield
    except PermanentError as error:
        raise Failure(description=str(error), allow_retries=False) from error


def fails_for_good(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate the body of an asset or a check with `final_failures`."""

    @wraps(function)
    def body(*args: P.args, **kwargs: P.kwargs) -> R:
        with final_failures():
            return function(*args, **kwargs)

    return body


def days_failure(refused: Mapping[str, str], days: int) -> Failure:
    """Name the days of a run that could not be had, each with its reason."""
    metadata: dict[str, Any] = {day: MetadataValue.text(reason) for day, reason in refused.items()}
    if days == 1:
        return Failure(description=next(iter(refused.values())), allow_retries=False)
    named = "; ".join(f"{day}: {reason}" for day, reason in list(refused.items())[:5])
    more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
    others = ", the others are" if len(refused) < days else ""
    text = f"{len(refused)} of {days} days are not on the Hub as they are in PostgreSQL{others}. {named}{more}"
    return Failure(description=text, metadata=metadata, allow_retries=False)
