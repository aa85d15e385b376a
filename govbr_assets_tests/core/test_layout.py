"""Paths and files: a path is a function of the day, a file a function of its rows."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.core.days import Day
from govbr_assets.core.layout import encode, may_hold, shard_day, shard_path
from govbr_assets_tests.tables import DAY, shard


def test_a_shard_is_named_by_its_day_and_back():
    assert shard_path(DAY) == "data/train-2026-01-15.parquet"
    assert shard_day(shard_path(DAY)) == DAY


@pytest.mark.parametrize(
    "path",
    [
        "data/train-2026-00.parquet",
        "data/train-2026-02-31.parquet",
        "data/train-00001-of-00003.parquet",
        "data/train-2026-01-15-031502.parquet",
    ],
)
def test_other_data_files_may_hold_any_day(path: str):
    assert shard_day(path) is None
    assert may_hold(path, DAY)


def test_another_days_shard_another_year_and_what_has_no_time_cannot_hold_the_day():
    assert not may_hold("data/train-2026-01-14.parquet", DAY)
    assert not may_hold("data/train-2025-00.parquet", DAY)
    assert not may_hold("data/train-0000-undated.parquet", DAY)
    assert may_hold(shard_path(DAY), DAY)


def test_the_same_rows_give_the_same_bytes_however_they_are_chunked():
    rows = shard(["a", "b", "c"])
    pieces = pa.concat_tables([rows.slice(0, 1), rows.slice(1)])
    assert encode(rows) == encode(pieces)


def test_a_file_holds_exactly_the_contract_sorted_with_statistics_on_keys_only():
    file = pq.ParquetFile(io.BytesIO(encode(shard(["b", "a"]))))
    assert file.schema_arrow.equals(NEWS_SCHEMA, check_metadata=True)
    columns = [file.metadata.row_group(0).column(index) for index in range(file.metadata.num_columns)]
    assert {column.path_in_schema for column in columns if column.is_stats_set} == {
        "unique_id",
        "agency",
        "published_at",
    }
    assert {column.compression for column in columns} == {"ZSTD"}
    assert [(key.column_index, key.descending) for key in file.metadata.row_group(0).sorting_columns] == [
        (2, False),
        (0, False),
    ]


def test_row_groups_end_at_ten_thousand_rows():
    rows = shard([f"{number:05}" for number in range(10_001)])
    metadata = pq.ParquetFile(io.BytesIO(encode(rows))).metadata
    assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == [10_000, 1]


def test_days_order_like_their_names():
    assert sorted([Day.of("2026-01-02"), Day.of("2025-12-31")])[0] == Day.of("2025-12-31")
