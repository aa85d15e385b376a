"""SQL for the keys of all rows: their ids, and when they were published."""

import pyarrow as pa

from govbr_assets.core.conform import LeftOut, conform_source_rows, without_unpublishable
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.postgres.catalogue import Catalogue, as_text

# The planner expects one claim to remain and chooses a nested loop over all claims: 40 seconds for 20,000 rows, where a
# hash join takes 0.07.
HASH_JOINS = {"enable_nestloop": "off"}

_WITHOUT_LEGACY = """
    SELECT n.id::text AS row_id, :unique_id AS unique_id, NULL::text AS legacy_unique_id, n.published_at
    FROM news n ORDER BY n.published_at"""

# A legacy id counts only if no row has it as its unique_id, and only for the claimant with the lowest id (`min` takes
# no uuid).
_WITH_LEGACY = """
    WITH claim AS (
        SELECT DISTINCT ON (legacy_unique_id::text) id, legacy_unique_id::text AS legacy_unique_id
        FROM news WHERE legacy_unique_id IS NOT NULL ORDER BY legacy_unique_id::text, id
    ), won AS (
        SELECT c.id FROM claim c LEFT JOIN news owner ON owner.unique_id::text = c.legacy_unique_id
        WHERE owner.unique_id IS NULL
    )
    SELECT n.id::text AS row_id, :unique_id AS unique_id,
        CASE WHEN won.id IS NOT NULL THEN :legacy END AS legacy_unique_id, n.published_at
    FROM news n LEFT JOIN won ON won.id = n.id ORDER BY n.published_at"""


def keys_query(catalogue: Catalogue) -> str:
    """Return the query for the keys of all rows, ordered by `published_at`.

    Raises:
        SourceError: the role may not read a column.
    """
    columns = ["id", "unique_id", "published_at", *(["legacy_unique_id"] if catalogue.has_legacy else [])]
    catalogue.require(columns)
    sql = _WITH_LEGACY if catalogue.has_legacy else _WITHOUT_LEGACY
    unique_id, legacy = (as_text(f"n.{name}", catalogue.news.get(name)) for name in ("unique_id", "legacy_unique_id"))
    return sql.replace(":unique_id", unique_id).replace(":legacy", legacy)


def as_keys(spec: DatasetSpec, rows: pa.Table, left_out: LeftOut) -> pa.Table:
    """Cast the result of `keys_query`.

    Args:
        spec: of the dataset.
        rows: [n rows x 4].
        left_out: collects the rows that no day can publish; those with an id are returned with a null time.

    Returns:
        [m rows x 3] of `spec.source_keys_schema`.

    Raises:
        ContractError: a column has another type.
    """
    rows = without_unpublishable(rows, spec.source_keys_schema, left_out)
    return conform_source_rows(rows, rows["row_id"], spec.source_keys_schema)
