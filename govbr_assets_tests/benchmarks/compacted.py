"""A compacted Hub in three sizes: year files as a consolidation leaves them, made fast.

The sample's rows are the middle size, and every tenth of them the small one. In the large one each row stands ten
times, each time under another id and in another month of its year. Parquet compresses page by page, and no page reaches
over the end of a month, so that copies do not compress each other away.
"""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import Day
from govbr_assets.core.layout import ROW_GROUP_ROWS
from govbr_assets.local.news import sample_news
from govbr_assets.local.news_calendar import rows_of_days
from govbr_assets.local.news_catalog import sample_agencies, sample_themes
from govbr_assets.publications import NEWS
from govbr_assets_tests.benchmarks.hub_files import DataFile
from govbr_assets_tests.tables import WRITER_SETTINGS

FACTORS = (0.1, 1, 10)
"""The sizes, as multiples of the middle one. More than twelve copies would not have a month each."""

_FIRST, _LAST = date(2003, 1, 1), date(2025, 12, 31)
_FOUR_DAYS = pa.scalar(timedelta(days=4), pa.duration("us"))  # more than months differ in length


@dataclass(frozen=True)
class YearFile(DataFile):
    """A file of a compacted Hub; `factor` is the size that it belongs to, of `FACTORS`."""

    factor: float


def make_files(rows: int, folder: Path) -> list[YearFile]:
    """Make the year files of all sizes, on every core.

    Args:
        rows: of the middle size.
        folder: gets the files.
    """
    shares = Counter[int]()
    for day, count in rows_of_days(rows, _FIRST, _LAST):
        shares[day.year] += count
    years = [year for year in reversed(shares) if shares[year]]  # the largest first
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1), get_context("spawn")) as pool:
        made = pool.map(_make_year, years, [shares[year] for year in years], [folder] * len(years))
        return [file for files in made for file in files]


def _make_year(year: int, rows: int, folder: Path) -> list[YearFile]:
    """Make the files of one year, one of each size."""
    sample = sample_news(rows, date(year, 1, 1), date(year, 12, 31), seed=year)
    news = pa.concat_tables([published(pa.Table.from_batches([batch])) for batch in sample])
    starts = [Day(date(year + month // 12, month % 12 + 1, 1)).start for month in range(13)]
    files = []
    for factor in FACTORS:
        some = news.take(pa.array(range(0, rows, round(1 / factor)))) if factor < 1 else news
        place = folder / f"{factor}-{year}.parquet"
        held = _write(place, _by_month(some, starts), starts, max(1, round(factor)))
        files.append(YearFile.of(f"data/train-{year}-00.parquet", place, held, factor=factor))
    return files


def published(rows: pa.Table) -> pa.Table:
    """Turn rows of PostgreSQL's table into the published columns: [n rows x 24]."""
    agencies, themes = sample_agencies(), sample_themes()

    def named(table: pa.Table, ids: str, column: str) -> pa.ChunkedArray:
        return table[column].take(pc.index_in(rows[ids], table["id"].combine_chunks()))

    columns = {name: rows[name] for name in rows.column_names if name in NEWS.schema.names}
    columns |= {"agency": named(agencies, "agency_id", "key"), "image": rows["image_url"]}
    themed = {f"theme_1_level_{level}": f"theme_l{level}_id" for level in (1, 2, 3)}
    for theme, ids in (themed | {"most_specific_theme": "most_specific_theme_id"}).items():
        columns |= {f"{theme}_{column}": named(themes, ids, column) for column in ("code", "label")}
    columns["theme_1_level_1"] = columns["theme_1_level_1_label"]
    return pa.table([columns[field.name].cast(field.type) for field in NEWS.schema], schema=NEWS.schema)


def _by_month(rows: pa.Table, starts: list[datetime]) -> list[pa.Table]:
    """Cut a year, in order of `published_at`, into its months."""
    at = rows["published_at"]
    before = [pc.sum(pc.less(at, pa.scalar(start, at.type)), min_count=0).as_py() for start in starts]
    return [rows.slice(before[month], before[month + 1] - before[month]) for month in range(12)]


def _write(place: Path, months: list[pa.Table], starts: list[datetime], copies: int) -> int:
    """Write a year file with the settings of `layout.encode`, a month at a time; return how many rows it has."""
    written = 0
    with pq.ParquetWriter(place, NEWS.schema, **WRITER_SETTINGS) as writer:
        for month in range(12):
            parts = [_copy(months[(month - copy) % 12], starts, month, copy) for copy in range(copies)]
            rows = pa.concat_tables(parts).sort_by(NEWS.sorted_by)
            if rows.num_rows:
                writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
            written += rows.num_rows
    return written


def _copy(rows: pa.Table, starts: list[datetime], month: int, copy: int) -> pa.Table:
    """Copy the rows of another month into a month, under ids with one more digit; the first copy stays as it is."""
    if not copy:
        return rows
    shift = pa.scalar(starts[month] - starts[(month - copy) % 12], pa.duration("us"))
    at = pc.add(rows["published_at"], shift)
    at = pc.if_else(pc.less(at, pa.scalar(starts[month + 1], at.type)), at, pc.subtract(at, _FOUR_DAYS))
    ids = pc.binary_join_element_wise(rows["unique_id"], str(copy), "")
    return rows.set_column(0, NEWS.schema.field(0), ids).set_column(2, NEWS.schema.field(2), at)
