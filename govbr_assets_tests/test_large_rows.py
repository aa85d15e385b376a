"""Rows of megabytes: row groups end by bytes, much is staged on the disk, and what is too large is left out by name."""

import io
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core import layout
from govbr_assets.core.layout import ROW_BYTES
from govbr_assets.dataset import parquet
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.errors import NoRoomError
from govbr_assets.io.sizes import in_pieces, row_sizes
from govbr_assets.io.staged import Rows, joined, ordered, table_of
from govbr_assets.io.staging import collected, parquet_rows
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.scenes import verdict
from govbr_assets_tests.tables import DAY, WRITER_SETTINGS, encode, news, shard

ROOT = Path(__file__).parents[1]


def put(rows: pa.Table, name: str, values: Sequence[str | None]) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), pa.array(values, pa.string()))


def groups_of(content: bytes) -> list[int]:
    metadata = pq.read_metadata(io.BytesIO(content))
    return [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]


sizes = st.lists(st.integers(0, 40), max_size=30)
cuts = st.lists(st.integers(0, 30), max_size=4)


def cut_at(rows: pa.Table, at: list[int]) -> Iterator[pa.Table]:
    bounds = sorted({0, rows.num_rows, *(each for each in at if each < rows.num_rows)})
    return (rows.slice(start, end - start) for start, end in pairwise(bounds))


@given(sizes, cuts, st.integers(1, 8), st.integers(1, 60))
def test_pieces_are_full_and_cut_by_the_rows_alone(lengths: list[int], at: list[int], rows: int, size: int):
    table = pa.table({"text": pa.array(["x" * length for length in lengths], pa.string())})
    found = list(in_pieces(cut_at(table, at), rows, size))
    assert pa.concat_tables([table.schema.empty_table(), *found]).equals(table)
    lengths_of = [[len(each) for each in piece["text"].to_pylist()] for piece in found]
    assert all(piece and len(piece) <= rows and (sum(piece) <= size or len(piece) == 1) for piece in lengths_of)
    for piece, after in pairwise(lengths_of):
        assert len(piece) == rows or sum(piece) + after[0] > size


def test_the_size_of_a_row_is_that_of_its_texts_also_in_lists_and_in_slices():
    rows = put(shard(["a", "b", "c"]), "content", ["é" * 10, None, "x" * 5])
    lists = pa.array([["é", None, "ab"], None, []], NEWS.schema.field("tags").type)
    rows = rows.set_column(rows.schema.get_field_index("tags"), rows.schema.field("tags"), lists)
    told = row_sizes(rows)
    assert [size.as_py() for size in row_sizes(rows.slice(1))] == [size.as_py() for size in told[1:]]
    plain = row_sizes(put(rows, "content", [None, None, None]))
    assert [a.as_py() - b.as_py() for a, b in zip(told, plain, strict=True)] == [20, 0, 5]
    assert row_sizes(rows.select(["tags"])).to_pylist() == [4, 0, 0]


@pytest.mark.parametrize("column", ["content", "summary", "title", "tags"])
def test_row_groups_end_by_bytes_whatever_column_has_them(monkeypatch: pytest.MonkeyPatch, column: str):
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 30_000)
    rows = shard([f"{number:03}" for number in range(50)])
    long = ["x" * 10_000 if number % 10 == 5 else "short" for number in range(50)]
    if column == "tags":
        lists = pa.array([[each] for each in long], NEWS.schema.field("tags").type)
        rows = rows.set_column(rows.schema.get_field_index("tags"), rows.schema.field("tags"), lists)
    else:
        rows = put(rows, column, long)
    whole, sink = encode(rows), io.BytesIO()
    encode_to(sink, [rows.slice(0, 7), rows.slice(7, 20), rows.slice(27)], NEWS)
    assert whole == sink.getvalue()
    assert len(groups_of(whole)) == 3  # two long rows each, and the rest


def test_ordinary_rows_have_row_groups_of_ten_thousand_as_ever():
    rows = shard([f"{number:05}" for number in range(20_001)])
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, NEWS.schema, **WRITER_SETTINGS) as writer:
        writer.write_table(rows.combine_chunks(), layout.ROW_GROUP_ROWS)
    assert encode(rows) == sink.getvalue()
    assert groups_of(sink.getvalue()) == [10_000, 10_000, 1]


