"""pandas and `huggingface_hub`: the ids of the day from the viewer, the rows without them into a file of their own."""

import os
import sys
import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import requests
from huggingface_hub import HfApi
from news import SCHEMA, query, window
from sqlalchemy import create_engine


def published_ids(repo_id: str, day: str) -> set[str]:
    """Ask the viewer, page by page, which ids the dataset has on a day."""
    start, end = window(day)
    where = f"\"published_at\">='{start}' AND \"published_at\"<'{end}'"
    wish = {"dataset": repo_id, "config": "default", "split": "train", "where": where, "length": 100}
    ids: set[str] = set()
    for offset in range(0, sys.maxsize, 100):
        answer = requests.get(f"{os.environ['GOVBR_VIEWER_URL']}/filter", params=wish | {"offset": offset}, timeout=60)
        answer.raise_for_status()
        rows = answer.json()["rows"]
        ids |= {row["row"]["unique_id"] for row in rows}
        if len(rows) < 100:
            break
    return ids


def publish(repo_id: str, day: str, postgres_url: str) -> None:
    """Publish the rows of a day that the dataset does not have."""
    news = pd.read_sql(query(day), create_engine(postgres_url))
    new = news[~news["unique_id"].isin([*published_ids(repo_id, day)])]
    if new.empty:
        return
    pq.write_table(pa.Table.from_pandas(new, SCHEMA, preserve_index=False), "new.parquet", compression="zstd")
    path = f"data/train-{day}-{time.strftime('%H%M%S')}.parquet"
    HfApi().upload_file(path_or_fileobj="new.parquet", path_in_repo=path, repo_id=repo_id, repo_type="dataset")


if __name__ == "__main__":
    publish(*sys.argv[1:])
