"""The contract with readers: the Arrow schema of every file on the Hub.

What fits into it belongs here; which columns there are (`publications`), how rows of PostgreSQL are cast to them
(`conform`) and where files lie (`layout`) does not.
"""

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.compatibility import compare
from govbr_assets.core.days import Day
from govbr_assets.errors import ContractError
from govbr_assets.io.staged import Rows, table_of

EARLIEST, LATEST = -62135596800000000, 253402300799999999
"""Microseconds of 0001-01-01 and 9999-12-31 UTC: what a reader's `datetime` can hold, and no infinity."""

_INFINITE = {-9222425352054775809: "infinity", -9222425352054775808: "-infinity"}
"""What the driver makes of PostgreSQL's infinite times."""


def check_day(rows: Rows, day: Day, schema: pa.Schema) -> None:
    """Raise unless the rows may be published as the shard of one day.

    Args:
        rows: [n rows x columns of `schema`], about to be written to the Hub.
        day: the day of the shard.
        schema: the published one.

    Raises:
        ContractError: another schema, an id that is missing or stands twice, or a row outside the day.
    """
    if difference := compare(rows.schema, schema):
        raise ContractError(f"The rows of {day} do not have the published schema: {difference}.")
    ids = rows["unique_id"]
    if ids.null_count:
        raise ContractError(f"{ids.null_count} rows of {day} have no unique_id: give them one in PostgreSQL.")
    if twice := repeated(ids):
        raise ContractError(f"unique_id {twice[0]!r} stands more than once in the rows of {day}.")
    outside = rows.filter(pc.invert(within(rows["published_at"], day)))
    if outside.num_rows:
        row = table_of(outside.select(["unique_id", "published_at"]).slice(0, 1)).to_pylist()[0]
        raise ContractError(
            f"unique_id {row['unique_id']!r} was published at {row['published_at']}, outside the day {day}."
        )


def within(published_at: pa.ChunkedArray, day: Day) -> pa.ChunkedArray:
    """Mark the instants that belong to a day; null belongs to none."""
    start, end = (pa.scalar(instant, published_at.type) for instant in (day.start, day.end))
    inside = pc.and_(pc.greater_equal(published_at, start), pc.less(published_at, end))
    return pc.fill_null(inside, False)


def repeated(ids: pa.ChunkedArray | pa.Array) -> list[str]:
    """List the ids that stand more than once, sorted; null counts as no id."""
    counts = pc.value_counts(ids.drop_null())
    return sorted(counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist())


def is_number(kind: pa.DataType) -> bool:
    """Say whether values are numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def first_misfit(column: pa.ChunkedArray, kind: pa.DataType) -> int:
    """Find the first row whose value cannot be cast to a type, by halving; there is one."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column.slice(low, middle - low).cast(kind)
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def as_strings(column: pa.ChunkedArray) -> list[str | None]:
    """Give ids as strings, and bytes in them that are no text escaped."""
    found = column.cast(pa.string()).cast(pa.binary()).to_pylist()
    return [None if each is None else each.decode(errors="backslashreplace") for each in found]


def format_value(value: pa.Scalar) -> str:
    """Spell a value for an error, also one that Python has no object for; a long one is cut, a time is told in UTC."""
    if not pa.types.is_timestamp(value.type) or not value.is_valid:
        try:
            text = repr(value.as_py())
        except (LookupError, OverflowError, ValueError):  # bytes that are no text, a time in a list or beyond its years
            return f"a value of type {value.type}"
        return text if len(text) <= 80 else text[:77] + "..."
    utc = value.cast(pa.timestamp(value.type.unit))  # its own zone may be one that no database knows
    return _INFINITE.get(value.cast(pa.int64()).as_py(), f"{utc.cast(pa.string())} UTC")