def stage_in_memory(rows: pa.Table) -> Rows:
    return collected([rows.slice(0, 3), rows.slice(3)], rows.schema)


def stage_as_parquet(rows: pa.Table) -> Rows:
    sink = io.BytesIO()
    pq.write_table(rows, sink, row_group_size=4)
    return parquet_rows(pq.ParquetFile(sink))


@pytest.mark.parametrize("stage", [stage_in_memory, stage_as_parquet])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_staged_rows_are_as_a_table_is(stage: Callable[[pa.Table], Rows], data: st.DataObject):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("govbr_assets.io.staging"), "STAGED_BYTES", 1)
        patch.setattr(import_module("govbr_assets.io.staged"), "PIECE_BYTES", 400)
        patch.setattr(import_module("govbr_assets.io.staged"), "WINDOW_BYTES", data.draw(st.integers(1, 2_000)))
        table = news([f"{number:02}" for number in data.draw(st.permutations(range(12)))])
        rows = stage(table)
        assert not isinstance(rows, pa.Table)
        indices = pa.array(data.draw(st.lists(st.integers(0, 11), max_size=15)), pa.int64())
        mask = pa.array(data.draw(st.lists(st.booleans() | st.none(), min_size=12, max_size=12)), pa.bool_())
        names = ["title", "unique_id"]
        assert table_of(rows).equals(table)
        assert table_of(rows.take(indices)).equals(table.take(indices))
        assert rows.take(indices)["tags"].equals(table.take(indices)["tags"])
        assert table_of(rows.filter(mask).select(names)).equals(table.filter(mask).select(names))
        assert table_of(rows.slice(3, 4)).equals(table.slice(3, 4))
        by = [("unique_id", "ascending")]
        assert table_of(ordered(rows, by)).equals(table.sort_by(by))
        both = joined(table.slice(0, 5), rows.take(indices))
        assert table_of(both).equals(pa.concat_tables([table.slice(0, 5), table.take(indices)]))


