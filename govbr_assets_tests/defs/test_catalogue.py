"""What the catalogue in the UI says of the assets: lineage, columns, versions, where data and code are to be seen."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from dagster import AssetKey, TableSchema

from govbr_assets.definitions import defs
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.catalogue import in_catalogue, source_tree
from govbr_assets.errors import BeginningError
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph

SPECS = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}
SOURCES = {"news", "themes"}
ROOT = Path(__file__).parents[2]


def _names(keys: Iterable[AssetKey]) -> set[str]:
    return {key.path[-1] for key in keys}


def versions(graph: Graph, asset: str) -> list[tuple[str, str]]:
    """List the versions of code and data of the materializations of an asset, the newest first."""
    events = graph.instance.fetch_materializations(AssetKey(asset), limit=10).records
    tags = [each.asset_materialization.tags or {} for each in events if each.asset_materialization]
    return [(each["dagster/code_version"], each["dagster/data_version"]) for each in tags]


def test_lineage_begins_at_the_tables_which_no_job_tries_to_make():
    graph = defs.resolve_asset_graph()
    assert _names(graph.external_asset_keys) == SOURCES
    assert _names(key for key in graph.get_all_asset_keys() if not graph.get(key).parent_keys) == SOURCES
    for asset in ("postgres_news_partition", "hub_reconciliation"):
        assert _names(graph.get(AssetKey(asset)).parent_keys) >= SOURCES
    of_jobs = {each.name: _names(each.asset_layer.selected_asset_keys) for each in defs.resolve_all_job_defs()}
    assert of_jobs["daily_sync"] == {"postgres_news_partition", "hf_existing_ids", "hf_parquet_shard"}
    assert of_jobs["weekly_consolidation"] == {"consolidated_dataset"}
    assert of_jobs["reconciliation"] == {"hub_reconciliation"}


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_asset_has_an_owner_a_group_kinds_and_words_for_itself_and_each_of_its_columns(name: str):
    spec = SPECS[name]
    assert spec.owners == ["team:data-platform"]
    assert spec.group_name not in (None, "default")
    assert spec.kinds
    assert spec.description
    table = spec.metadata["dagster/column_schema"]
    assert isinstance(table, TableSchema)
    assert table.columns
    assert all(column.description for column in table.columns)


def test_every_sensor_and_schedule_says_in_a_sentence_what_it_does():
    for each in (*(defs.sensors or []), *(defs.schedules or [])):
        assert (each.description or "").endswith("."), each.name
        assert "\n" not in (each.description or "")


def test_the_code_version_of_what_depends_on_the_published_columns_is_their_fingerprint():
    assert {name for name, spec in SPECS.items() if spec.code_version} == {
        *("postgres_news_partition", "hf_parquet_shard", "consolidated_dataset"),
    }
    assert {spec.code_version for spec in SPECS.values()} == {None, NEWS.fingerprint}
    assert replace(NEWS, columns=NEWS.columns[1:]).fingerprint != NEWS.fingerprint


def test_a_day_that_is_read_again_is_a_new_version_and_the_dataset_has_its_revision_as_one(graph: Graph):
    graph.insert("a")
    graph.run("2026-01-15", checks=False)
    graph.insert("b")
    graph.run("2026-01-15", checks=False)
    (code, new), (_, old) = versions(graph, "postgres_news_partition")
    assert code == NEWS.fingerprint
    assert new != old
    (_, shard), (_, before) = versions(graph, "hf_parquet_shard")
    assert shard != before
    graph.compact(checks=False)
    assert versions(graph, consolidated_dataset.key.path[-1]) == [(NEWS.fingerprint, graph.head.revision)]


def shown(graph: Graph, url: str) -> requests.Response:
    """Open a page of the Hub as its owner."""
    headers = {"Authorization": f"Bearer {graph.local_hub.write_token}"}
    return requests.get(url, headers=headers, timeout=10, stream=True)


def test_a_day_counts_its_own_rows_and_links_to_the_file_that_has_them_at_its_commit(graph: Graph):
    graph.insert("a", "b")
    graph.insert("later", day="2026-01-16")

    def day(first: str, last: str = "") -> dict[str, Any]:
        return graph.metadata(graph.run(first, last, checks=False))["2026-01-15"]

    told = day("2026-01-15", "2026-01-16")
    page = f"{graph.local_hub.endpoint}/datasets/{graph.repo_id}/blob"
    assert told["dagster/uri"] == f"{page}/{graph.head.revision}/data/train-2026-01-15.parquet"
    assert (told["dagster/partition_row_count"], told["shard_rows"]) == (2, 2)
    assert (told["dagster/table_name"], told.get("dagster/row_count")) == (graph.repo_id, None)
    assert graph.compact(checks=False).success
    told = day("2026-01-15")
    assert told["dagster/uri"] == f"{page}/{graph.head.revision}/data/train-2026-00.parquet"
    assert (told["dagster/partition_row_count"], told["shard_rows"]) == (2, 0)
    graph.insert("c")
    told = day("2026-01-15")
    assert told["dagster/uri"] == f"{page}/{graph.head.revision}/data/train-2026-01-15.parquet"
    assert (told["dagster/partition_row_count"], told["shard_rows"]) == (3, 1)
    assert shown(graph, told["dagster/uri"]).raw.read(4) == b"PAR1"
    whole = graph.metadata(graph.compact(checks=False), "consolidated_dataset")[""]
    assert whole["dagster/uri"] == f"{page.removesuffix('blob')}tree/{graph.head.revision}"
    assert whole["dagster/table_name"] == graph.repo_id
    assert (whole["dagster/row_count"], whole["rows_written"]) == (4, 4)
    nothing = graph.metadata(graph.compact(checks=False), "consolidated_dataset")[""]
    assert (nothing["dagster/row_count"], nothing["rows_written"], nothing["commits"]) == (4, 0, 0)


def test_each_asset_links_to_its_function_in_the_repository_and_those_on_the_hub_name_their_repo():
    tree, tables = "https://forge.example.org/my-org/my-repo/tree/v1", {consolidated_dataset.key: "org/news"}
    described = in_catalogue(defs.assets or [], tree, tables)  # pyright: ignore[reportArgumentType]
    specs = [spec for asset in described for spec in getattr(asset, "specs", [asset])]
    named = {spec.key.path[-1]: spec.metadata.get("dagster/table_name") for spec in specs}
    assert named == {name: name if name in SOURCES else None for name in SPECS} | {"consolidated_dataset": "org/news"}
    linked = {spec.key.path[-1]: spec.metadata.get("dagster/code_references") for spec in specs}
    assert {name for name, link in linked.items() if link is None} == SOURCES
    for name in linked.keys() - SOURCES:
        (link,) = linked[name].code_references
        path, _, line = link.url.removeprefix(f"{tree}/").partition("#L")
        below = (ROOT / path).read_text().splitlines()[int(line) - 1 :]
        assert below[0].startswith("@")
        assert next(each for each in below if each.startswith("def ")).startswith(f"def {name}(")


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("", ""),
        (" https://github.com/my-org/my-repo/ \n", "https://github.com/my-org/my-repo/blob/HEAD"),
        ("https://gitlab.com/group/sub/repo", "https://gitlab.com/group/sub/repo/blob/HEAD"),
        ("https://github.com/my-org/my-repo/tree/v1.2", "https://github.com/my-org/my-repo/tree/v1.2"),
        ("https://gitlab.com/my-org/my-repo/-/tree/main", "https://gitlab.com/my-org/my-repo/-/tree/main"),
        ("https://codeberg.org/o/r/src/commit/0123abc", "https://codeberg.org/o/r/src/commit/0123abc"),
    ],
)
def test_the_url_of_the_code_is_that_of_a_repository_or_of_its_files_at_a_revision(written: str, tree: str):
    assert source_tree(written) == tree


@pytest.mark.parametrize(
    "written", ["github.com/o/r", "https://github.com/o", "https://me:s3cret@github.com/o/r", "https://h/o/r?s3cret"]
)
def test_another_url_of_the_code_stops_loading_by_its_name(written: str):
    with pytest.raises(BeginningError, match=r"^GOVBR_SOURCE_URL ") as caught:
        source_tree(written)
    assert "s3cret" not in str(caught.value)
