"""What the footer of a Parquet file tells without reading a row: rows, bytes, schema, and the span of its times."""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.viewer.errors import UnexpectedError
from govbr_assets.local.viewer.grammar import Comparison, Where

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{6})?(Z|[+-]\d\d:\d\d)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[int, int] | None
"""Lowest and highest microsecond from 1970; None if there are no values at all."""


@dataclass(frozen=True, slots=True)
class Footer:
    """A Parquet file from the outside.

    Attributes:
        path: the file on disk.
        file_bytes: its size.
        rows: how many it has.
        data_bytes: size of its data before compression.
        schema: Arrow schema, without metadata.
        spans: of each zoned column that the footer knows the span of.
    """

    path: Path
    file_bytes: int
    rows: int
    data_bytes: int
    schema: pa.Schema
    spans: dict[str, Span]

    def may_hold(self, where: Where) -> bool:
        """Return whether a row of this file could fulfil a condition; no only if that is certain."""
        return not where.all_required or all(self._may_fulfil(each) for each in where.comparisons)

    def _may_fulfil(self, comparison: Comparison) -> bool:
        at = None if comparison.column not in self.spans else _microseconds(comparison.text or "")
        if at is None:
            return True
        span = self.spans[comparison.column]
        if span is None:
            return False
        low, high = span
        possible = {"<": low < at, "<=": low <= at, ">": high > at, ">=": high >= at, "=": low <= at <= high}
        return possible.get(comparison.operator, True)


class Footers:
    """Footers by content: each is read once, so that a new shard costs one file and not thousands."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, Footer] = {}
        self._schemas: dict[pa.Schema, pa.Schema] = {}

    def of(self, blobs: Iterable[Blob]) -> list[Footer]:
        """Return the footers of some contents, in their order.

        Raises:
            UnexpectedError: one is no Parquet.
        """
        with self._lock:
            return [self._known.get(blob.path) or self._read(blob) for blob in blobs]

    def _read(self, blob: Blob) -> Footer:
        try:
            metadata = pq.read_metadata(blob.path)
            schema = metadata.schema.to_arrow_schema().remove_metadata()
        except (pa.ArrowException, OSError) as error:
            raise UnexpectedError(f"A data file is no readable Parquet: {error}") from error
        schema = self._schemas.setdefault(schema, schema)  # thousands of files share one
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        data_bytes = sum(group.total_byte_size for group in groups)
        footer = Footer(blob.path, blob.size, metadata.num_rows, data_bytes, schema, _spans(schema, groups))
        self._known[blob.path] = footer
        return footer


def _spans(schema: pa.Schema, groups: list[pq.RowGroupMetaData]) -> dict[str, Span]:
    """Find the spans of the zoned columns, in microseconds as they are stored."""
    zoned = {f.name for f in schema if pa.types.is_timestamp(f.type) and f.type.tz and f.type.unit == "us"}
    spans = {}
    for column in range(groups[0].num_columns if groups else 0):
        name = groups[0].column(column).path_in_schema
        statistics = [group.column(column).statistics for group in groups] if name in zoned else []
        if statistics and all(each is not None and (each.has_min_max or not each.num_values) for each in statistics):
            valued = [each for each in statistics if each.has_min_max]
            lows, highs = [each.min_raw for each in valued], [each.max_raw for each in valued]
            spans[name] = (min(lows), max(highs)) if valued else None
    return spans


def _microseconds(text: str) -> int | None:
    """Read an instant, in UTC if it names no zone; None for what is none, or DuckDB might read otherwise."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)
