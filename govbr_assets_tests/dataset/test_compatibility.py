"""What the schema of a file means to readers of the whole dataset; nobody publishes beside one that breaks them."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import parquet, put
from govbr_assets_tests.tables import shard
from govbr_assets_tests.test_graph import failure


def changed(column: str, kind: pa.DataType) -> pa.Table:
    """Make rows of which one column has another type."""
    rows = shard(["old-1", "old-2"])
    values = pa.nulls(rows.num_rows) if pa.types.is_null(kind) else rows[column].cast(kind)
    return rows.set_column(rows.schema.get_field_index(column), column, values)


TOLERATED = {
    "a column of type null": changed("video_url", pa.null()),
    "a large string": changed("title", pa.large_string()),
    "a large list": changed("tags", pa.large_list(pa.string())),
    "another order": shard(["old-1", "old-2"]).select(NEWS.schema.names[::-1]),
    "notes of pandas": pa.Table.from_pandas(shard(["old-1", "old-2"]).to_pandas(), schema=NEWS.schema),
}
BREAKING = {
    "UTC": changed("published_at", pa.timestamp("us", "UTC")),
    "a naive time": changed("updated_datetime", pa.timestamp("us")),
    "microseconds": changed("extracted_at", pa.timestamp("us")),
    "text for a time": changed("published_at", pa.string()),
    "an extra column": shard(["old-1", "old-2"]).append_column("content_length", pa.array([1, 2])),
    "a missing column": shard(["old-1", "old-2"]).drop_columns(["summary"]),
}
LATER, FIRST = "data/train-2026-01-15-010203.parquet", "data/train-00000-of-00003.parquet"


def hold(hub: Dataset, path: str, rows: pa.Table) -> None:
    """Let somebody else have published a file, of whatever schema."""
    head = hub.client.head() if hub.client.head().revision else hub.client.create()
    hub.client.commit(head.revision or "", FileChanges({path: parquet(rows)}, message="by hand"))


@pytest.mark.parametrize("rows", TOLERATED.values(), ids=TOLERATED)
def test_what_is_tolerated_is_reported_and_goes_on(hub: Dataset, rows: pa.Table):
    commit(hub, put("a", path="data/train-2026-01-14.parquet"), hub.client.head())
    hold(hub, LATER, rows)
    publication = commit(hub, put("b"), hub.client.head())
    assert publication.committed
    exact = rows.schema.names == NEWS.schema.names and rows.schema.types == NEWS.schema.types
    assert len(publication.notes) == (0 if exact else 1)
    assert all(note.startswith(f"{LATER}: ") for note in publication.notes)


@pytest.mark.parametrize("rows", BREAKING.values(), ids=BREAKING)
def test_what_breaks_readers_stops_a_publication_with_file_column_and_both_types(hub: Dataset, rows: pa.Table):
    hold(hub, LATER, rows)
    before = hub.client.head()
    column = next(name for name in {*rows.schema.names, *NEWS.schema.names} if differs(rows.schema, name))
    found = rows.schema.field(column).type if column in rows.schema.names else "missing"
    should = NEWS.schema.field(column).type if column in NEWS.schema.names else "should not be there"
    with pytest.raises(ContractError) as refused:
        commit(hub, put("b"), before)
    assert all(str(part) in str(refused.value) for part in (LATER, column, found, should))
    assert hub.client.head() == before


def differs(schema: pa.Schema, name: str) -> bool:
    both = name in schema.names and name in NEWS.schema.names
    return not both or schema.field(name).type != NEWS.schema.field(name).type


def test_a_null_column_in_the_first_file_breaks_readers_and_stops_a_publication(graph: Graph):
    hold(graph.hub, FIRST, TOLERATED["a column of type null"])
    graph.insert("a")
    result = graph.run("2026-01-15")
    assert not result.success
    told = failure(result)
    assert f"{FIRST} on the Hub would break readers beside a new file: column video_url is null" in told
    assert set(graph.ids()) == {FIRST}


@pytest.mark.parametrize("place", ["first", "later"])
@pytest.mark.parametrize("rows", {**TOLERATED, **BREAKING}.values(), ids={**TOLERATED, **BREAKING})
def test_the_rule_is_what_readers_do(tmp_path: Path, rows: pa.Table, place: str):
    """Of two files one differs, and the verdict must be the readers': all of them can, or at least one cannot."""
    folder = tmp_path / "data"
    folder.mkdir()
    names = ("train-0.parquet", "train-1.parquet")
    ours, other = names[:: -1 if place == "first" else 1]
    pq.write_table(shard(["a"]).set_column(11, "video_url", pa.array(["a video"])), folder / ours)
    pq.write_table(rows, folder / other)
    fails = {name for name, read in readers.ON_FILES.items() if not reads(read, tmp_path)}
    breaking, _ = NEWS.compare(rows.schema).for_readers(first=place == "first")
    assert bool(breaking) == bool(fails), fails


def reads(read: Callable[[Path], pa.Table], folder: Path) -> bool:
    try:
        return set(read(folder)["unique_id"].to_pylist()) == {"a", "old-1", "old-2"}
    except (pl.exceptions.PolarsError, pa.ArrowException, readers.duckdb.Error, ValueError, TypeError):
        return False


def test_a_file_that_the_commit_replaces_may_be_anything(hub: Dataset):
    hold(hub, "data/train-2026-01-15.parquet", BREAKING["text for a time"])
    assert commit(hub, put("b"), hub.client.head()).committed


def test_schemas_are_read_once_in_a_lifetime(graph: Graph):
    hold(graph.hub, LATER, shard(["old-1"]))
    graph.insert("a")
    assert graph.run("2026-01-15").success
    graph.insert("b")
    graph.local_hub.faults.forget()
    assert graph.run("2026-01-15", checks=False).success
    assert graph.local_hub.faults.seen("GET", "010203") == []
