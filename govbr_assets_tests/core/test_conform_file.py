"""Files of any origin: under whatever disguise rows come, they come back the same, or are refused by name."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.conform_file import conform_file
from govbr_assets.core.contract import EARLIEST, LATEST
from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS
from govbr_assets_tests.conftest import SAMPLE
from govbr_assets_tests.tables import shard

SOURCE = "data/train-00000-of-00003.parquet"
TIMES = ["published_at", "updated_datetime", "extracted_at"]
TEXTS = [name for name in NEWS.schema.names if name not in (*TIMES, "tags")]
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
ZONES = [None, "UTC", "-03:00", "America/Sao_Paulo", "Asia/Kolkata"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

texts = st.none() | st.text(max_size=5)
whole_seconds = st.integers(EARLIEST // 10**6, LATEST // 10**6)
# Some to the second, so that any unit will do, some at the edges.
instants = {
    "us": st.none() | whole_seconds.map(lambda at: at * 10**6) | st.integers(EARLIEST, LATEST) | st.just(LATEST),
    "ns": st.none()
    | st.integers(-(2**33), 2**33).map(lambda at: at * 10**9)
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([-(2**63), 2**63 - 1]),
}


def value(field: pa.Field) -> st.SearchStrategy[object]:
    """Say what a column of the contract can hold."""
    if pa.types.is_timestamp(field.type):
        return instants[field.type.unit]
    if field.name == "tags":
        return st.none() | st.lists(texts, max_size=3)
    return st.text(max_size=5) if field.name == "unique_id" else texts


@st.composite
def tables(draw: st.DrawFn, min_size: int = 0) -> pa.Table:
    """Draw rows of the contract; now and then a column has no value at all."""
    size = draw(st.integers(min_size, 4))
    empty = set(draw(st.lists(st.sampled_from(NEWS.schema.names[1:]), max_size=6)))
    values = [st.none() if field.name in empty else value(field) for field in NEWS.schema]
    columns = [draw(st.lists(each, min_size=size, max_size=size)) for each in values]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, NEWS.schema, strict=True)]
    return pa.table(arrays, schema=NEWS.schema)


def written(draw: st.DrawFn, ticks: int, unit: str) -> str:
    """Write a time in one of the ways of ISO 8601 that say the same."""
    second, rest = divmod(ticks, PER_SECOND[unit])
    at, offset = EPOCH + timedelta(seconds=second), draw(st.sampled_from(["", "Z", "+00", "-03:00", "-0300", "+05:30"]))
    if offset[3:]:
        hours, minutes = int(offset[:3]), int(offset[-2:]) if offset.endswith("30") else 0
        try:
            at = at.astimezone(timezone(timedelta(hours=hours, minutes=minutes)))
        except OverflowError:  # the edge of the calendar
            offset = "Z"
    digits = f"{rest:0{len(str(PER_SECOND[unit])) - 1}}"
    fraction = draw(st.sampled_from([digits, digits.rstrip("0")]))
    wall = at.replace(tzinfo=None).isoformat(draw(st.sampled_from(" T")))
    return f"{wall}.{fraction}{offset}" if fraction else f"{wall}{offset}"


def disguised_times(draw: st.DrawFn, column: pa.ChunkedArray) -> pa.Array:
    """Give times another type that says the same."""
    ticks, unit = column.cast(pa.int64()).to_pylist(), column.type.unit
    kinds = [
        pa.timestamp(other, zone)
        for other, count in PER_SECOND.items()
        for zone in ZONES
        if all(
            at is None or (at * count % PER_SECOND[unit] == 0 and abs(at * count // PER_SECOND[unit]) < 2**63)
            for at in ticks
        )
    ]
    kind = draw(st.sampled_from([*kinds, pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]))
    if pa.types.is_timestamp(kind):
        return pa.array([at and at * PER_SECOND[kind.unit] // PER_SECOND[unit] for at in ticks], kind)
    return pa.array([None if at is None else written(draw, at, unit) for at in ticks], kind)


def disguised(draw: st.DrawFn, column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Give a column another type that loses nothing."""
    if column.null_count == len(column) and draw(st.booleans()):
        return pa.nulls(len(column))
    if pa.types.is_timestamp(column.type):
        return disguised_times(draw, column)
    layout = draw(st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]))
    if pa.types.is_list(column.type):
        item = pa.field(draw(st.sampled_from(["item", "element", "x"])), layout)
        return column.cast(draw(st.sampled_from([pa.list_, pa.large_list]))(item))
    if pa.types.is_string_view(layout) or draw(st.booleans()):
        return column.cast(layout)
    values = column.combine_chunks().dictionary_encode()
    indices = values.indices.cast(draw(st.sampled_from([pa.int8(), pa.int32()])))
    return pa.DictionaryArray.from_arrays(indices, values.dictionary.cast(layout))


