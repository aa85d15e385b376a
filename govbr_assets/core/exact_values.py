"""Single numbers and times in a type of the contract: the same value, or none, for nothing is rounded or cut.

Whole columns, and the error that names file, column and row, belong to `conform_file`.
"""

import math
import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.contract import EARLIEST, LATEST

_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""How many one of a unit has."""

_RANGES = {
    "us": (range(EARLIEST * 1_000, (LATEST + 1) * 1_000), "the years 1 to 9999"),
    "ns": (range(-(1 << 63), 1 << 63), "the years 1677 to 2262, all that nanoseconds can hold"),
}
"""Nanoseconds from 1970 that a time of the contract in this unit may say, and in words."""

_ISO_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?",  # the second, a fraction, an offset
    re.ASCII,
)
LONG_NUMBER = r"^[+-]?\d{16,}$|[eE][+-]?\d{3,}$"
"""Numbers that may be too long or too large for 64 bits with a fraction; of others the nearest such number is meant."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_exact(text: str, number: float) -> bool:
    """Return whether a number is what its text says: a whole one to its last digit, another one no infinity or zero."""
    if text.lstrip("+-").isdecimal():
        return math.isfinite(number) and int(number) == int(text)
    return math.isfinite(number) and bool(number or not text.lower().partition("e")[0].strip("+-0."))


def all_fit(column: pa.ChunkedArray, unit: str) -> bool:
    """Return whether all times of a unit are ones that the contract allows in it."""
    ends = pc.min_max(column.cast(pa.int64())).as_py().values()
    return all(each * _NANOSECONDS[unit] in _RANGES[unit][0] for each in ends)


def ticks_of(value: int | str, source: pa.DataType, unit: str) -> int:
    """Turn a time into whole ticks of a unit.

    Args:
        value: as ISO 8601 writes it, or in ticks of `source`.
        source: the type of the column that it stands in.
        unit: of the contract, such as `us`.

    Raises:
        ValueError: there is no such tick; the message goes on from the name of the column.
    """
    at = _nanoseconds(value) if isinstance(value, str) else value * _NANOSECONDS[source.unit]
    allowed, in_words = _RANGES[unit]
    if at not in allowed:
        raise ValueError(f"is outside {in_words}")
    ticks, finer = divmod(at, _NANOSECONDS[unit])
    if finer:
        raise ValueError("is finer than a microsecond")
    return ticks


def _nanoseconds(text: str) -> int:
    """Read a time as ISO 8601 writes it, in nanoseconds from 1970 UTC."""
    match = _ISO_TIME.fullmatch(text)
    if not match:
        raise ValueError("is not written like 2025-08-01T10:00:00-03:00")
    second, fraction, offset = match.groups(default="")
    try:
        at = datetime.fromisoformat(second + (offset or "Z"))
    except ValueError:
        raise ValueError("is no time of the calendar") from None
    return (at - _EPOCH) // timedelta(seconds=1) * _NANOSECONDS["s"] + int(fraction.ljust(9, "0"))
