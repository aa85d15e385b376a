"""A file of copied row groups: the very bytes of one writer where it can be, and the same rows for every reader."""

import io
import random
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.column_join import join_columns
from govbr_assets.core.parquet_footer import pieces
from govbr_assets.core.row_group_copy import splice
from govbr_assets.core.row_groups import RowGroup, row_groups
from govbr_assets.core.thrift_compact import Struct, dump, load
from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.conftest import SAMPLE
from govbr_assets_tests.tables import WRITER_SETTINGS, as_published, shard

# The chunker's state goes on over the row groups of one writer, so only without it are its bytes to be had in parts.
UNCHUNKED: Mapping[str, Any] = {**WRITER_SETTINGS, "use_content_defined_chunking": False}

SMALL = pa.schema([("id", pa.string()), ("at", pa.timestamp("us", "-03:00")), ("tags", pa.list_(pa.string()))])


def encode(rows: pa.Table, size: int = 100, **settings: Any) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(rows.combine_chunks(), file, row_group_size=size, **settings)
    return file


def at_once(months: Sequence[pa.Table], size: int = 100, **settings: Any) -> bytes:
    file = io.BytesIO()
    with pq.ParquetWriter(file, months[0].schema, **settings) as writer:
        for month in months:
            writer.write_table(month.combine_chunks(), row_group_size=size)
    return file.getvalue()


def all_of(*files: io.BytesIO) -> list[RowGroup]:
    return [group for file in files for group in row_groups(file)]


def spliced(groups: Sequence[RowGroup]) -> io.BytesIO:
    sink = io.BytesIO()
    told = splice(groups, sink)
    assert told == row_groups(sink)
    return sink


def data(group: RowGroup) -> list[bytes]:
    return [b"".join(pieces(chunk.file, chunk.place)) for chunk in group.chunks]


def with_footer(file: io.BytesIO, change: Callable[[Struct], Struct]) -> io.BytesIO:
    whole = file.getvalue()
    length = int.from_bytes(whole[-8:-4], "little")
    end = dump(change(load(whole[-8 - length : -8])))
    return io.BytesIO(whole[: -8 - length] + end + len(end).to_bytes(4, "little") + b"PAR1")


CUT = encode(shard(["a", "b"]), **WRITER_SETTINGS).getvalue()


def real_rows() -> pa.Table:
    if not SAMPLE.exists():
        pytest.skip("the real rows are not beside this checkout")
    return as_published(pq.read_table(SAMPLE)).sort_by(NEWS.sorted_by)


@pytest.fixture
def months() -> list[pa.Table]:
    """Real rows as months of one, four and more row groups of a hundred."""
    rows = real_rows()
    return [rows.slice(0, 37), rows.slice(37, 400), rows.slice(437)]


# Bytes


def test_months_spliced_are_the_very_file_that_one_writer_makes(months: list[pa.Table]):
    files = [encode(month, **UNCHUNKED) for month in months]
    assert [len(row_groups(file)) for file in files] == [1, 4, 6]
    assert spliced(all_of(*files)).getvalue() == at_once(months, **UNCHUNKED)


@pytest.mark.parametrize("chunking", [True, False])
def test_all_row_groups_of_a_file_are_that_very_file(months: list[pa.Table], chunking: bool):
    whole = io.BytesIO(at_once(months, **{**WRITER_SETTINGS, "use_content_defined_chunking": chunking}))
    assert spliced(all_of(whole)).getvalue() == whole.getvalue()


def test_a_month_comes_out_of_a_year_as_it_went_in(months: list[pa.Table]):
    files = [encode(month, **WRITER_SETTINGS) for month in months]
    year = spliced(all_of(*files))
    parts = iter(all_of(year))
    for file in files:
        back = [next(parts) for _ in row_groups(file)]
        assert [data(each) for each in back] == [data(group) for group in row_groups(file)]
        assert spliced(back).getvalue() == file.getvalue()


