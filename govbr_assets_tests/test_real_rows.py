"""A thousand real rows, from PostgreSQL to every reader: value by value and type by type what went in."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.days import TIME_ZONE, Day
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.conftest import SAMPLE
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.tables import as_published

pytestmark = pytest.mark.skipif(not SAMPLE.exists(), reason="the real rows are not beside this checkout")

LEVELS = ("theme_1_level_1", "theme_1_level_2", "theme_1_level_3", "most_specific_theme")


SUMMER = ("2016-10-16", "2017-02-18")  # a summer whose midnight is not that of the schema's `-03:00`
YEAR = ("2024-01-01", "2024-12-31")  # of 366 days


def real_rows() -> pa.Table:
    """Read the rows as published, without the one that has no time: PostgreSQL demands one.

    Those of other years are put into `YEAR`, as most of ten years' days have no row and all are published alike.
    """
    rows = as_published(pq.read_table(SAMPLE))
    rows = rows.filter(rows["published_at"].is_valid())
    field = NEWS.schema.field("published_at")
    times = pa.array([in_span(at) for at in rows["published_at"].to_pylist()], field.type)
    return rows.set_column(rows.schema.get_field_index(field.name), field, times)


def in_span(at: datetime) -> datetime:
    """Give the same time of the same day in `YEAR`; what is there, or in `SUMMER`, stays."""
    local = at.astimezone(ZoneInfo(TIME_ZONE))
    return at if SUMMER[0] <= str(local.date()) <= SUMMER[1] else local.replace(year=2024)


def published_view(rows: pa.Table) -> pa.Table:
    """Say what the rows are as PostgreSQL's view publishes them: `theme_1_level_1` is the label of the theme.

    In the base files it was "09 - Esportes e Lazer", also where a row has no theme at all.
    """
    return rows.set_column(
        rows.schema.get_field_index(LEVELS[0]), NEWS.schema.field(LEVELS[0]), rows[f"{LEVELS[0]}_label"]
    )


def load(url: str, rows: pa.Table) -> None:
    """Write the rows into the tables of production."""
    keys = sorted(set(rows["agency"].to_pylist()))
    themes = {
        code: (index, label)
        for name in LEVELS
        for index, (code, label) in enumerate(
            zip(rows[f"{name}_code"].to_pylist(), rows[f"{name}_label"].to_pylist(), strict=True)
        )
        if code
    }
    ids = {code: number for number, code in enumerate(sorted(themes), 1)}
    int32, text = pa.int32(), pa.string()
    agencies = pa.table({"id": pa.array(range(1, len(keys) + 1), int32), "key": keys, "name": keys})
    catalogue = pa.table(
        {
            "id": pa.array(ids.values(), int32),
            "code": pa.array(ids, text),
            "label": [themes[code][1] for code in ids],
            "level": pa.array([code.count(".") + 1 for code in ids], int32),
        }
    )
    instants = {name: rows[name].cast(pa.timestamp("us", "UTC")) for name in ("published_at", "updated_datetime")}
    themed = {
        f"{column}_id": pa.array([ids.get(code) for code in rows[f"{name}_code"].to_pylist()], int32)
        for name, column in zip(LEVELS, ("theme_l1", "theme_l2", "theme_l3", "most_specific_theme"), strict=True)
    }
    same = (
        "unique_id",
        "title",
        "subtitle",
        "editorial_lead",
        "url",
        "content",
        "video_url",
        "category",
        "tags",
        "summary",
    )
    news = pa.table(
        {name: rows[name] for name in same}
        | instants
        | {"extracted_at": rows["extracted_at"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))}
        | {
            "image_url": rows["image"],
            "agency_id": pa.array([keys.index(key) + 1 for key in rows["agency"].to_pylist()], int32),
        }
        | themed
    )
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        for name, table in (("agencies", agencies), ("themes", catalogue), ("news", news)):
            cursor.adbc_ingest(name, table, mode="append")
        connection.commit()


def in_order(table: pa.Table) -> pa.Table:
    return table.select(NEWS.schema.names).sort_by("unique_id").combine_chunks()


def test_every_reader_gives_back_what_went_in(graph: Graph, tmp_path: Path):
    rows = real_rows()
    load(graph.postgres_url, rows)
    expected = in_order(published_view(rows))
    days = sorted({str(at.date()) for at in pc.assume_timezone(pc.local_timestamp(sao_paulo(rows)), "UTC").to_pylist()})

    assert graph.run(*SUMMER, checks=False).success
    assert graph.run(*YEAR, checks=False).success

    assert [str(NEWS.layout.day_of(file.path)) for file in graph.head.data_files] == days
    folder = readers.download(graph, tmp_path / "files")
    for path in sorted((folder / "data").glob("*.parquet")):
        file = pq.ParquetFile(path)
        assert file.schema_arrow.equals(NEWS.schema, check_metadata=True), path
        times = file.read()["published_at"].to_pylist()
        day = Day.of(path.stem.removeprefix("train-"))
        assert times == sorted(times)
        assert all(day.start <= at < day.end for at in times)

    read = {name: reader(folder) for name, reader in readers.ON_FILES.items()}
    read["datasets"] = readers.by_datasets(graph, tmp_path)
    assert read["pyarrow"].schema.equals(NEWS.schema)
    assert read["datasets"].schema.equals(NEWS.schema)
    for name, table in read.items():
        back = in_order(table).cast(NEWS.schema)
        assert back.num_rows == expected.num_rows == 999, name
        for column in NEWS.schema.names:
            assert back[column].equals(expected[column]), f"{name} differs in {column}"


def sao_paulo(rows: pa.Table) -> pa.ChunkedArray:
    return rows["published_at"].cast(pa.timestamp("us", "America/Sao_Paulo"))
