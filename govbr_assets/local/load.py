"""Sample news into PostgreSQL.

The writing end of the sample belongs here: one COPY a table, one transaction a call. What is written does not (`news`).
"""

from collections.abc import Iterable
from itertools import chain

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from govbr_assets.local.news_catalog import sample_agencies, sample_themes


def load(url: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append news to the table `news`, all of them or none; fill `agencies` and `themes` first where they are empty.

    Args:
        url: of a database with the schema of `schema.sql`.
        batches: [n rows x 23] each, as `sample_news` and `late_news` make them; taken one at a time.

    Returns:
        How many rows of news were written.
    """
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        _fill_if_empty(cursor, "agencies", sample_agencies())
        _fill_if_empty(cursor, "themes", sample_themes())
        written = _append(cursor, batches)
        connection.commit()
    return written


def _append(cursor: dbapi.Cursor, batches: Iterable[pa.RecordBatch]) -> int:
    batches = iter(batches)
    first = next(batches, None)  # a stream has to tell its schema before it starts
    if first is None:
        return 0
    stream = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
    return cursor.adbc_ingest("news", stream, mode="append")


def _fill_if_empty(cursor: dbapi.Cursor, table: str, rows: pa.Table) -> None:
    """Write rows with ids of their own, and let the table's sequence go on after them."""
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
    if cursor.fetchone() == (True,):
        return
    cursor.adbc_ingest(table, rows, mode="append")
    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {rows.num_rows})")
    cursor.fetchone()