@st.composite
def files(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    """Draw rows of the contract, and beside them the same rows as somebody else has them."""
    rows = draw(tables())
    columns = {name: disguised(draw, rows[name]) for name in NEWS.schema.names}
    columns |= {"an extra": pa.nulls(rows.num_rows), "another": pa.nulls(rows.num_rows, pa.float64())}
    columns |= {"__index_level_0__": pa.array(range(rows.num_rows))}
    names, cut = draw(st.permutations(sorted(columns))), draw(st.integers(0, rows.num_rows))
    table = pa.table({name: columns[name] for name in names}, metadata={"pandas": "{}"})
    return rows, pa.concat_tables([table.slice(0, cut), table.slice(cut)])


@given(files())
def test_rows_come_back_from_under_any_disguise(file: tuple[pa.Table, pa.Table]):
    rows, disguise = file
    cast = conform_file(disguise, SOURCE, NEWS.schema)
    assert cast.schema.equals(NEWS.schema, check_metadata=True)
    assert cast["tags"].type.value_field.name == "element"
    assert cast.equals(rows)
    cast.validate(full=True)


def with_texts(rows: pa.Table) -> pa.Table:
    """Write the times as texts, each as Python says it."""
    for name in TIMES:
        told = [at and str(at) for at in rows[name].cast(pa.timestamp("us", "UTC")).to_pylist()]
        rows = replaced(rows, name, pa.array(told, pa.string()))
    return rows


def replaced(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    """Put another column in place of one."""
    return rows.set_column(rows.column_names.index(name), name, column)


WRITERS: dict[str, Callable[[pa.Table, Path], object]] = {
    "pandas, with its index": lambda rows, path: rows.to_pandas().iloc[[2, 0, 1]].to_parquet(path),
    "polars": lambda rows, path: pl.DataFrame(rows).write_parquet(path),
    "duckdb": lambda rows, path: duckdb.from_arrow(rows).write_parquet(str(path)),
    "times as texts": lambda rows, path: pq.write_table(with_texts(rows), path),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_what_others_write_comes_back(write: Callable[[pa.Table, Path], object], tmp_path: Path):
    rows = shard(["a", "b", "c"])
    rows = replaced(rows, "published_at", pa.array([None, 1, -1], NEWS.schema.field("published_at").type))
    rows = replaced(rows, "extracted_at", pa.array([1_000, None, 2_000], pa.timestamp("ns")))
    write(rows, tmp_path / "rows.parquet")
    assert conform_file(pq.read_table(tmp_path / "rows.parquet"), SOURCE, NEWS.schema).sort_by("unique_id") == rows


@pytest.mark.skipif(not SAMPLE.exists(), reason="the real rows are not beside this checkout")
def test_real_rows_come_back_once_their_extra_column_is_gone():
    rows, schema = pq.read_table(SAMPLE), NEWS.at(1).schema
    with pytest.raises(ContractError, match=r"Column content_length .* take it out"):
        conform_file(rows, SOURCE, schema)
    expected = rows.select(schema.names).replace_schema_metadata(None).cast(schema)
    assert conform_file(rows.drop_columns(["content_length"]), SOURCE, schema).equals(expected)


def test_lists_in_which_no_text_stands_stay_what_they_are():
    tags = [[], [None, None], None]
    rows = replaced(shard(["a", "b", "c"]), "tags", pa.array(tags, pa.list_(pa.null())))
    assert conform_file(rows, SOURCE, NEWS.schema)["tags"].to_pylist() == tags


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-08-01 10:00:00", datetime(2025, 8, 1, 10, tzinfo=UTC)),
        ("2025-08-01T10:00:00Z", datetime(2025, 8, 1, 10, tzinfo=UTC)),
        ("2025-08-01T10:00:00.123456-03:00", datetime(2025, 8, 1, 13, 0, 0, 123456, tzinfo=UTC)),
        ("2025-08-01 10:00:00.5+0530", datetime(2025, 8, 1, 4, 30, 0, 500000, tzinfo=UTC)),
        ("2025-08-01 10:00:00.123456000-03", datetime(2025, 8, 1, 13, 0, 0, 123456, tzinfo=UTC)),
        ("1969-12-31 23:59:59.9", datetime(1969, 12, 31, 23, 59, 59, 900000, tzinfo=UTC)),
    ],
)
def test_a_time_as_text_is_the_instant_that_it_names(text: str, instant: datetime):
    rows = shard(["a", "b"])
    for name in TIMES:
        rows = replaced(rows, name, pa.array([text, None]))
    cast = conform_file(rows, SOURCE, NEWS.schema)
    assert cast["published_at"].to_pylist() == cast["updated_datetime"].to_pylist() == [instant, None]
    assert cast["extracted_at"].cast(pa.timestamp("us", "UTC")).to_pylist() == [instant, None]


def one(column: object, kind: pa.DataType | None = None) -> pa.Array:
    """Make the column of two rows of which the second does not fit."""
    return pa.array([None, column], kind)


BROKEN = pa.Array.from_buffers(pa.string(), 2, [None, *pa.array([b"a", b"\xff"]).buffers()[1:]])
NO_TIMES = [
    "", " ", "yesterday", "2025-08-01", "2025-08-01 10:00", "20250801T100000", "2025-W31-5 10:00:00", "1754042400",
    "2025-02-30 10:00:00", "2025-08-01 24:00:01", "2025-08-01 10:00:60", "2025-08-01 10:00:00+24:00",
    "2025-08-01 10:00:00.", "2025-08-01 10:00:00,5", "2025-08-01 10:00:00 ", "2025-08-01 10:00:00\n",
    "2025-08-01  10:00:00", "01/08/2025 10:00:00", "٢٠٢٥-08-01 10:00:00", "2025-08-01 10:00:00 UTC",
    "2025-08-01 10:00:00.1234567890", "2025-08-01 10:00:00.٣", "0000-01-01 00:00:00",
]  # fmt: skip
REFUSED = [
    *((name, one(text), r"of the row with unique_id 'b' .*\('") for name in TIMES for text in NO_TIMES),
    *((name, one(date(2025, 8, 1)), "'b' .*date32.*2025, 8, 1") for name in TIMES),
    *((name, one(1_754_042_400), "'b' .*int64.*1754042400") for name in (*TIMES, *TEXTS[1:], "tags")),
    *((name, one(5.5), "'b' .*double.*5.5") for name in (*TIMES, "title", "tags")),
    *((name, one(1_001, pa.timestamp("ns")), "'b' .*finer.*00.000001001 UTC") for name in TIMES[:2]),
    *((name, one("2025-08-01 10:00:00.1234567"), "'b' .*finer.*1234567'") for name in TIMES[:2]),
    *((name, one(LATEST + 1, pa.timestamp("us", "UTC")), "'b' .*outside.*10000-01-01") for name in TIMES),
    *((name, one(EARLIEST - 1, pa.timestamp("us")), "'b' .*outside.*0000-12-31") for name in TIMES),
    *((name, one(2**62, pa.timestamp("s", "UTC")), f"'b' .*outside.*{2**62}") for name in TIMES),
    *((name, one("9999-12-31 23:59:59-00:01"), "'b' .*outside.*9999-12-31") for name in TIMES),
    ("extracted_at", one("2262-04-11 23:47:16.854775808"), "'b' .*outside.*854775808'"),
    ("extracted_at", one("1677-09-21 00:12:43.145224191"), "'b' .*outside.*145224191'"),
    ("extracted_at", one(2**63 // 1_000 + 1, pa.timestamp("us")), "'b' .*outside.*2262-04-11"),
    ("published_at", one(1, pa.timestamp("us", "Nowhere/Land")).dictionary_encode(), "dictionary"),
    ("title", one(b"x"), "'b' .*binary.*b'x'"),
    ("title", one(True), "'b' .*bool.*True"),
    ("title", one(1, pa.timestamp("us")), "'b' .*timestamp.*1970-01-01"),
    ("title", one(7).dictionary_encode(), "'b' .*dictionary.*7"),
    ("title", one(["x"]), "'b' .*list.*x"),
    ("title", BROKEN, "cannot be read as string .*UTF8"),
    ("title", one("x" * 99, pa.binary()), "xxx\\.\\.\\."),
    ("published_at", BROKEN, "cannot be read as string .*UTF8"),
    ("tags", pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), BROKEN), "cannot be read as list.*UTF8"),
    ("tags", one("x"), "'b' .*string.*'x'"),
    ("tags", one([1]), "'b' .*list<item: int64>.*1"),
    ("tags", one([["x"]]), "'b' .*list<item: list.*x"),
    ("tags", one(["x"], pa.list_(pa.string(), 1)), "'b' .*fixed_size_list.*x"),
    ("unique_id", one("b"), "is null"),
    ("unique_id", pa.nulls(2), "is null"),
    ("unique_id", pa.DictionaryArray.from_arrays([0, 1], pa.array(["a", None])), "is null"),
    ("unique_id", one(5), "int64.*5"),
    ("unique_id", BROKEN, "cannot be read as string .*UTF8"),
]


@pytest.mark.parametrize(("name", "column", "named"), REFUSED)
def test_what_would_lose_something_is_refused_by_file_column_row_and_value(name: str, column: pa.Array, named: str):
    rows = replaced(shard(["a", "b"]).slice(0, len(column)), name, column)
    with pytest.raises(ContractError, match=rf"^Column {name} .*in {SOURCE} .*[^.]\.$") as refused:
        conform_file(rows, SOURCE, NEWS.schema)
    refused.match(named)


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.binary(), pa.date32(), pa.list_(pa.int8())], ids=str)
def test_a_column_without_a_value_may_have_any_type(kind: pa.DataType):
    rows = shard(["a", "b"])
    for name in ("video_url", "updated_datetime", "tags"):
        empty = replaced(rows, name, pa.nulls(2, kind))
        assert conform_file(empty, SOURCE, NEWS.schema).equals(
            conform_file(replaced(rows, name, pa.nulls(2)), SOURCE, NEWS.schema)
        )


