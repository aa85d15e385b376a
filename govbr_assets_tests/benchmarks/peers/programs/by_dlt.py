"""dlt: what PostgreSQL has written since the last run, by a cursor that dlt keeps on the Hub, appended to the dataset.

`merge` is not to be had for this destination, which appends instead; `replace` replaces the whole dataset.
"""
# pyright: reportMissingImports=false

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import dlt
import pyarrow as pa
from adbc_driver_postgresql.dbapi import connect
from dlt.destinations import filesystem
from news import SCHEMA, VIEW

LAYOUT = "data/{table_name}-{load_id}.{file_id}.{ext}"  # the names that readers of the dataset know
BEGINNING = datetime(2026, 1, 5, 3, tzinfo=UTC)  # where the rows end that the dataset has


def publish(repo_id: str, day: str, postgres_url: str) -> None:
    """Publish what is new."""

    @dlt.resource(
        name="train",
        write_disposition="append",
        columns={"extracted_at": {"data_type": "timestamp", "timezone": False, "precision": 9}},
    )
    def news(
        updated_at: dlt.sources.incremental[datetime] = dlt.sources.incremental(  # noqa: B008
            "updated_at", initial_value=BEGINNING, primary_key="unique_id"
        ),
    ) -> Iterator[pa.Table]:
        with connect(postgres_url) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {VIEW} WHERE updated_at >= '{updated_at.last_value}'")
            yield cursor.fetch_arrow_table()

    rows = news()
    rows.add_map(lambda table: table.select(SCHEMA.names).cast(SCHEMA), insert_at=2)
    namespace, name = repo_id.split("/")
    hub = filesystem(f"hf://datasets/{namespace}", layout=LAYOUT, hf_dataset_card=False)
    print(dlt.pipeline("news", destination=hub, dataset_name=name).run(rows))


if __name__ == "__main__":
    publish(*sys.argv[1:])
