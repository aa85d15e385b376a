"""`datasets`: the dataset down, the rows of the day at its end, the dataset up again."""

import sys
from tempfile import TemporaryDirectory

from datasets import Dataset, Features, concatenate_datasets, load_dataset
from news import SCHEMA, query


def publish(repo_id: str, day: str, postgres_url: str) -> None:
    """Publish the rows of a day."""
    with TemporaryDirectory() as cache:  # or the rows come from the cache, as an earlier run has found them
        features = Features.from_arrow_schema(SCHEMA)
        new = Dataset.from_sql(query(day), postgres_url, features=features, cache_dir=cache, keep_in_memory=True)
    news = load_dataset(repo_id, split="train")
    concatenate_datasets([news, new]).push_to_hub(repo_id)


if __name__ == "__main__":
    publish(*sys.argv[1:])
