"""What other tools need for the rows of a compaction: to sort them into one file, and to read them before and after.

A program: `python -m govbr_assets_tests.benchmarks.compaction_peers JOB FOLDER PLACE ROWS`, where the folder has the
files, and the place is a file or folder that may be made. A library is imported only where it is used.
"""

import sys
from collections.abc import Callable
from pathlib import Path

_KEYS = ["published_at", "unique_id"]

Job = Callable[[str, str], int]
"""Does something with all files of a glob, and counts their rows."""


def _sort_by_duckdb(files: str, place: str) -> int:
    import duckdb

    with duckdb.connect(config={"temp_directory": f"{place}.tmp"}) as connection:
        copied = connection.execute(
            f"COPY (SELECT * FROM read_parquet('{files}') ORDER BY {', '.join(_KEYS)}) TO '{place}'"
            " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 10000)"
        )
        return copied.fetchall()[0][0]


def _sort_by_polars(files: str, place: str) -> int:
    import polars as pl

    rows = pl.scan_parquet(files).sort(_KEYS)
    rows.sink_parquet(place, compression="zstd", compression_level=3, row_group_size=10_000, engine="streaming")
    return pl.scan_parquet(place).select(pl.len()).collect().item()


def _read_by_polars(files: str, _: str) -> int:
    import polars as pl

    return pl.read_parquet(files).height


def _read_by_duckdb(files: str, _: str) -> int:
    import duckdb

    with duckdb.connect() as connection:
        return connection.sql(f"FROM read_parquet('{files}')").to_arrow_table().num_rows


def _read_by_datasets(files: str, place: str) -> int:
    from datasets import Dataset, load_dataset

    news = load_dataset("parquet", data_files=files, split="train", cache_dir=place)
    assert isinstance(news, Dataset)
    return news.num_rows


SORTS: dict[str, Job] = {"duckdb sorts": _sort_by_duckdb, "polars sorts": _sort_by_polars}
"""Jobs that sort all rows and write them with the codec and the row groups of the compaction into one file."""

READS: dict[str, Job] = {
    "polars reads": _read_by_polars,
    "duckdb reads": _read_by_duckdb,
    "datasets reads": _read_by_datasets,
}
"""Jobs that load all rows, as readers of the dataset do."""


def main(job: str, folder: str, place: str, rows: str) -> None:
    """Do a job.

    Raises:
        RuntimeError: there are not as many rows as there should be.
    """
    found = (SORTS | READS)[job](str(Path(folder) / "*.parquet"), place)
    if found != int(rows):
        raise RuntimeError(f"{job} {found} rows, not {rows}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
