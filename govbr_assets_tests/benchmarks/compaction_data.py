"""The public dataset before its first compaction, made of sample news: day shards and three legacy files.

The legacy files are as the public ones: rows by agency and then newest first, ids of 32 digits, a few rows without
`published_at`, and written as pandas does: snappy, its metadata, one row group.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.local.news import sample_news
from govbr_assets.local.news_calendar import rows_of_days
from govbr_assets.local.news_catalog import sample_agencies
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.compacted import published
from govbr_assets_tests.benchmarks.hub_files import DataFile
from govbr_assets_tests.tables import encode

LEGACY_FILES = 3

_Days = list[tuple[date, int]]


def day_shards(rows: int, first: date, last: date, folder: Path) -> list[DataFile]:
    """Make the shard of every day, on every core; no day is without a row.

    Args:
        rows: how many in all.
        first: first day.
        last: last day.
        folder: gets the files.

    Raises:
        ValueError: there are more days than rows.
    """
    days = (last - first).days + 1
    if rows < days:
        raise ValueError(f"{rows} rows cannot fill {days} shards: take more.")
    shares = [(day, count + 1) for day, count in rows_of_days(rows - days, first, last)]
    return [file for files in _on_every_core(_make_shards, _by_year(shares), folder) for file in files]


def legacy_files(rows: int, first: date, last: date, folder: Path) -> list[DataFile]:
    """Make the legacy files; see `day_shards`."""
    parts = _on_every_core(_make_part, _by_year(rows_of_days(rows, first, last)), folder)
    files = _on_every_core(_make_legacy, [(number, parts) for number in range(LEGACY_FILES)], folder)
    for part in parts:
        part.unlink()
    return files


def _on_every_core(make: Callable[[Any, Path], Any], work: Sequence[Any], folder: Path) -> list[Any]:
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1), get_context("spawn")) as pool:
        return list(pool.map(make, work, [folder] * len(work)))


def _by_year(days: Iterable[tuple[date, int]]) -> list[_Days]:
    """Part days by year, the last year with its many rows first."""
    return [list(of_year) for _, of_year in groupby(days, lambda each: each[0].year)][::-1]


def _news(day: date, rows: int) -> pa.Table:
    """Make the rows of a day, under ids that no other day has: [n rows x 24], and `legacy_unique_id`."""
    sample = pa.Table.from_batches(sample_news(rows, day, day, seed=day.toordinal()))
    ids = pc.binary_join_element_wise(sample["unique_id"], f"{day.toordinal():x}", "")
    news = published(sample).set_column(0, NEWS.schema.field(0), ids)
    return news.append_column("legacy_unique_id", sample["legacy_unique_id"]).sort_by(NEWS.sorted_by)


def _make_shards(days: _Days, folder: Path) -> list[DataFile]:
    files = []
    for day, count in days:
        path = NEWS.layout.day_path(Day(day))
        place = folder / Path(path).name
        place.write_bytes(encode(_news(day, count).select(NEWS.schema.names)))
        files.append(DataFile.of(path, place, count))
    return files


def _make_part(days: _Days, folder: Path) -> Path:
    """Write the rows of a year, as the legacy files are to have them, to the disk."""
    place = folder / f"part-{days[0][0].year}.arrow"
    with pa.OSFile(str(place), "wb") as sink, pa.ipc.new_file(sink, NEWS.schema) as writer:
        for day, count in days:
            if count:
                writer.write_table(_as_legacy(_news(day, count)))
    return place


def _as_legacy(news: pa.Table) -> pa.Table:
    """Give rows their old ids, if they had one."""
    ids = pc.coalesce(news["legacy_unique_id"], news["unique_id"])
    return news.set_column(0, NEWS.schema.field(0), ids).select(NEWS.schema.names)


def _make_legacy(work: tuple[int, list[Path]], folder: Path) -> DataFile:
    """Make one of the legacy files, which has a third of the agencies."""
    number, parts = work
    news = pa.concat_tables([pa.ipc.open_file(pa.memory_map(str(part))).read_all() for part in parts])
    agencies = sorted(sample_agencies()["key"].to_pylist())
    mine = agencies[number * len(agencies) // LEGACY_FILES : (number + 1) * len(agencies) // LEGACY_FILES]
    table = pa.concat_tables([_of_agency(news.filter(pc.equal(news["agency"], agency))) for agency in mine])
    metadata = pa.Schema.from_pandas(table.slice(0, 100).to_pandas(), preserve_index=False).metadata
    place = folder / f"legacy-{number}"
    pq.write_table(table.replace_schema_metadata(metadata), place, row_group_size=1 << 20)
    return DataFile.of(f"data/train-{number:05}-of-{LEGACY_FILES:05}.parquet", place, table.num_rows)


def _of_agency(news: pa.Table) -> pa.Table:
    """Order the rows of an agency, newest first, and take its time away from one of them."""
    at = news["published_at"]
    timed = pc.if_else(pa.array([number > 0 for number in range(len(at))], pa.bool_()), at, pa.scalar(None, at.type))
    return news.set_column(2, NEWS.schema.field(2), timed).sort_by([("published_at", "descending")])
