"""Daft: the rows of the day appended to the dataset."""
# pyright: reportMissingImports=false

import sys

import daft
from news import SCHEMA, query
from sqlalchemy import create_engine


def publish(repo_id: str, day: str, postgres_url: str) -> None:
    """Publish the rows of a day."""
    news = daft.read_sql(query(day), lambda: create_engine(postgres_url).connect())
    news.select(
        *(daft.col(field.name).cast(daft.DataType.from_arrow_type(field.type)) for field in SCHEMA)
    ).write_huggingface(repo_id)


if __name__ == "__main__":
    publish(*sys.argv[1:])
