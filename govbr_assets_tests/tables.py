"""Small tables for tests of the rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa

from govbr_assets.core.card import Card
from govbr_assets.core.card_tables import current_block
from govbr_assets.core.card_text import CardFacts, new_card
from govbr_assets.core.dataset_info import add_features, correct_info
from govbr_assets.core.days import Day
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.scope import DEFAULT, scope_of
from govbr_assets.core.selection import Metadata, select
from govbr_assets.dataset import parquet
from govbr_assets.publications import NEWS

DAY = Day.of("2026-01-15")

WRITER_SETTINGS = parquet.writer_settings(NEWS)


def news(ids: Sequence[str], *, legacy: Sequence[str | None] | None = None, at: datetime | None = None) -> pa.Table:
    """Make a Postgres day of rows a minute apart: [n ids x 25]."""
    start = at or DAY.start + timedelta(hours=9)
    rows = [
        {
            "unique_id": unique_id,
            "agency": "mec",
            "published_at": start + timedelta(minutes=index),
            "title": f"Title of {unique_id}",
            "content": "text\u00a0with nbsp 🇧🇷",
            "tags": ["a", None, ""],
            "legacy_unique_id": legacy[index] if legacy else None,
        }
        for index, unique_id in enumerate(ids)
    ]
    return pa.Table.from_pylist(rows, schema=NEWS.source_schema)


def shard(ids: Sequence[str], *, at: datetime | None = None) -> pa.Table:
    """Make rows as the Hub has them: [n ids x 24]."""
    return news(ids, at=at).select(NEWS.schema.names)


def as_published(rows: pa.Table) -> pa.Table:
    """Give rows the columns and types of the contract; one that they lack, because it was declared later, is null."""
    for field in NEWS.schema:
        if field.name not in rows.schema.names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(NEWS.schema.names).replace_schema_metadata(None).cast(NEWS.schema)


def encode(rows: pa.Table) -> bytes:
    """Write rows as a file of the dataset."""
    return parquet.encode(rows, NEWS)


def usual_card(content: bytes | None) -> Card:
    """Make a card select the files of the dataset, in a repo without others."""

    def edit(metadata: Metadata) -> None:
        select(metadata, scope_of(metadata, ()), [DATA_PATTERN], ())
        correct_info(metadata, DEFAULT, NEWS.schema)
        add_features(metadata, DEFAULT, NEWS.schema)

    new = new_card(NEWS, CardFacts("org/news"), "", current_block(NEWS, None)).encode()
    return Card.parse(new if content is None else content).edited(edit)
