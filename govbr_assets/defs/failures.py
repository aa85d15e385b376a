"""Permanent errors as Dagster failures that no retry policy repeats; transient ones go through as they are.

And what is recorded of an error or logged, by whomever: no secret, for the exceptions of libraries, which Dagster
prints with their causes, say what they like; and of ours the sentence alone, which nobody finds below a stack.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from dagster import DagsterExecutionInterruptedError, Failure, MetadataValue
from dagster_shared.error import SerializableErrorInfo

from govbr_assets.core.date_ranges import days_by_value, name_days
from govbr_assets.errors import GovbrAssetsError, PermanentError
from govbr_assets.redact import redact

_REASONS = 5  # that are named
_RANGES = 10  # of days, of one reason


@contextmanager
def without_retries() -> Iterator[None]:
    """Turn a permanent error into a failure without retries, in its own words; likewise a signal to end.

    Decorates the body of an asset or a check too, unless it is a generator. Dagster would begin a step again that a
    signal has interrupted, as after any other error.
    """
    try:
        yield
    except PermanentError as error:
        raise Failure(description=str(error), allow_retries=False) from error
    except DagsterExecutionInterruptedError as signal:
        text = "The run was told to end, by a signal or in the UI: what it has published stays."
        raise Failure(description=text, allow_retries=False) from signal


def days_failure(rejected: Mapping[str, str], days: int, *, dry_run: bool = False) -> Failure:
    """Name the days of a run that could not be had, or in a dry run could not be, and each reason once."""
    metadata: dict[str, Any] = {day: MetadataValue.text(reason) for day, reason in rejected.items()}
    if days == 1:
        return Failure(description=next(iter(rejected.values())), allow_retries=False)
    by_reason = days_by_value({date.fromisoformat(day): reason for day, reason in rejected.items()})
    several = [f"{name_days(dates, _RANGES)}: {reason.rstrip('.')}" for reason, dates in by_reason.items()]
    named = "; ".join(several[:_REASONS])
    more = f"; and {len(several) - _REASONS} more" if len(several) > _REASONS else ""
    they, are = ("it", "is") if len(rejected) == 1 else ("they", "are")
    here, there = ("would not be", "would be") if dry_run else (f"{are} not", "are")
    others = f", the others {there}" if len(rejected) < days else ""
    text = f"{len(rejected)} of {days} days {here} on the Hub as {they} {are} in PostgreSQL{others}. {named}{more}."
    return Failure(description=text, metadata=metadata, allow_retries=False)


def redact_what_is_recorded() -> None:
    """From now on take secrets out of every error that Dagster records, with its causes, and of every line of a log.

    Dagster turns each exception of a run, a tick or a loading into a `SerializableErrorInfo`, and no hook of its own
    comes between that and its records and its console. Python's hook for logs is the factory of their records.
    """
    if isinstance(logging.getLogRecordFactory(), _RedactedLogRecords):
        return
    logging.setLogRecordFactory(_RedactedLogRecords(logging.getLogRecordFactory()))
    serialised = SerializableErrorInfo.from_traceback.__func__

    def redacted(cls: type[SerializableErrorInfo], error: traceback.TracebackException) -> SerializableErrorInfo:
        """Serialise an error, and its causes, which come by here as well."""
        info = serialised(cls, error)
        stack = [] if _is_a_sentence(error) else [redact(line) for line in info.stack]
        ours = _is_ours(error, GovbrAssetsError)
        return info._replace(
            message=redact(info.message),
            stack=stack,
            cause=None if ours else info.cause,
            context=None if ours else info.context,
        )

    SerializableErrorInfo.from_traceback = classmethod(redacted)  # pyright: ignore[reportAttributeAccessIssue]


def _is_ours(error: traceback.TracebackException | None, *kinds: type[BaseException]) -> bool:
    return error is not None and isinstance(error.exc_type, type) and issubclass(error.exc_type, kinds)


def _is_a_sentence(error: traceback.TracebackException) -> bool:
    """Return whether an error is a sentence of ours, or what Dagster puts round one."""
    return _is_ours(error, GovbrAssetsError, Failure) or _is_ours(error.__cause__, GovbrAssetsError)


class _RedactedLogRecords:
    """Makes the records of logs, without secrets.

    Args:
        made: makes them with.
    """

    def __init__(self, made: Callable[..., logging.LogRecord]) -> None:
        self._made = made

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record."""
        record = self._made(*args, **kwargs)
        try:
            said = record.getMessage()
        except (TypeError, ValueError, KeyError):  # its arguments do not fit, which whoever prints it will say
            return record
        if (clean := redact(said)) != said:
            record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[1]:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info))).rstrip()
        return record
