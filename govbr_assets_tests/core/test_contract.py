"""The contract: what fits is cast without loss, what does not is named by column, row and value."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from govbr_assets.core.conform import conform_source_rows
from govbr_assets.core.contract import check_day
from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import DAY, news, shard


def raw(**columns: pa.Array) -> tuple[pa.Table, pa.ChunkedArray]:
    """Make three rows as the driver gives them, with some columns replaced."""
    rows = news(["a", "b", "c"])
    utc = pa.timestamp("us", tz="UTC")
    for name in ("published_at", "updated_datetime", "extracted_at"):
        rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast(pa.timestamp("us")).cast(utc))
    for name, column in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows, pa.chunked_array([[11, 12, 13]])


def test_rows_come_out_with_exactly_the_contract_and_the_same_instants():
    rows, row_ids = raw(extracted_at=pa.array([datetime(2026, 1, 15, 12, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")))
    cast = conform_source_rows(rows, row_ids, NEWS.source_schema)
    assert cast.schema.equals(NEWS.source_schema, check_metadata=True)
    assert cast["published_at"].to_pylist() == rows["published_at"].to_pylist()
    assert cast["extracted_at"].cast(pa.timestamp("us")).to_pylist() == [datetime(2026, 1, 15, 12)] * 3  # noqa: DTZ001


@pytest.mark.parametrize(
    ("column", "values", "named"),
    [
        ("unique_id", pa.array(["a", None, "c"]), "unique_id of the row with id 12 .* is null"),
        ("updated_datetime", pa.array([0, -9222425352054775809, 0]), "updated_datetime .* id 12 .*: infinity "),
        ("updated_datetime", pa.array([0, 0, -9222425352054775808]), "updated_datetime .* id 13 .*: -infinity "),
        ("updated_datetime", pa.array([0, 253402300800000000, 0]), "updated_datetime .* id 12 .* outside the years"),
        ("extracted_at", pa.array([0, 253402214400000000, 0]), "extracted_at .* id 12 .* 9999-12-31"),
        ("extracted_at", pa.array([-62135596800000000, 0, 0]), "extracted_at .* id 11 .* 0001-01-01"),
        ("title", pa.array([1, 2, 3]), "title of the row with id 11 .* has type int64: 1 "),
        ("tags", pa.array(["x", "y", "z"]), "tags of the row with id 11 .* has type string: 'x' "),
        ("published_at", pa.array(["x", "y", "z"]), "published_at of the row with id 11 .* has type string"),
    ],
)
def test_what_does_not_fit_is_named_by_column_row_and_value(column: str, values: pa.Array, named: str):
    if column.endswith(("_at", "datetime")) and pa.types.is_integer(values.type):
        values = values.cast(pa.timestamp("us", tz="UTC"))
    with pytest.raises(ContractError, match=named):
        conform_source_rows(*raw(**{column: values}), NEWS.source_schema)


def test_a_time_without_a_zone_counts_as_utc():
    rows, row_ids = raw(updated_datetime=pa.array([datetime(2026, 1, 1)] * 3, pa.timestamp("us")))  # noqa: DTZ001
    assert conform_source_rows(rows, row_ids, NEWS.source_schema)["updated_datetime"][0].as_py() == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_no_rows_give_an_empty_table_of_the_schema():
    rows, row_ids = raw()
    assert conform_source_rows(rows.slice(0, 0), row_ids.slice(0, 0), NEWS.source_schema).schema == NEWS.source_schema


def test_a_good_day_passes_the_gate():
    check_day(shard(["a", "b"]), DAY, NEWS.schema)
    check_day(NEWS.schema.empty_table(), DAY, NEWS.schema)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (shard(["a", "b", "a"]), "'a' stands more than once"),
        (shard(["a"], at=DAY.end), "'a' was published at .* outside the day 2026-01-15"),
        (shard(["a"], at=DAY.start - timedelta(microseconds=1)), "outside the day"),
        (news(["a"]), "extra columns .*legacy_unique_id"),
        (shard(["a"]).drop_columns(["title"]), "missing columns .*title"),
        (shard(["a"]).set_column(0, "unique_id", pa.array([None], pa.string())), "have no unique_id"),
        (shard(["a"]).replace_schema_metadata({"pandas": "{}"}), "metadata"),
        (shard(["a"]).set_column(2, "published_at", pa.array([None], NEWS.schema.field(2).type)), "outside the day"),
    ],
)
def test_what_must_not_be_published_stops_at_the_gate(rows: pa.Table, named: str):
    with pytest.raises(ContractError, match=named):
        check_day(rows, DAY, NEWS.schema)


def test_a_difference_of_types_names_the_column_and_both_types():
    schema = NEWS.schema.set(4, pa.field("extracted_at", pa.timestamp("us")))
    assert str(NEWS.compare(schema)) == "extracted_at is timestamp[us] and should be timestamp[ns]"
    assert not NEWS.compare(NEWS.schema)