def test_a_year_with_another_month_in_it_is_the_year_of_those_months(months: list[pa.Table]):
    first, second, third = (encode(month, **WRITER_SETTINGS) for month in months)
    year = spliced(all_of(first, second, third))
    other = encode(months[1].slice(1), **WRITER_SETTINGS)
    kept = all_of(year)
    assert spliced([kept[0], *all_of(other), *kept[5:]]).getvalue() == spliced(all_of(first, other, third)).getvalue()


tables = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | st.sampled_from(["", "a", "b" * 50]) | st.text(max_size=8),
            "at": st.none() | st.integers(-(10**15), 10**15),
            "tags": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
        }
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: pa.Table.from_pylist(rows, schema=SMALL))
ways = st.fixed_dictionaries(
    {
        "compression": st.sampled_from(["zstd", "snappy", "none"]),
        "data_page_size": st.sampled_from([20, 100, 1 << 20]),
        "data_page_version": st.sampled_from(["1.0", "2.0"]),
        "sorting_columns": st.sampled_from([None, pq.SortingColumn.from_ordering(SMALL, [("at", "descending")])]),
        "use_dictionary": st.sampled_from([True, False, ["id"]]),
        "write_batch_size": st.sampled_from([1, 3]),
        "write_page_checksum": st.booleans(),
        "write_page_index": st.booleans(),
        "write_statistics": st.sampled_from([True, False, ["at"]]),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(tables, min_size=1, max_size=4), st.integers(1, 12), ways)
def test_whatever_the_settings_the_spliced_file_is_that_of_one_writer(
    months: list[pa.Table], size: int, way: dict[str, Any]
):
    files = [encode(month, size, **way) for month in months]
    assert spliced(all_of(*files)).getvalue() == at_once(months, size, **way)


@settings(max_examples=60, deadline=None)
@given(st.lists(tables, min_size=1, max_size=4), st.integers(1, 5), st.lists(ways, min_size=4, max_size=4), st.data())
def test_row_groups_in_any_order_from_files_of_any_settings_hold_their_rows_and_bytes_however_often_spliced(
    months: list[pa.Table], size: int, each: list[dict[str, Any]], draw: st.DataObject
):
    there = all_of(*(encode(month, size, **way) for month, way in zip(months, each, strict=False)))
    chosen = draw.draw(st.lists(st.sampled_from(there), min_size=1, max_size=8))
    once = spliced(chosen)
    assert [data(group) for group in row_groups(once)] == [data(each) for each in chosen]
    rows = [pq.ParquetFile(file := each.chunks[0].file).read_row_group(row_groups(file).index(each)) for each in chosen]
    assert pq.read_table(once).equals(pa.concat_tables(rows))

    kept = all_of(once)
    picks = draw.draw(st.lists(st.integers(0, len(kept) - 1), min_size=1, max_size=8))
    again = spliced([kept[pick] for pick in picks])
    assert again.getvalue() == spliced([chosen[pick] for pick in picks]).getvalue()


# What a file says of itself


def test_every_page_is_where_the_offset_index_says(months: list[pa.Table]):
    small = {**WRITER_SETTINGS, "data_page_size": 500, "write_batch_size": 10}
    year = spliced(all_of(*(encode(month, **small) for month in months)))
    whole = year.getvalue()
    pages = 0
    for group in row_groups(year):
        for chunk in (each.metadata for each in group.chunks):
            for page in load(whole[chunk[4] : chunk[4] + chunk[5]])[1]:
                header = load(whole[page[1] : page[1] + 500])
                assert page[2] == len(dump(header)) + header[3]  # a page: its header, then its compressed bytes
                pages += 1
    assert pages > 2 * 24 * 11


def test_counts_statistics_order_and_page_indexes_are_those_of_the_months(months: list[pa.Table]):
    files = [encode(month, **WRITER_SETTINGS) for month in months]
    year = spliced(all_of(*files))
    metadata = pq.read_metadata(year)
    assert metadata.num_rows == sum(month.num_rows for month in months) == 1000
    assert [group.rows for group in row_groups(year)] == [37, 100, 100, 100, 100, 100, 100, 100, 100, 100, 63]
    before = [
        group for file in map(pq.read_metadata, files) for group in map(file.row_group, range(file.num_row_groups))
    ]
    for number, old in enumerate(before):
        new = metadata.row_group(number)
        assert (new.num_rows, new.total_byte_size) == (old.num_rows, old.total_byte_size)
        assert new.sorting_columns == old.sorting_columns == tuple(WRITER_SETTINGS["sorting_columns"])
        for index in range(metadata.num_columns):
            column, was = new.column(index), old.column(index)
            assert column.statistics == was.statistics
            assert column.is_stats_set == (column.path_in_schema in WRITER_SETTINGS["write_statistics"])
            assert column.has_offset_index
            assert column.has_column_index == was.has_column_index
    assert pq.read_schema(year).equals(NEWS.schema, check_metadata=True)


@pytest.mark.parametrize("indexed", [(False, False), (True, False), (False, True)])
def test_files_without_page_indexes_are_spliced_too(months: list[pa.Table], indexed: tuple[bool, bool]):
    files = [
        encode(month, **{**WRITER_SETTINGS, "write_page_index": index})
        for month, index in zip(months, indexed, strict=False)
    ]
    year = spliced(all_of(*files))
    columns = [pq.read_metadata(year).row_group(number).column(0) for number in range(5)]
    assert [column.has_offset_index for column in columns] == [indexed[0]] + [indexed[1]] * 4
    assert pq.read_table(year).equals(pa.concat_tables(months[:2]))


def test_the_last_file_says_who_wrote_it():
    old = with_footer(encode(shard(["a"])), lambda footer: footer.put({6: b"parquet-cpp-arrow version 21.0.0"}))
    new = encode(shard(["b"]))
    assert pq.read_metadata(spliced(all_of(old, new))).created_by == pq.read_metadata(new).created_by
    assert pq.read_metadata(spliced(all_of(new, old))).created_by == "parquet-cpp-arrow version 21.0.0"


def test_ordinals_of_row_groups_are_those_of_the_new_file():
    file = io.BytesIO()
    pl.DataFrame({"a": range(50)}).write_parquet(file, row_group_size=20)  # Arrow writes none
    there = all_of(file)
    assert [group.metadata[7] for group in there] == [0, 1, 2]
    back = spliced(there[1:] + there[:1])
    assert [group.metadata[7] for group in row_groups(back)] == [0, 1, 2]
    assert pq.read_table(back)["a"].to_pylist() == [*range(20, 50), *range(20)]


def test_the_places_of_columns_that_older_writers_name_move_along():
    def change(footer: Struct) -> Struct:
        groups = [group.put({1: [chunk.put({2: group[5]}) for chunk in group[1]]}) for group in footer[4]]
        return footer.put({4: groups})

    old = with_footer(encode(pa.table({"a": range(20)}), 10), change)
    year = spliced(list(reversed(all_of(old))))
    chunks = [chunk for group in row_groups(year) for chunk in group.chunks]
    assert [chunk.metadata[2] for chunk in chunks] == [chunk.place.start for chunk in chunks]


def test_data_go_through_in_pieces_of_a_megabyte(tmp_path: Path):
    noise = [random.Random(number).randbytes(1 << 20) for number in range(12)]
    file = encode(pa.table({"noise": noise}), compression="none", use_dictionary=False, write_statistics=False)
    path = tmp_path / "a.parquet"
    path.write_bytes(file.getvalue())
    with path.open("rb") as source, (tmp_path / "b.parquet").open("wb") as sink:
        (group,) = row_groups(source)
        tracemalloc.start()
        splice([group], sink)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(group.chunks[0].place) > 12 << 20
    assert peak < 3 << 20  # the piece at hand, the next one, and the footer
    assert (tmp_path / "b.parquet").read_bytes() == file.getvalue()


# Readers


LATER = {"at once": [], "others behind": ["tags", "summary"], "keys behind": ["unique_id", "published_at"]}
"""Columns that came after the file had been written, whose chunks lie behind those of all others."""


@pytest.fixture(params=LATER)
def year(months: list[pa.Table], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a year of real months as a dataset has it, of which some columns came later or none did."""
    path = tmp_path / "data" / "train-2026-00.parquet"
    path.parent.mkdir()
    groups = all_of(*(encode(month, **WRITER_SETTINGS) for month in months))
    if later := LATER[request.param]:
        before = [name for name in NEWS.schema.names if name not in later]
        parts = (spliced(all_of(*(encode(month.select(names)) for month in months))) for names in (before, later))
        groups = join_columns([row_groups(part) for part in parts], encode(NEWS.schema.empty_table()))
    with path.open("wb") as sink:
        splice(groups, sink)
    return tmp_path


def test_every_reader_reads_the_rows_of_all_months(year: Path, months: list[pa.Table]):
    from datasets import load_dataset  # slow, and for this test alone

    expected = pa.concat_tables(months)
    read = {name: reader(year) for name, reader in readers.ON_FILES.items()}
    files = str(year / "data" / "train-*.parquet")
    cache = str(year / "cache")
    read["datasets"] = load_dataset("parquet", data_files=files, split="train", cache_dir=cache).with_format("arrow")[:]
    assert set(read) == {"polars", "pandas", "duckdb", "pyarrow", "datasets"}
    for name, rows in read.items():
        back = rows.replace_schema_metadata(None).cast(NEWS.schema)
        assert back.equals(expected), name
    assert read["pyarrow"].schema.equals(NEWS.schema, check_metadata=True)
    stream = load_dataset("parquet", data_files=files, split="train", cache_dir=cache, streaming=True)
    assert [row["unique_id"] for row in stream] == expected["unique_id"].to_pylist()


FILTERED: Mapping[str, Callable[[Path, datetime, datetime], Any]] = {
    "pyarrow": lambda path, low, high: pq.read_table(
        path, filters=[("published_at", ">=", low), ("published_at", "<", high)]
    ),
    "polars": lambda path, low, high: (
        pl.scan_parquet(path)
        .filter(pl.col("published_at").dt.convert_time_zone("UTC").is_between(low, high, closed="left"))
        .collect()
        .to_arrow()
    ),
    "duckdb": lambda path, low, high: (
        duckdb.connect()
        .sql(f"FROM '{path}' WHERE published_at >= $1 AND published_at < $2", params=[low, high])
        .to_arrow_table()
    ),
}


@pytest.mark.parametrize("name", FILTERED)
@pytest.mark.parametrize(("first", "last"), [(0, 20), (30, 50), (320, 330), (420, 460), (100, 900), (950, 990)])
def test_a_filter_on_time_finds_its_rows(year: Path, months: list[pa.Table], name: str, first: int, last: int):
    rows = pa.concat_tables(months)
    low, high = (rows["published_at"][at].as_py() for at in (first, last))
    times = rows["published_at"]
    expected = rows.filter(pc.and_(pc.greater_equal(times, pa.scalar(low)), pc.less(times, pa.scalar(high))))
    found = FILTERED[name](year / "data" / "train-2026-00.parquet", low, high)
    assert 0 < expected.num_rows < 1000
    assert sorted(found["unique_id"].to_pylist()) == sorted(expected["unique_id"].to_pylist())


# Refusals


def test_no_row_groups_are_no_file():
    sink = io.BytesIO()
    with pytest.raises(ContractError, match="no row groups"):
        splice([], sink)
    assert sink.getvalue() == b""


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (pa.table({"a": pa.array([1], pa.int32())}), "schema"),
        (pa.table({"b": pa.array([1], pa.int64())}), "schema"),
        (pa.table({"a": [1], "b": [1]}), "schema"),
        (pa.table({"a": [1]}).replace_schema_metadata({"pandas": "{}"}), "key-value metadata"),
    ],
)
def test_files_of_another_schema_or_metadata_are_refused_before_anything_is_written(other: pa.Table, word: str):
    one, sink = encode(pa.table({"a": [1]})), io.BytesIO()
    for files in ((one, one, encode(other)), (encode(other), one)):
        with pytest.raises(ContractError, match=f"Row group 0 has another Parquet {word} than the last one"):
            splice(all_of(*files), sink)
    assert sink.getvalue() == b""


def test_files_whose_statistics_are_of_another_order_are_refused():
    file = encode(shard(["a"]))
    other = with_footer(file, lambda footer: Struct({at: each for at, each in footer.fields.items() if at != 7}))
    with pytest.raises(ContractError, match="another Parquet order of values than the last one"):
        splice(all_of(file, other), io.BytesIO())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1\0\0\0\0PAR1",
        b"PAR1\0\1\0\0\0PAR1",  # a footer without a field
        b"PAR1\0\xff\0\0\0PAR1",  # a footer longer than the file
        b"id,title\n1,a title\n" * 9,
    ],
)
def test_what_is_no_parquet_is_refused(content: bytes):
    with pytest.raises(ContractError):
        row_groups(io.BytesIO(content))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(CUT) - 1))
def test_a_file_cut_anywhere_is_refused(length: int):
    with pytest.raises(ContractError):
        row_groups(io.BytesIO(CUT[:length]))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.integers(1, 3000).map(lambda depth: b"\x1c" * depth))
def test_bytes_that_come_from_anywhere_are_a_struct_or_refused(content: bytes):
    try:
        assert isinstance(load(content), Struct)
    except ContractError:
        assert content != b"\0"  # the struct without fields


def test_a_file_that_lost_bytes_since_is_refused(months: list[pa.Table]):
    file = encode(months[0])
    groups = row_groups(file)
    file.truncate(groups[0].chunks[0].place.start + 10)
    with pytest.raises(ContractError, match="ends"):
        splice(groups, io.BytesIO())


def test_bloom_filters_are_refused():
    file = encode(pa.table({"a": ["x", "y"]}), bloom_filter_options={"a": {"ndv": 10}})
    with pytest.raises(ContractError, match="Row group 0 cannot be copied, for it has Bloom filters"):
        row_groups(file)


def test_columns_in_another_file_are_refused(tmp_path: Path):
    metadata = pq.read_metadata(encode(pa.table({"a": [1]})))
    metadata.set_file_path("part-0.parquet")
    metadata.write_metadata_file(tmp_path / "_metadata")
    with pytest.raises(ContractError, match="in another file"):
        row_groups(io.BytesIO((tmp_path / "_metadata").read_bytes()))


def test_row_groups_without_rows_are_refused():
    with pytest.raises(ContractError, match="no rows"):
        row_groups(encode(NEWS.schema.empty_table()))


@pytest.mark.parametrize("columns", [["a", "b"], ["a"]])
@pytest.mark.parametrize(("number", "by"), [(7, 1 << 40), (9, 1 << 40), (9, -4), (9, -100)])
def test_column_chunks_that_are_not_side_by_side_in_the_file_are_refused(columns: list[str], number: int, by: int):
    def change(footer: Struct) -> Struct:
        group = footer[4][0]
        first, *others = group[1]
        return footer.put({4: [group.put({1: [first.put({3: first[3].add([number], by)}), *others]})]})

    file = encode(pa.table({"a": [1, 2], "b": [3, 4]}).select(columns), use_dictionary=False)
    with pytest.raises(ContractError, match="side by side"):
        row_groups(with_footer(file, change))


class InTheClear(pe.KmsClient):
    """Keys as they are: a key service for files that nobody else reads."""

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        return key_bytes.hex().encode()

    def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
        return bytes.fromhex(wrapped_key)


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_encrypted_files_are_refused(plaintext_footer: bool):
    how = pe.EncryptionConfiguration(footer_key="k", column_keys={"k": ["a"]}, plaintext_footer=plaintext_footer)
    factory = pe.CryptoFactory(lambda _: InTheClear())
    keys = factory.file_encryption_properties(pe.KmsConnectionConfig(), how)
    with pytest.raises(ContractError):
        row_groups(encode(pa.table({"a": [1], "b": [2]}), encryption_properties=keys))