def test_a_disk_without_room_for_staged_rows_is_told_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("govbr_assets.io.staging.STAGED_BYTES", 1)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = put(shard(["a", "b"]), "content", ["x" * 100_000, "y" * 100_000])
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        with pytest.raises(NoRoomError, match="TMPDIR"):
            collected([rows], rows.schema)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every day be staged, and every row group and every piece hold few rows."""
    for module in ("govbr_assets.io.staging", "govbr_assets.dataset.row_reader"):
        monkeypatch.setattr(import_module(module), "STAGED_BYTES", 1)
    monkeypatch.setattr(import_module("govbr_assets.io.staged"), "PIECE_BYTES", 300)
    monkeypatch.setattr(import_module("govbr_assets.io.staged"), "WINDOW_BYTES", 600)
    monkeypatch.setattr(import_module("govbr_assets.operations.rewrite"), "MONTH_BYTES", 1)


def published(graph: Graph, path: str) -> pa.Table:
    return graph.hub.reader.rows(graph.head.files[path])


@pytest.mark.usefixtures("everything_is_large")
def test_a_day_of_large_rows_is_published_changed_and_compacted_as_any_other(graph: Graph):
    day, path, year = "2026-01-15", NEWS.layout.day_path(DAY), NEWS.layout.compacted_path(2026)
    graph.insert("c", "a", "b", "e", "d", day=day)
    assert graph.run(day).success
    wanted = table_of(NewsTable(graph.postgres_url, NEWS).day(DAY)).select(NEWS.schema.names)
    assert graph.head.files[path].holds(encode(wanted))
    revision = graph.head.revision
    assert graph.run(day).success
    assert graph.head.revision == revision

    graph.execute("UPDATE news SET content = 'new' WHERE unique_id = 'b'", "DELETE FROM news WHERE unique_id = 'e'")
    graph.insert("f", day=day)
    told = graph.metadata(graph.run(day))[day]
    assert (told["new_rows"], told["changed_columns"], told["removed"]) == (1, "content (1)", 1)
    assert sorted(graph.ids()[path]) == ["a", "b", "c", "d", "f"]

    assert graph.compact().success
    assert list(graph.ids()) == [year]
    graph.execute("UPDATE news SET title = 'newer' WHERE unique_id = 'a'", "DELETE FROM news WHERE unique_id = 'd'")
    told = graph.metadata(graph.run(day))[day]
    assert (told["changed_columns"], told["removed"]) == ("title (1)", 1)
    wanted = table_of(NewsTable(graph.postgres_url, NEWS).day(DAY)).select(NEWS.schema.names)
    assert published(graph, year).equals(wanted)
    assert graph.reconcile(deep=True).success
    told = graph.metadata(graph.reconcile(deep=True), "hub_reconciliation")[""]
    assert (told["differing_days"], told["changed"]) == (0, 0)


TOO_LARGE = {
    "one column": f"content = repeat('x', {ROW_BYTES + 1})",
    "several columns together": f"content = repeat('x', {ROW_BYTES // 2}), summary = repeat('y', {ROW_BYTES // 2})",
    "few characters of many bytes": f"content = repeat('🇧🇷', {ROW_BYTES // 8 + 1})",
    "a column that is short as a rule": f"subtitle = repeat('z', {ROW_BYTES + 1})",
}


@pytest.mark.parametrize("change", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_row_over_the_bound_is_left_out_by_name_and_the_others_go_out(graph: Graph, change: str):
    graph.insert("a", "large", "b")
    graph.execute(f"UPDATE news SET {change} WHERE unique_id = 'large'")
    ends, reason = verdict(graph.run("2026-01-15", checks=False))
    assert ends
    column = change.partition(" = ")[0]
    assert re.search(rf"unique_id 'large'\) has [\d.]+ MB, of which column {column} has [\d.]+ MB", reason)
    assert graph.ids()[NEWS.layout.day_path(DAY)] == ["a", "b"]


@pytest.mark.parametrize("compacted", [False, True], ids=["in the day's shard", "in the year's file"])
@pytest.mark.parametrize(
    "change",
    [
        "content = repeat('x', 70000000)",
        "content = repeat('x', 70000000), published_at = published_at + interval '3 days'",
        "content = repeat('x', 70000000), legacy_unique_id = 'grown', unique_id = 'renamed'",
    ],
    ids=["on its day", "on another day by now", "under another id by now"],
)
def test_what_the_hub_has_of_a_row_that_became_too_large_stays(graph: Graph, change: str, compacted: bool):
    graph.insert("a", "grown", "b", day="2025-12-15")
    assert graph.run("2025-12-15", checks=False).success
    assert not compacted or graph.compact(checks=False).success
    before = {name for ids in graph.ids().values() for name in ids}
    graph.execute(f"UPDATE news SET {change} WHERE unique_id = 'grown'")
    graph.run("2025-12-15", "2025-12-18", checks=False)
    assert {name for ids in graph.ids().values() for name in ids} == before == {"a", "grown", "b"}
    told = graph.metadata(graph.reconcile(), "hub_reconciliation")[""]
    assert (told["surplus"], told["missing"], told["unpublishable_rows"]) == (0, 0, 1)


def test_the_reconciliation_tells_of_a_row_that_is_too_large_and_asks_for_no_run_of_its_day(graph: Graph):
    graph.insert("a", "large")
    graph.execute("UPDATE news SET content = repeat('x', 70000000) WHERE unique_id = 'large'")
    graph.run("2026-01-15", checks=False)
    for deep in (False, True):
        result = graph.reconcile(deep=deep)
        told = graph.metadata(result, "hub_reconciliation")[""]
        assert (told["differing_days"], told["unpublishable_rows"]) == (0, 1)
        assert re.search(r"'large'\) has 70.0 MB, of which column content has 70.0 MB", told["unpublishable"])
        (check,) = result.get_asset_check_evaluations()
        assert not check.passed


_WRITES = """
import os, resource
import govbr_assets
import pyarrow as pa
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.publications import NEWS
from govbr_assets.io.staging import collected
from govbr_assets.io.staged import ordered
from govbr_assets_tests.scenes import verdict
from govbr_assets_tests.tables import shard

def rows():
    for number in range(40):
        one = shard([f"{number:02}"])
        text = os.urandom(3_000_000).hex()
        yield one.set_column(one.schema.get_field_index("content"), "content", pa.array([text]))

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(os.devnull, "wb") as sink:
    encode_to(sink, ordered(collected(rows(), shard([]).schema), [("unique_id", "descending")]).tables(), NEWS)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_forty_rows_of_megabytes_are_staged_ordered_and_written_in_the_memory_of_a_few_row_groups():
    done = subprocess.run([sys.executable, "-c", _WRITES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 250  # MB, of rows that have 240
