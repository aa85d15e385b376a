"""The least that a compaction can cost: fetch all files, read their rows, write them into year files, read those.

Two programs: `python -m govbr_assets_tests.benchmarks.compaction_floor fetch REPO FOLDER`, one file after another as a
short script would, and `... rewrite FOLDER TARGET ROWS`, which neither sorts nor verifies and has all rows in memory.
The Hub is that of the environment.
"""

import sys
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub import HfFileSystem

from govbr_assets.core.layout import ROW_GROUP_ROWS
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import WRITER_SETTINGS


def fetch(repo_id: str, folder: str) -> None:
    """Fetch the data files; the client's file system takes half the time of `hf_hub_download`, which keeps books."""
    hub = HfFileSystem()
    for path in hub.find(f"datasets/{repo_id}/data"):
        hub.get_file(path, str(Path(folder) / Path(path).name))


def rewrite(folder: str, target: str, rows: str) -> None:
    """Write the rows of the files in a folder into one file a year, and read those.

    Raises:
        RuntimeError: there are not as many rows as there should be.
    """
    years: dict[int, list[pa.Table]] = defaultdict(list)
    for place in sorted(Path(folder).iterdir()):
        table = pq.ParquetFile(place).read().replace_schema_metadata(None)
        for year, part in _by_year(f"data/{place.name}", table):
            years[year].append(part)
    read = 0
    for year, parts in years.items():
        place = Path(target) / Path(NEWS.layout.compacted_path(year)).name
        pq.write_table(pa.concat_tables(parts), place, row_group_size=ROW_GROUP_ROWS, **WRITER_SETTINGS)
        read += pq.ParquetFile(place).read().num_rows
    if read != int(rows):
        raise RuntimeError(f"There are {read} rows in the year files, not {rows}.")


def _by_year(path: str, rows: pa.Table) -> list[tuple[int, pa.Table]]:
    """Part the rows of a file by year; a shard has one."""
    if day := NEWS.layout.day_of(path):
        return [(day.date.year, rows)]
    years = pc.fill_null(pc.year(rows["published_at"]), 0)
    return [(year, rows.filter(pc.equal(years, year))) for year in pc.unique(years).to_pylist()]


if __name__ == "__main__":
    {"fetch": fetch, "rewrite": rewrite}[sys.argv[1]](*sys.argv[2:])