@pytest.mark.parametrize("name", NEWS.schema.names)
def test_a_column_that_is_missing_or_stands_twice_is_refused_by_name(name: str):
    rows = shard(["a"])
    said = f"{SOURCE} has no column unique_id" if name == "unique_id" else f"Column {name} is missing in {SOURCE}"
    with pytest.raises(ContractError, match=said):
        conform_file(rows.drop_columns([name]), SOURCE, NEWS.schema)
    with pytest.raises(ContractError, match=f"Column {name} stands 2 times in {SOURCE}"):
        conform_file(rows.append_column(name, rows[name]), SOURCE, NEWS.schema)


def test_all_columns_that_are_missing_or_stand_twice_are_named_at_once():
    rows = shard(["a"]).drop_columns(["title", "tags"])
    with pytest.raises(ContractError, match=r"agency \(2 times\), title \(missing\), tags \(missing\)"):
        conform_file(rows.append_column("agency", rows["agency"]), SOURCE, NEWS.schema)


@pytest.mark.parametrize("extra", [one(7), one("x"), one({"a": 1}), one(1, pa.timestamp("ns", "Nowhere/Land"))])
def test_an_extra_column_is_refused_by_the_first_row_that_has_a_value_there(extra: pa.Array):
    rows = shard(["a", "b"]).append_column("extra", pa.nulls(2)).append_column("extra", extra)
    with pytest.raises(ContractError, match=f"Column extra of the row with unique_id 'b' in {SOURCE} "):
        conform_file(rows, SOURCE, NEWS.schema)


