"""A local copy of a data file; what it says of its rows is kept, so that nobody fetches it again for that."""

from pathlib import Path

import pyarrow as pa

from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset import Dataset
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.download import fetch
from govbr_assets.huggingface.snapshot import DataFile


def copy_to_disk(dataset: Dataset, file: DataFile, path: Path) -> None:
    """Write a file to the disk, and keep the keys of its rows.

    Raises:
        HubUnavailableError: the Hub is out of reach, or what came is not the file.
        ContractError: it is no Parquet file.
    """
    fetch(dataset.client, file, path)
    if dataset.cache.keeps and is_parquet(file.path) and not dataset.cache.has_keys(file.content):
        try:
            dataset.reader.remember_keys(file, path)
        except pa.ArrowException as error:
            raise ContractError(f"{file.path} on the Hub is no Parquet file that can be read: {error}") from error
