"""Columns of several files side by side in one: it says of itself what one writer would, and no byte is another."""

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.column_join import join_columns
from govbr_assets.core.row_group_copy import splice
from govbr_assets.core.row_groups import RowGroup, row_groups
from govbr_assets.core.thrift_compact import Struct, dump, load
from govbr_assets.dataset.parquet import writer_settings
from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS
from govbr_assets_tests.core.test_row_group_copy import SMALL, all_of, data, encode, spliced, tables, ways, with_footer
from govbr_assets_tests.tables import shard

SOME = [["id"], ["at"], ["tags"], ["id", "at"], ["id", "tags"], ["at", "tags"]]
"""Columns that the first of two files has."""


def join(*files: io.BytesIO, schema: pa.Schema = SMALL) -> list[RowGroup]:
    return join_columns([row_groups(file) for file in files], encode(schema.empty_table()))


def way_of(way: dict[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """Leave out what a way of writing says of columns that are not there."""
    by = [("at", "descending")] if way["sorting_columns"] and "at" in schema.names else None
    return way | {"sorting_columns": pq.SortingColumn.from_ordering(schema, by) if by else None}


def layout(file: io.BytesIO) -> list[bytes]:
    """Name the column of each chunk of a file as they lie there."""
    chunks = [chunk for group in row_groups(file) for chunk in group.chunks]
    assert all(not set(a.place) & set(b.place) for a, b in pairwise(sorted(chunks, key=lambda each: each.place.start)))
    return [chunk.column for chunk in sorted(chunks, key=lambda chunk: chunk.place.start)]


@settings(max_examples=100, deadline=None)
@given(tables, st.integers(1, 5), st.lists(ways, min_size=2, max_size=2), st.sampled_from(SOME), st.data())
def test_files_of_any_columns_become_one_with_the_rows_and_bytes_of_all_however_often_it_is_spliced(
    rows: pa.Table, size: int, each: list[dict[str, Any]], some: list[str], draw: st.DataObject
):
    parts = [rows.select(some), rows.select([name for name in SMALL.names if name not in some])]
    files = [encode(part, size, **way_of(way, part.schema)) for part, way in zip(parts, each, strict=True)]
    groups = join(*files)
    whole = spliced(groups)
    assert pq.read_table(whole).equals(rows)
    assert pq.read_schema(whole).equals(pq.read_schema(encode(rows)), check_metadata=True)
    assert [data(group) for group in row_groups(whole)] == [data(group) for group in groups]
    check_metadata(whole, files)

    kept = all_of(whole)
    picks = draw.draw(st.lists(st.integers(0, len(kept) - 1), min_size=1, max_size=8))
    again = spliced([kept[pick] for pick in picks])
    assert [data(group) for group in row_groups(again)] == [data(groups[pick]) for pick in picks]
    assert spliced(all_of(again)).getvalue() == again.getvalue()
    cut = [pq.ParquetFile(whole).read_row_group(pick) for pick in picks]
    assert pq.read_table(again).equals(pa.concat_tables(cut))


def check_metadata(whole: io.BytesIO, files: Sequence[io.BytesIO]) -> None:
    """See that a file says of each column and row group what the files said that they came from."""
    metadata, said = pq.read_metadata(whole), [pq.read_metadata(file) for file in files]
    for number in range(metadata.num_row_groups):
        group, parts = metadata.row_group(number), [each.row_group(number) for each in said]
        assert group.num_rows == parts[0].num_rows
        assert group.total_byte_size == sum(part.total_byte_size for part in parts)
        columns = {
            part.column(index).path_in_schema: part.column(index) for part in parts for index in range(part.num_columns)
        }
        for index in range(group.num_columns):
            column = group.column(index)
            was = columns[column.path_in_schema]
            assert (column.statistics, column.has_column_index, column.has_offset_index) == (
                *(was.statistics, was.has_column_index, was.has_offset_index),
            )
        ordered = [(group.column(each.column_index).path_in_schema, each.descending) for each in group.sorting_columns]
        before = parts[0].sorting_columns
        assert ordered == [(parts[0].column(each.column_index).path_in_schema, each.descending) for each in before]


def months_with(added: Sequence[str], months: int = 6, rows: int = 3) -> tuple[list[io.BytesIO], list[io.BytesIO]]:
    """Make the files of months without some columns, and with them alone."""
    spec = replace(NEWS, columns=tuple(column for column in NEWS.columns if column.name not in added))
    tables = [shard([f"{month}-{row}" for row in range(rows)]) for month in range(months)]
    more = [encode(table.select(added)) for table in tables]
    return [encode(table.select(spec.schema.names), **writer_settings(spec)) for table in tables], more


def test_columns_at_the_end_lie_behind_all_that_was_there_and_stay_there_when_a_month_is_made_anew():
    added = NEWS.schema.names[-2:]
    old, more = months_with(added)
    year, new = spliced(all_of(*old)), spliced(all_of(*more))
    wider = spliced(join(year, new, schema=NEWS.schema))
    end = row_groups(year)[-1].chunks[-1].place.stop
    assert wider.getvalue()[:end] == year.getvalue()[:end]
    names = [name.encode() for name in NEWS.schema.names]
    assert layout(wider) == names[:-2] * 6 + names[-2:] * 6
    assert spliced(all_of(wider)).getvalue() == wider.getvalue()

    anew = encode(shard(["another"]), **writer_settings(NEWS))
    kept = all_of(wider)
    later = spliced([*kept[:2], *all_of(anew), *kept[3:]])
    assert layout(later) == names[:-2] * 2 + names + names[:-2] * 3 + names[-2:] * 5


def test_columns_that_are_declared_between_others_have_their_place_in_the_footer_alone():
    added = ["agency", "title"]
    old, more = months_with(added, months=2)
    wider = spliced(join(spliced(all_of(*old)), spliced(all_of(*more)), schema=NEWS.schema))
    assert pq.read_schema(wider).equals(NEWS.schema, check_metadata=True)
    assert [group.sorting_columns for group in map(pq.read_metadata(wider).row_group, range(2))] == [
        tuple(writer_settings(NEWS)["sorting_columns"])
    ] * 2
    assert spliced(all_of(wider)).getvalue() == wider.getvalue()


def test_each_page_of_a_joined_file_is_where_its_offset_index_says():
    old, more = months_with(["tags", "content"], months=2)
    wider = spliced(join(spliced(all_of(*old)), spliced(all_of(*more)), schema=NEWS.schema))
    whole, pages = wider.getvalue(), 0
    for chunk in (each for group in row_groups(wider) for each in group.chunks):
        at, length = (chunk.metadata.get(number) or 0 for number in (4, 5))
        for page in load(whole[at : at + length])[1] if at else ():
            header = load(whole[page[1] : page[1] + 500])
            assert page[1] in chunk.place
            assert page[2] == len(dump(header)) + header[3]
            pages += 1
    assert pages >= 2 * len(NEWS.schema.names) - 4


@pytest.mark.parametrize(
    "columns",
    [
        [["id", "at"]],
        [["id", "at", "tags"], ["tags"]],
        [["id", "at"], ["at", "tags"]],
        [["id"], ["at"]],
    ],
    ids=["a column is missing", "one stands twice", "one in the middle stands twice", "the last one is missing"],
)
def test_files_that_do_not_have_each_column_once_are_refused(columns: list[list[str]]):
    rows = pa.Table.from_pylist([{"id": "a"}], schema=SMALL)
    with pytest.raises(ContractError, match="do not have the columns that they should together"):
        join(*(encode(rows.select(names)) for names in columns))


def test_a_column_that_was_written_as_another_type_is_refused():
    rows = pa.Table.from_pylist([{"id": "a"}], schema=SMALL)
    other = rows.select(["at"]).cast(pa.schema([("at", pa.timestamp("ms", "-03:00"))]))
    with pytest.raises(ContractError, match="do not have the columns"):
        join(encode(rows.select(["id", "tags"])), encode(other))


def test_values_of_another_order_are_refused():
    rows = pa.Table.from_pylist([{"id": "a"}], schema=SMALL)
    without = with_footer(
        encode(rows.select(["at"])), lambda footer: Struct({at: each for at, each in footer.fields.items() if at != 7})
    )
    with pytest.raises(ContractError, match="do not have the columns"):
        join(encode(rows.select(["id", "tags"])), without)


@pytest.mark.parametrize(("rows", "size"), [(4, 2), (3, 3), (4, 1)])
def test_files_of_other_row_groups_are_refused(rows: int, size: int):
    table = pa.Table.from_pylist([{"id": str(number)} for number in range(4)], schema=SMALL)
    with pytest.raises(ContractError, match="different row groups"):
        join(encode(table.select(["id", "at"]), 3), encode(table.select(["tags"]).slice(0, rows), size))


def test_files_without_rows_are_refused():
    with pytest.raises(ContractError):
        join_columns([[], []], encode(SMALL.empty_table()))


def test_chunks_that_overlap_are_refused():
    def change(footer: Struct) -> Struct:
        first, second = footer[4]
        meta = first[1][0][3]
        chunk = second[1][0].put({3: second[1][0][3].put({9: meta[9] + 1})})
        return footer.put({4: [first, second.put({1: [chunk, *second[1][1:]]})]})

    file = encode(pa.table({"a": [1, 2], "b": [3, 4]}), 1, use_dictionary=False)
    with pytest.raises(ContractError, match="side by side"):
        row_groups(with_footer(file, change))
    assert splice(all_of(file), io.BytesIO())
