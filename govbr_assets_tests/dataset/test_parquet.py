"""Files: each is a function of its rows and of the spec."""

import io
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.spec import Column
from govbr_assets.dataset import parquet
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import encode, shard


def test_the_same_rows_give_the_same_bytes_however_they_are_chunked():
    rows = shard(["a", "b", "c"])
    pieces = pa.concat_tables([rows.slice(0, 1), rows.slice(1)])
    assert encode(rows) == encode(pieces)


def test_a_file_holds_exactly_the_contract_sorted_with_statistics_on_keys_only():
    file = pq.ParquetFile(io.BytesIO(encode(shard(["b", "a"]))))
    assert file.schema_arrow.equals(NEWS.schema, check_metadata=True)
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


def test_dictionaries_and_statistics_are_those_that_the_columns_declare():
    columns = [replace(column, dictionary=column.name in ("title", "tags")) for column in NEWS.columns]
    spec = replace(NEWS, columns=(*columns, Column("level", pa.string(), "n.level", "A level.", True, True)))
    rows = shard(["a", "b"]).append_column("level", pa.array(["x", "x"]))
    group = pq.ParquetFile(io.BytesIO(parquet.encode(rows, spec))).metadata.row_group(0)
    found = [group.column(index) for index in range(group.num_columns)]
    dictionaries = {each.path_in_schema for each in found if each.has_dictionary_page}
    assert dictionaries == {"title", "tags.list.element", "level"}
    statistics = {each.path_in_schema for each in found if each.is_stats_set}
    assert statistics == {"unique_id", "agency", "published_at", "level"}
