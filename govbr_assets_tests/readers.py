"""The dataset as its readers see it: what each library makes of the files of one revision.

polars' and DuckDB's own `hf://` know the public Hub only, so the real client downloads the files for them and they
read the glob `data/train-*.parquet`, as public code does. `HF_ENDPOINT` is read once, when the client is imported, so
`datasets` runs in a process of its own.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from huggingface_hub import snapshot_download

from govbr_assets_tests.graph import Graph

_GLOB = "data/train-*.parquet"

_LOAD = """
import os
import pyarrow as pa
from datasets import load_dataset
news = load_dataset(os.environ["REPO"], split="train").with_format("arrow")[:]
with pa.OSFile(os.environ["OUT"], "wb") as file, pa.ipc.new_file(file, news.schema) as writer:
    writer.write_table(news)
"""


def download(graph: Graph, folder: Path, revision: str | None = None) -> Path:
    """Download the repo at a revision, by default the head, and return the folder."""
    hub = graph.local_hub
    snapshot_download(
        graph.repo_id,
        repo_type="dataset",
        revision=revision,
        local_dir=folder,
        endpoint=hub.endpoint,
        token=hub.read_token,
    )
    return folder


def run(graph: Graph, home: Path, script: str, **environment: str) -> str:
    """Run a reader's script, which finds the repo's name in `REPO`, in a process of its own; return what it prints.

    Args:
        graph: the repo and its Hub.
        home: where the reader's caches go.
        script: Python.
        environment: more for it to find.
    """
    told = {
        "HF_ENDPOINT": graph.local_hub.endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_TOKEN": graph.local_hub.read_token,
        "REPO": graph.repo_id,
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | told | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_datasets(graph: Graph, folder: Path) -> pa.Table:
    """Load the dataset with `datasets`: its Arrow table, as it is in memory."""
    out = folder / "datasets.arrow"
    run(graph, folder / "hf", _LOAD, OUT=str(out))
    return pa.ipc.open_file(out).read_all().replace_schema_metadata(None)


def _duckdb(folder: Path) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(f"FROM read_parquet('{folder / _GLOB}')").to_arrow_table()


ON_FILES: Mapping[str, Callable[[Path], pa.Table]] = {
    "polars": lambda folder: pl.read_parquet(folder / _GLOB).to_arrow(),
    "pandas": lambda folder: pa.Table.from_pandas(pd.read_parquet(folder / "data"), preserve_index=False),
    "duckdb": _duckdb,
    "pyarrow": lambda folder: pq.read_table(folder / "data"),
}
"""By library: all rows in a downloaded folder as Arrow, in the types that the library has for them."""
