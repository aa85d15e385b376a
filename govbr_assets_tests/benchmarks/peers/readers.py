"""Loads a dataset as its readers do and prints how many rows there were: `... readers LIBRARY REPO FOLDER`.

`datasets` loads the repo from the Hub of the environment. polars' and DuckDB's own `hf://` know the public Hub only, so
they read the files of a folder, by the pattern that public code uses. A library is imported only where it is used.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from govbr_assets_tests.benchmarks.worker import ROOT

LIBRARIES = ("datasets", "polars", "duckdb")

_LIMIT = 300.0  # seconds; a process that fails while Arrow reads in threads of its own may wait for them for ever


def load(library: str, repo_id: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Load a dataset in a process of its own; return how many rows it has, or the name of the error."""
    program = [sys.executable, "-m", "govbr_assets_tests.benchmarks.peers.readers", library, repo_id, str(folder)]
    with tempfile.TemporaryFile("w+") as said:
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": said, "text": True}
        try:
            done = subprocess.run(program, env=environment, cwd=ROOT, timeout=_LIMIT, check=False, **pipes)
        except subprocess.TimeoutExpired:
            return f"{_error(said)}, and does not end"
        return f"{int(done.stdout.split()[-1]):,}" if done.returncode == 0 else _error(said)


def _error(said: TextIO) -> str:
    """Return the name of the error that a process has said last."""
    said.seek(0)
    return (said.read().strip().splitlines() or ["nothing"])[-1].split(":")[0].rpartition(".")[2]


def _count(library: str, repo_id: str, folder: str) -> int:
    files = f"{folder}/train-*.parquet"
    match library:
        case "datasets":
            from datasets import Dataset, load_dataset

            news = load_dataset(repo_id, split="train")
            assert isinstance(news, Dataset)
            return news.num_rows
        case "polars":
            import polars as pl

            return pl.read_parquet(files).height
        case _:
            import duckdb

            with duckdb.connect() as connection:
                return connection.sql(f"FROM read_parquet('{files}')").to_arrow_table().num_rows


if __name__ == "__main__":
    print(_count(*sys.argv[1:]))