def injuries(field: pa.Field, size: int) -> st.SearchStrategy[pa.Array]:
    """Draw a column that the contract cannot hold."""
    numbers = st.just(pa.array([7] * size))
    if field.name == "unique_id":
        return numbers | st.just(pa.nulls(size, pa.string()))
    if field.name in TIMES:
        no_times = st.text(max_size=20).filter(lambda text: not text[:4].isdigit())
        beyond = st.integers(LATEST // 10**6 + 1, 2**63 - 1) | st.integers(-(2**63), EARLIEST // 10**6 - 1)
        broken = [no_times.map(lambda text: [text]), beyond.map(lambda at: pa.array([at], pa.timestamp("s", "UTC")))]
        if field.type.unit == "us":
            finer = st.integers(-(2**63), 2**63 - 1).filter(lambda at: at % 1_000)
            broken.append(finer.map(lambda at: pa.array([at], pa.timestamp("ns"))))
        return numbers | st.one_of(broken).map(lambda column: pa.array(column).take(pa.array([0] * size)))
    return numbers


@given(tables(min_size=1), st.data())
def test_whatever_is_injured_is_refused_by_file_column_and_row(rows: pa.Table, data: st.DataObject):
    name = data.draw(st.sampled_from(NEWS.schema.names))
    column = data.draw(injuries(NEWS.schema.field(name), rows.num_rows))
    row = "" if name == "unique_id" else f" of the row with unique_id {rows['unique_id'][0].as_py()!r}"
    with pytest.raises(ContractError) as refused:
        conform_file(replaced(rows, name, column), SOURCE, NEWS.schema)
    assert str(refused.value).startswith(f"Column {name}{row} in {SOURCE} ")


NUMBERS = pa.schema([("unique_id", pa.string()), ("words", pa.int64()), ("score", pa.float64())])


def numbers(name: str, values: pa.Array) -> list[object]:
    """Give a number another type, and read it as the contract's."""
    columns = {"unique_id": pa.array([f"id {row}" for row in range(len(values))])}
    columns |= {each: pa.nulls(len(values)) for each in NUMBERS.names[1:]} | {name: values}
    return conform_file(pa.table(columns), SOURCE, NUMBERS)[name].to_pylist()


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.large_string()], ids=str)
def test_whole_numbers_are_the_same_to_the_last_digit(kind: pa.DataType):
    values = [2**53 + 1, -(2**63), None, 2**63 - 1]
    assert numbers("words", pa.array(values, pa.int64()).cast(kind)) == values


