"""A day as it was published before: the dataset down, the new rows at its end, the dataset up again, all by `datasets`.

A program of its own: `python -m govbr_assets_tests.benchmarks.old_way REPO FILE`, where the file is a Parquet file of
the new rows. Which Hub that is, and where the cache lies, is said by the environment.
"""

import sys

from datasets import Dataset, concatenate_datasets, load_dataset


def publish(repo_id: str, file: str) -> None:
    """Add rows to the end of a dataset."""
    news = load_dataset(repo_id, split="train")
    new = Dataset.from_parquet(file)
    concatenate_datasets([news, new.cast(news.features)]).push_to_hub(repo_id)  # pyright: ignore


if __name__ == "__main__":
    publish(*sys.argv[1:])
