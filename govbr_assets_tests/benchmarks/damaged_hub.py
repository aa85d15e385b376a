"""The damage that the public dataset has, at any size: made of the rows of PostgreSQL, written as the job before did.

What the damage is, and how its files are written, is in `damaged`, where tests use it for some rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.days import Day
from govbr_assets.io.staged import table_of
from govbr_assets.local.news_catalog import sample_agencies
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS, REDUCED
from govbr_assets_tests.benchmarks.hub_files import DataFile
from govbr_assets_tests.damaged import as_before, as_pandas_did, with_texts, with_values
from govbr_assets_tests.stranger import as_others_write

BASE_FILES, TEXT_DAYS, MISSING_DAYS = 3, 7, 24
"""Files of all agencies; the last days, of which each has a file with texts; days before them without a row."""

SURPLUS = 83
"""One of so many rows is there again under an id that PostgreSQL has nowhere: 1.2%."""


@dataclass(frozen=True)
class DamagedFiles:
    """The files, and what is wrong with them.

    Attributes:
        files: of the dataset.
        reduced: the one of the reduced dataset, which lacks rows.
        nowhere: rows that PostgreSQL has nowhere.
    """

    files: list[DataFile]
    reduced: DataFile
    nowhere: int


def damaged_files(url: str, first: date, last: date, folder: Path) -> DamagedFiles:
    """Make the files.

    Args:
        url: of PostgreSQL, which has the rows.
        first: first day.
        last: last day.
        folder: gets the files.
    """
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    texts, gap, doubled = days[-TEXT_DAYS:], _days_before(days, TEXT_DAYS, MISSING_DAYS), _days_before(days, 40, 2)
    take, files, again = NewsTable(url, NEWS).read_days(list(map(Day, days))), list[DataFile](), list[pa.Table]()
    parts, nowhere = list[Path](), 0
    for year, of_year in groupby(days, lambda day: day.year):
        base = [as_before(NEWS.source_schema.empty_table())]
        for day in of_year:
            rows = table_of(take(Day(day)))
            if day in texts and rows.num_rows:
                path = f"data/train-{day + timedelta(days=1)}-040000.parquet"
                files.append(_file(path, with_texts(rows), rows.num_rows, folder))
            elif day not in gap:
                base.append(as_before(rows))
            if day in doubled:
                again.append(rows.select(NEWS.schema.names) if again else as_before(rows))
        base.append(_nowhere(pa.concat_tables(base), undated=not parts))
        nowhere += base[-1].num_rows
        parts.append(_part(pa.concat_tables(base), folder / f"part-{year}.arrow"))
    second = pa.concat_tables(again)
    files.append(_file("data/train-2026-01-15-101010.parquet", as_pandas_did(second), second.num_rows, folder))
    files += _base_files(parts, folder)
    return DamagedFiles(files, _reduced(parts, folder), nowhere)


def _days_before(days: list[date], end: int, count: int) -> set[date]:
    """Take some days so many before the last one."""
    return {*days[-end - count : -end]}


def _nowhere(rows: pa.Table, *, undated: bool) -> pa.Table:
    """Make rows that PostgreSQL has nowhere: one of so many under another id, and one without a time."""
    some = rows.take(pa.array(range(0, rows.num_rows, SURPLUS), pa.int64()))
    some = with_values(some, "unique_id", pc.binary_join_element_wise("nowhere", some["unique_id"], "-"))
    if not undated:
        return some
    kind = rows.schema.field("published_at").type
    one = with_values(with_values(rows.slice(0, 1), "unique_id", ["nowhere"]), "published_at", pa.nulls(1, kind))
    return pa.concat_tables([some, one])


def _part(rows: pa.Table, place: Path) -> Path:
    """Write rows to the disk, which are read again for each of the base files."""
    with pa.OSFile(str(place), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    return place


def _mapped(place: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(place))).read_all()


def _base_files(parts: list[Path], folder: Path) -> Iterator[DataFile]:
    """Make the base files: each has some agencies, one after another, and of each the newest first."""
    agencies = sorted(sample_agencies()["key"].to_pylist())
    for number in range(BASE_FILES):
        mine = pa.array(agencies[number * len(agencies) // BASE_FILES : (number + 1) * len(agencies) // BASE_FILES])
        rows = pa.concat_tables(each.filter(pc.is_in(each["agency"], mine)) for each in map(_mapped, parts))
        rows = rows.sort_by([("agency", "ascending"), ("published_at", "descending")])
        path = f"data/train-{number:05}-of-{BASE_FILES:05}.parquet"
        yield _file(path, as_pandas_did(rows), rows.num_rows, folder)


def _reduced(parts: list[Path], folder: Path) -> DataFile:
    """Make the file of the reduced dataset, which lacks the last years."""
    rows = pa.concat_tables(_mapped(each).select(REDUCED.columns) for each in parts[: len(parts) // 2 + 1])
    return _file("data/train-00000-of-00001.parquet", as_others_write(rows, 1 << 20), rows.num_rows, folder)


def _file(path: str, content: bytes, rows: int, folder: Path) -> DataFile:
    """Write a file to the disk."""
    place = folder / path.replace("/", "-")
    place.write_bytes(content)
    return DataFile.of(path, place, rows)