def test_numbers_with_a_fraction_are_the_same_to_the_last_bit():
    texts = ["-0.0", "inf", "nan", "1e-300", "0.1", str(2**53), "0e999", "1" + "0" * 22, None]
    found = numbers("score", pa.array(texts))
    assert str(found) == str([None if each is None else float(each) for each in texts])
    assert str(numbers("score", pa.array([-0.0, 0.5, None], pa.float32()))) == "[-0.0, 0.5, None]"


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("score", ["0.5", "1e400"], "is another number as double ('1e400')"),
        ("score", ["0.5", "1e-400"], "is another number as double ('1e-400')"),
        ("score", ["0.5", str(2**53 + 1)], f"is another number as double ('{2**53 + 1}')"),
        ("score", ["0.5", "half"], "cannot be read as double ('half')"),
        ("score", pa.array([1, 2**53 + 1]), f"cannot be read as double ({2**53 + 1})"),
        ("words", ["1", "2.0"], "cannot be read as int64 ('2.0')"),
        ("words", pa.array([1, 2**63], pa.uint64()), f"cannot be read as int64 ({2**63})"),
    ],
)
def test_a_number_that_would_be_another_one_is_refused_by_name(name: str, values: pa.Array, words: str):
    with pytest.raises(ContractError) as raised:
        numbers(name, pa.array(values))
    row = f"Column {name} of the row with unique_id 'id 1' in {SOURCE}"
    assert str(raised.value) == f"{row} {words}: correct it in the file."
