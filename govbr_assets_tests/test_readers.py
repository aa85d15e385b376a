"""What people do with the dataset, on what the graph published: every revision loads, and holds each row once."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.card_block import replace_block
from govbr_assets.local.load import load
from govbr_assets.local.news import late_news, sample_news
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.graphs import Graphs

DAYS = ("2026-01-12", "2026-01-14")

# As in public code: the whole, a slice, a stream; times by year and against an aware time; ids, agencies, tags.
SCRIPT = """
import os
import pandas as pd
from datasets import load_dataset
name = os.environ["REPO"]
whole = load_dataset(name)["train"]
print(whole.num_rows)
print(load_dataset(name, split="train[:100]").num_rows)
print(len(list(load_dataset(name, split="train", streaming=True).take(100))))
frame = whole.to_pandas()
print(sorted(frame.published_at.dt.year.unique().tolist()))
print(int((frame.published_at > pd.Timestamp("2026-01-13", tz="America/Sao_Paulo")).sum() > 0))
print(int(frame.duplicated("unique_id").sum()))
print(int(len(sorted(frame.agency.unique())) > 10))
print({type(tags).__name__ for tags in whole["tags"][:100]} <= {"list", "NoneType"})
"""


@pytest.fixture(scope="module")
def published(graphs: Graphs) -> Iterator[Graph]:
    """Publish three days, a late row, and a day more; tests only read it."""
    with graphs.new() as graph:
        load(graph.postgres_url, sample_news(300, date.fromisoformat(DAYS[0]), date.fromisoformat(DAYS[1])))
        assert graph.run(*DAYS).success
        load(graph.postgres_url, [late_news(date(2026, 1, 13), 3)])
        assert graph.run("2026-01-13").success
        load(graph.postgres_url, sample_news(50, date(2026, 1, 15), date(2026, 1, 15), seed=1))
        assert graph.run("2026-01-15").success
        yield graph


def test_what_people_do_works(published: Graph, tmp_path: Path):
    told = readers.run(published, tmp_path / "hf", SCRIPT).splitlines()
    assert told == ["353", "100", "100", "[2026]", "1", "0", "1", "True"]


def test_every_revision_loads_with_every_reader_and_holds_each_row_once(published: Graph, tmp_path: Path):
    commits = published.local_hub.store.commits(published.repo_id)[:-1]  # the first one only makes the repo
    assert len(commits) == 3
    counts = {}
    for commit in commits:
        folder = readers.download(published, tmp_path / commit.sha, commit.sha)
        for name, reader in readers.ON_FILES.items():
            ids = reader(folder)["unique_id"].to_pylist()
            assert len(ids) == len(set(ids)), f"{name} at {commit.title}"
            counts.setdefault(commit.sha, set()).add(len(ids))
    assert [counts[commit.sha] for commit in commits] == [{353}, {303}, {300}]
    script = "\n".join(
        [
            "import os",
            "from datasets import load_dataset",
            f"for revision in {[commit.sha for commit in commits]}:",
            "    ids = load_dataset(os.environ['REPO'], revision=revision, split='train')['unique_id'][:]",
            "    print(len(ids), len(set(ids)))",
        ]
    )
    assert readers.run(published, tmp_path / "hf", script).splitlines() == ["353 353", "303 303", "300 300"]


def test_polars_reads_the_glob_with_the_contracts_types(published: Graph, tmp_path: Path):
    frame = pl.read_parquet(readers.download(published, tmp_path) / "data" / "train-*.parquet")
    assert frame.schema["published_at"] == pl.Datetime("us", "Etc/GMT+3")  # as polars spells -03:00
    assert frame.schema["tags"] == pl.List(pl.String)
    assert frame["agency"].null_count() == 0


def test_the_same_rows_make_the_same_files_in_another_repo(published: Graph, tmp_path: Path):
    other = Graph(
        published.postgres_url, f"{published.repo_id}-again", published.local_hub, published.local_viewer, tmp_path
    )
    assert other.run(DAYS[0], "2026-01-15").success
    blobs = [{path: file.content for path, file in each.head.files.items()} for each in (published, other)]
    cards = [(each.hub.client.content(each.head, "README.md") or b"").decode() for each in (published, other)]
    # A card says what to load, and what there was when it was written or last kept current.
    once, again = (replace_block(card, "")[0] for card in cards)
    assert once.replace(published.repo_id, other.repo_id) == again
    assert blobs[0] | {"README.md": ""} == blobs[1] | {"README.md": ""}


def test_every_file_has_exactly_the_contract_and_no_metadata(published: Graph, tmp_path: Path):
    paths = sorted((readers.download(published, tmp_path) / "data").glob("*.parquet"))
    assert len(paths) == 4
    for path in paths:
        assert pq.read_schema(path).equals(NEWS.schema, check_metadata=True)
        assert set(pq.read_metadata(path).metadata or {}) == {b"ARROW:schema"}


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ("published_at", pa.timestamp("us", "UTC")),
        ("published_at", pa.timestamp("us")),
        ("extracted_at", pa.timestamp("us")),
    ],
)
def test_one_shard_of_another_type_would_break_polars(
    published: Graph, tmp_path: Path, column: str, type_: pa.DataType
):
    folder = readers.download(published, tmp_path)
    path = min((folder / "data").glob("*.parquet"))
    rows = pq.ParquetFile(path).read()
    index = rows.schema.get_field_index(column)
    pq.write_table(rows.set_column(index, column, rows[column].cast(type_)), path)
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(folder / "data" / "train-*.parquet")
