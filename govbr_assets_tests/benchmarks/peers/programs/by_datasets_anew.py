"""`datasets`: the dataset down, the rows of the day in place of those that it had, the dataset up again."""

import sys
from datetime import datetime
from tempfile import TemporaryDirectory

from datasets import Dataset, Features, concatenate_datasets, load_dataset
from news import SCHEMA, query, window


def publish(repo_id: str, day: str, postgres_url: str) -> None:
    """Publish the rows of a day, whatever the dataset has of it."""
    start, end = map(datetime.fromisoformat, window(day))
    with TemporaryDirectory() as cache:  # or the rows come from the cache, as an earlier run has found them
        features = Features.from_arrow_schema(SCHEMA)
        new = Dataset.from_sql(query(day), postgres_url, features=features, cache_dir=cache, keep_in_memory=True)
    news = load_dataset(repo_id, split="train")
    others = news.filter(
        lambda times: [not start <= time < end for time in times], input_columns="published_at", batched=True
    )
    if others.num_rows == news.num_rows:  # then without the indices of a filter, which make all that follows slow
        others = news
    concatenate_datasets([others, new]).push_to_hub(repo_id)


if __name__ == "__main__":
    publish(*sys.argv[1:])
