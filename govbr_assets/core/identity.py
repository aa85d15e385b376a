"""Identity: which ids name the same row, and which rows of a day are on the Hub.

Two ids are one row if a Postgres row names both. `legacy_unique_id` comes in already cleared where another row owns the
id or claims it first, since only the whole table can tell (`postgres`).
"""

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.columns import CLAIM
from govbr_assets.core.digest import hash_values
from govbr_assets.io.staged import Rows, table_of

_NULL = b"\0"  # which no text of PostgreSQL is

EXISTING_SCHEMA = pa.schema(
    [
        ("unique_id", pa.string()),  # the one in Postgres
        ("hub_unique_id", pa.string()),  # the one on the Hub, which can be the legacy one
        ("in_own_shard", pa.bool_()),
    ]
)
"""Rows of a PostgreSQL day that are on the Hub, one for each occurrence there."""

EXISTING_DESCRIPTIONS = {
    "hub_unique_id": "Id of the row on the Hub: its unique_id, or the legacy id under which it was published.",
    "in_own_shard": "Whether the row is in the day's own shard; else it is in another file.",
}
"""Descriptions of the columns that no publication has, for the UI."""


def existing(rows: Rows, elsewhere: Iterable[str], own_shard: Iterable[str]) -> pa.Table:
    """Match a day's rows with ids from the Hub.

    Args:
        rows: [n rows x 25], the Postgres day.
        elsewhere: ids on the Hub outside the day's own shard, each as often as it occurs.
        own_shard: ids in the day's own shard.

    Returns:
        [n matches x 3] of `EXISTING_SCHEMA`, sorted.
    """
    found = pa.concat_tables([_matches(rows, elsewhere, own=False), _matches(rows, own_shard, own=True)])
    return found.sort_by([(name, "ascending") for name in ("unique_id", "hub_unique_id", "in_own_shard")])


def aliases(rows: Rows) -> pa.Array:
    """Return all ids of a PostgreSQL day's rows: the current and the legacy id of each."""
    return _aliases(rows)[0]


def owners(rows: Rows) -> dict[str, str]:
    """Map every id of a PostgreSQL day's rows to the `unique_id` of its row in PostgreSQL."""
    return dict(zip(*(ids.to_pylist() for ids in _aliases(rows)), strict=True))


def missing_rows(rows: Rows, hub_ids: pa.ChunkedArray) -> list[str]:
    """Return the `unique_id` of those rows of a PostgreSQL day that no id on the Hub names."""
    found = _matches(rows, hub_ids.to_pylist(), own=False)["unique_id"].combine_chunks()
    return rows["unique_id"].filter(pc.invert(pc.is_in(rows["unique_id"], found))).to_pylist()


def identity_digest(rows: Rows) -> str:
    """Return a digest of the current and legacy ids of a PostgreSQL day, to recognize the rows of a lookup."""
    ids = table_of(rows.select(["unique_id", claim_of(rows)])).to_pylist()
    return hashlib.sha256(repr(sorted(map(repr, ids))).encode()).hexdigest()


def claim_of(rows: Rows) -> str:
    """Name the column of rows of PostgreSQL with the id under which the Hub may know them besides."""
    return CLAIM if CLAIM in rows.schema.names else "legacy_unique_id"


def hashes(ids: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Hash ids to eight bytes each, the same in every process, to compare or partition many of them in little memory.

    Args:
        ids: [n ids] of texts; null has a hash of its own.

    Returns:
        [n ids] of int64, never null.
    """
    chunks = ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids]
    texts = (pc.fill_null(chunk.cast(pa.large_binary()), _NULL) for chunk in chunks)
    return pa.concat_arrays([pa.array([], pa.int64()), *map(hash_values, texts)])


def _matches(rows: Rows, hub_ids: Iterable[str], *, own: bool) -> pa.Table:
    """Return the ids from the Hub that name a row of the day, with the `unique_id` of the row in PostgreSQL."""
    aliases, owners = _aliases(rows)
    ids = pa.array(hub_ids, pa.string())
    index = pc.index_in(ids, value_set=aliases)
    hit = index.is_valid()
    columns = [owners.take(index.filter(hit)), ids.filter(hit)]
    return pa.table([*columns, pa.repeat(pa.scalar(own), len(columns[0]))], schema=EXISTING_SCHEMA)


def _aliases(rows: Rows) -> tuple[pa.Array, pa.Array]:
    """Return all ids of the day's rows, and for each the `unique_id` of its row in PostgreSQL."""
    ids, legacy = rows["unique_id"].combine_chunks(), rows[claim_of(rows)].combine_chunks()
    has_legacy = legacy.is_valid()
    return pa.concat_arrays([ids, legacy.filter(has_legacy)]), pa.concat_arrays([ids, ids.filter(has_legacy)])
