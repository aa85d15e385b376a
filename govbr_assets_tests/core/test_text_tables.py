"""Rows of CSV and JSON files, against what readers make of the same bytes: pandas, and the library `datasets`."""

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.formats import CSV, JSON
from govbr_assets.core.text_tables import text_tables
from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS

NAMES = ["unique_id", "title", "content"]
cells = st.none() | st.sampled_from(
    ["NA", "null", "None", "nan", "", "07", "1.50", "true", " x ", 'a "b"', "l\nm", "é;,"]
)
cells |= st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


def read(content: bytes, kind: object = CSV, **more: str) -> pa.Table:
    return pa.concat_tables(text_tables(io.BytesIO(content), kind, more, "x", NEWS.schema))  # pyright: ignore[reportArgumentType]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(["i", "j"]), cells, cells), min_size=1, max_size=5),
    sep=st.sampled_from(",;\t|"),
)
def test_csv_is_read_as_pandas_reads_it_but_for_guesses_of_types(
    rows: list[tuple[str, str | None, str | None]], sep: str
):
    content = pd.DataFrame(rows, columns=NAMES).to_csv(index=False, sep=sep).encode()
    wanted = pd.read_csv(io.BytesIO(content), sep=sep, dtype=str)
    expected = pa.Table.from_pandas(wanted.astype(object).where(wanted.notna(), None), preserve_index=False)
    assert read(content, sep=sep).to_pylist() == expected.to_pylist()


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(cells, cells, st.none() | st.lists(cells, max_size=3)), min_size=1, max_size=5),
    form=st.sampled_from(["lines", "array", "indented"]),
)
def test_json_is_read_as_it_was_written_in_lines_or_as_one_array(rows: list[tuple[object, ...]], form: str):
    objects = [dict(zip(("title", "content", "tags"), row, strict=True)) for row in rows]
    whole = [dict.fromkeys(NEWS.schema.names) | each for each in objects]
    if form == "lines":
        content = "\n".join(map(json.dumps, whole))
    else:
        content = json.dumps(whole, indent=2 if form == "indented" else None, ensure_ascii=False)
    assert read(content.encode(), JSON).select(["title", "content", "tags"]).to_pylist() == objects


@pytest.mark.parametrize(
    "encode_days", [gzip.compress, bz2.compress, lzma.compress, lambda each: pa.compress(each, "zstd")]
)
def test_packed_files_are_known_by_their_first_bytes(encode_days: Callable[[bytes], bytes]):
    content = b"unique_id,title\na,x\n"
    assert (
        read(bytes(encode_days(content))).to_pylist() == read(content).to_pylist() == [{"unique_id": "a", "title": "x"}]
    )


@pytest.mark.parametrize(
    "encode_days", [gzip.compress, bz2.compress, lzma.compress, lambda each: pa.compress(each, "zstd")]
)
def test_half_a_packed_file_is_no_table(encode_days: Callable[[bytes], bytes]):
    content = bytes(encode_days(b"unique_id,title\n" + b"".join(b"id%d,%d\n" % (each, each**5) for each in range(999))))
    with pytest.raises(ContractError, match="x on the Hub cannot be read"):
        read(content[: len(content) // 2])


def test_what_pandas_adds_as_an_index_is_none_of_the_columns():
    assert read(pd.DataFrame({"unique_id": ["a"]}).to_csv().encode()).column_names == ["__index_level_0__", "unique_id"]


@pytest.mark.parametrize("setting", ["header", "encoding", "skiprows"])
def test_a_way_of_reading_that_is_not_known_here_is_refused_by_its_name(setting: str):
    with pytest.raises(ContractError, match=f"`{setting}`"):
        read(b"unique_id\na\n", **{setting: "x"})
