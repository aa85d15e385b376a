"""The compaction, in process, on a real Hub: shards and files of any origin become one sorted file a year."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster import AssetSelection, materialize

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import CommitResult
from govbr_assets.errors import ContractError
from govbr_assets.io import memory
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer
from govbr_assets.local.hub.faults import Fault
from govbr_assets.operations.compact.plan import CompactionReport, compact
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import WEEKLY, Graph
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import encode, shard

TODAY = Day.of("2026-01-20")


def rows(*ids: str, day: str, title: str = "", extracted_at: datetime | None = None) -> pa.Table:
    """Make rows of a day as the Hub has them."""
    table = shard(ids, at=Day.of(day).start + timedelta(hours=9))
    if title:
        table = table.set_column(5, "title", pa.array([title] * len(ids)))
    if extracted_at:
        table = table.set_column(
            4, "extracted_at", pa.array([extracted_at.replace(tzinfo=None)] * len(ids), pa.timestamp("ns"))
        )
    return table.cast(NEWS.schema)


def day_shards(*days: str) -> dict[str, bytes | None]:
    """Make the shard of each day, with one row."""
    return {f"data/train-{day}.parquet": encode(rows(f"id-{day}", day=day)) for day in days}


def compact_all(hub: Dataset, today: Day = TODAY) -> list[CommitResult[CompactionReport]]:
    return list(compact(hub, today))


def dataset(local_hub: LocalHub, repo_id: str) -> dict[str, pa.Table]:
    """Read every data file of the head, past all of the product's code."""
    tree = local_hub.store.tree(repo_id)
    return {path: pq.read_table(blob.path) for path, blob in sorted(tree.items()) if is_parquet(path)}


def test_shards_of_closed_days_become_the_file_of_their_year(hub: Dataset, local_hub: LocalHub, repo_id: str):
    days = ["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-15", "2026-01-20"]
    write(local_hub.store, repo_id, day_shards(*days))
    (step,) = compact_all(hub)
    found = dataset(local_hub, repo_id)
    assert list(found) == ["data/train-2025-00.parquet", "data/train-2026-00.parquet", "data/train-2026-01-20.parquet"]
    assert found["data/train-2025-00.parquet"]["unique_id"].to_pylist() == ["id-2025-12-30", "id-2025-12-31"]
    assert all(table.schema.equals(NEWS.schema, check_metadata=True) for table in found.values())
    assert step.report.rows == {"data/train-2025-00.parquet": 2, "data/train-2026-00.parquet": 2}
    assert compact_all(hub) == []


def test_nothing_to_compact_makes_no_commit(hub: Dataset, local_hub: LocalHub, repo_id: str):
    assert compact_all(hub) == []
    write(local_hub.store, repo_id, {"README.md": b"hi\n"})
    assert compact_all(hub) == []
    write(local_hub.store, repo_id, day_shards("2026-01-20", "2026-01-21"))
    before = local_hub.store.head(repo_id)
    assert compact_all(hub) == []
    assert local_hub.store.head(repo_id) == before


def test_a_week_later_only_the_month_with_news_is_made_anew(hub: Dataset, local_hub: LocalHub, repo_id: str):
    write(local_hub.store, repo_id, day_shards("2025-05-05", "2026-01-02", "2026-02-02", "2026-03-03"))
    (first_step,) = compact_all(hub, Day.of("2026-03-04"))
    first = local_hub.store.tree(repo_id)
    write(local_hub.store, repo_id, day_shards("2026-03-04", "2026-03-05"))
    (step,) = compact_all(hub, Day.of("2026-03-09"))
    second = local_hub.store.tree(repo_id)
    assert second["data/train-2025-00.parquet"].oid == first["data/train-2025-00.parquet"].oid
    path = "data/train-2026-00.parquet"
    assert step.report.rows == {path: 5}
    assert [file.path for file in step.report.compacted] == [f"data/train-2026-03-0{day}.parquet" for day in (4, 5)]
    before, after = (pq.ParquetFile(tree[path].path) for tree in (first, second))
    assert [after.metadata.row_group(index).num_rows for index in range(3)] == [1, 1, 3]
    sizes = [sum_of_chunks(file, 0) + sum_of_chunks(file, 1) for file in (before, after)]
    raw = [Path(tree[path].path).read_bytes()[4 : 4 + size] for tree, size in zip((first, second), sizes, strict=True)]
    assert raw[0] == raw[1]
    ends = [4 + sizes[1], 4 + sizes[1] + sum_of_chunks(after, 2)]
    assert step.changeset.fresh == {path: [range(*ends)]}
    assert step.report.new_bytes == ends[1] - ends[0]
    assert first_step.changeset.fresh[path] == [range(4, 4 + sizes[0] + sum_of_chunks(before, 2))]


def sum_of_chunks(file: pq.ParquetFile, group: int) -> int:
    """Say how many bytes a row group takes."""
    chunks = file.metadata.row_group(group)
    return sum(chunks.column(index).total_compressed_size for index in range(chunks.num_columns))


def test_of_an_id_that_stands_several_times_the_latest_row_stays(hub: Dataset, local_hub: LocalHub, repo_id: str):
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC)
    files = {
        "data/train-00000-of-00001.parquet": as_others_write(
            pa.concat_tables(
                [rows("a", "b", day="2025-06-01", title="old", extracted_at=old), rows("c", day="2025-06-02")]
            )
        ),
        "data/train-2026-01-05.parquet": encode(rows("a", day="2026-01-05", title="new", extracted_at=new)),
        "data/train-2026-01-06.parquet": encode(rows("b", day="2026-01-06", title="never extracted")),
    }
    write(local_hub.store, repo_id, files)
    (step,) = compact_all(hub)
    found = pa.concat_tables(dataset(local_hub, repo_id).values())
    assert dict(zip(found["unique_id"].to_pylist(), found["title"].to_pylist(), strict=True)) == {
        "a": "new",
        "b": "old",
        "c": "Title of c",
    }
    assert step.report.dropped == {"data/train-00000-of-00001.parquet": 1, "data/train-2026-01-06.parquet": 1}


def test_a_row_that_stands_in_several_files_stays_once(hub: Dataset, local_hub: LocalHub, repo_id: str):
    twin = rows("twin", "other", day="2026-01-05")
    files = {f"data/train-2025-{name}.parquet": as_others_write(twin) for name in ("x", "y")}
    write(local_hub.store, repo_id, {**files, "data/train-2026-01-05.parquet": encode(twin)})
    (step,) = compact_all(hub)
    assert dataset(local_hub, repo_id)["data/train-2026-00.parquet"].equals(twin)
    assert step.report.dropped.total() == 4


def test_a_row_of_an_older_year_file_that_has_a_newer_version_goes(hub: Dataset, local_hub: LocalHub, repo_id: str):
    moved = rows("moved", day="2025-03-03", extracted_at=datetime(2025, 3, 3, tzinfo=UTC))
    write(local_hub.store, repo_id, day_shards("2025-01-01") | {"data/train-2025-03-03.parquet": encode(moved)})
    compact_all(hub)
    again = rows("moved", day="2026-01-03", extracted_at=datetime(2026, 1, 3, tzinfo=UTC))
    write(local_hub.store, repo_id, {"data/train-2026-01-03.parquet": encode(again)})
    (step,) = compact_all(hub)
    found = dataset(local_hub, repo_id)
    assert found["data/train-2025-00.parquet"]["unique_id"].to_pylist() == ["id-2025-01-01"]
    assert found["data/train-2026-00.parquet"].equals(again)
    assert step.report.dropped == {"data/train-2025-00.parquet": 1}
    assert compact_all(hub) == []


def test_rows_without_a_time_have_a_file_of_their_own(hub: Dataset, local_hub: LocalHub, repo_id: str):
    undated = rows("z", "a", day="2025-01-01").set_column(2, "published_at", pa.nulls(2, NEWS.schema.field(2).type))
    both = pa.concat_tables([rows("m", day="2025-01-01"), undated]).cast(NEWS.schema)
    write(local_hub.store, repo_id, {"data/train-00000-of-00001.parquet": as_others_write(both)})
    compact_all(hub)
    found = dataset(local_hub, repo_id)
    assert list(found) == ["data/train-0000-undated.parquet", "data/train-2025-00.parquet"]
    assert found["data/train-0000-undated.parquet"]["unique_id"].to_pylist() == ["a", "z"]
    assert compact_all(hub) == []


def test_a_long_month_is_taken_piece_by_piece_and_gives_the_same_file(
    hub: Dataset, local_hub: LocalHub, repo_id: str, monkeypatch: pytest.MonkeyPatch
):
    files = {f"data/train-x-{n}.parquet": as_others_write(rows(f"b{n}", f"a{n}", day="2025-05-07")) for n in range(4)}
    files |= day_shards("2025-05-01", "2025-05-09", "2025-05-31")
    write(local_hub.store, repo_id, files)
    write(local_hub.store, repo_id + "-2", files)
    compact_all(hub)
    monkeypatch.setattr("govbr_assets.operations.rewrite.MONTH_BYTES", 1)
    monkeypatch.setattr("govbr_assets.io.staged.WINDOW_BYTES", 1)
    compact_all(Dataset.open(repo_id + "-2", NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint))
    one, two = (local_hub.store.tree(each)["data/train-2025-00.parquet"].oid for each in (repo_id, repo_id + "-2"))
    assert one == two


def test_a_compacted_file_in_disorder_is_compacted_anew(hub: Dataset, local_hub: LocalHub, repo_id: str):
    disorder = pa.concat_tables([rows("b", day="2025-05-02"), rows("a", day="2025-05-01")])
    path = "data/train-2025-00.parquet"
    write(local_hub.store, repo_id, {path: encode(disorder)})
    compact_all(hub)
    assert dataset(local_hub, repo_id)[path]["unique_id"].to_pylist() == ["a", "b"]
    write(local_hub.store, repo_id, {path: as_others_write(rows("a", "b", "c", day="2025-05-01"), 2)})
    compact_all(hub)
    assert pq.read_metadata(local_hub.store.tree(repo_id)[path].path).num_row_groups == 1


def test_what_cannot_be_cast_stops_the_compaction_and_is_named(hub: Dataset, local_hub: LocalHub, repo_id: str):
    odd = rows("a", day="2025-05-01").set_column(2, "published_at", pa.array(["last week"]))
    write(local_hub.store, repo_id, {"data/train-odd.parquet": as_others_write(odd)} | day_shards("2025-05-02"))
    before = local_hub.store.head(repo_id)
    with pytest.raises(ContractError, match=r"published_at .* 'a' in data/train-odd\.parquet .*last week"):
        compact_all(hub)
    assert local_hub.store.head(repo_id) == before


def legacy_rows(*ids: str) -> pa.Table:
    """Make rows from two years, newest first, with every column filled for some and null for others."""
    dated = pa.concat_tables([rows(each, day=f"{2024 + number % 2}-07-1{number}") for number, each in enumerate(ids)])
    return dated.take(pa.array(range(len(ids) - 1, -1, -1)))


def utc(table: pa.Table) -> pa.Table:
    kind = pa.timestamp("us", "UTC")
    return table.set_column(2, "published_at", table["published_at"].cast(kind))


def naive(table: pa.Table) -> pa.Table:
    return table.set_column(
        2, "published_at", table["published_at"].cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    )


def as_text(table: pa.Table) -> pa.Table:
    written = [at.isoformat(sep=" ") for at in table["published_at"].to_pylist()]
    return table.set_column(2, "published_at", pa.array(written))


DISGUISES = {
    "pandas metadata": lambda table: table.replace_schema_metadata({"pandas": '{"index_columns": []}'}),
    "a null column": lambda table: table.set_column(11, "video_url", pa.nulls(table.num_rows)),
    "large strings": lambda table: table.set_column(9, "content", table["content"].cast(pa.large_string())),
    "another order": lambda table: table.select(table.column_names[::-1]),
    "UTC": utc,
    "naive": naive,
    "text": as_text,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_files_of_any_castable_schema_are_compacted_in_one_commit_and_the_card_keeps_its_text(
    hub: Dataset, local_hub: LocalHub, repo_id: str, disguise: str
):
    plain = legacy_rows("a", "b", "c", "d")
    card = (
        b"---\nlicense: mit\ndataset_info:\n  splits:\n  - name: train\n    num_examples: 3\n---\n# Text that stays\n"
    )
    files = {
        "README.md": card,
        "dataset_infos.json": b"{}",
        "data/train-00000-of-00002.parquet": as_others_write(DISGUISES[disguise](plain)),
        "data/train-00001-of-00002.parquet": as_others_write(legacy_rows("e")),
        "data/train-2025-08-01-120000.parquet": as_others_write(rows("f", day="2025-08-01")),
    }
    write(local_hub.store, repo_id, files)
    commits = len(local_hub.store.commits(repo_id))
    (step,) = compact_all(hub)
    found = dataset(local_hub, repo_id)
    assert list(found) == ["data/train-2024-00.parquet", "data/train-2025-00.parquet"]
    expected = pa.concat_tables([plain, legacy_rows("e"), rows("f", day="2025-08-01")])
    assert pa.concat_tables(found.values()).equals(
        expected.sort_by([("published_at", "ascending"), ("unique_id", "ascending")])
    )
    assert len(local_hub.store.commits(repo_id)) == commits + 1
    text = Path(local_hub.store.tree(repo_id)["README.md"].path).read_text()
    assert "# Text that stays" in text
    assert "license: mit" in text
    assert "num_examples" not in text
    assert "dataset_infos.json" not in local_hub.store.tree(repo_id)
    assert len(step.report.compacted) == 3


def test_the_asset_tells_what_it_did_and_its_checks_judge_it(graph: Graph):
    write(
        graph.local_hub.store,
        graph.repo_id,
        {"data/train-00000-of-00001.parquet": as_others_write(legacy_rows("a", "b", "a"))},
    )
    for number in (14, 15):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    graph.run("2026-01-14", "2026-01-15")
    before = graph.head.revision
    result = graph.compact()
    assert result.success
    told = graph.metadata(result, "consolidated_dataset")[""]
    assert (told["files_in"], told["files_out"], told["dagster/row_count"], told["duplicates_dropped"]) == (3, 3, 4, 1)
    assert told["revision_before"] == before
    assert told["revision_after"] == graph.head.revision
    assert "data/train-00000-of-00001.parquet | 1" in told["dropped_from"]
    verdicts = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert verdicts == dict.fromkeys(
        ["dataset_ids_are_unique", "dataset_schema_is_the_contract", "dataset_is_sorted", "no_row_was_lost"], True
    )


def test_a_dry_run_shows_the_plan_and_changes_nothing(graph: Graph):
    write(graph.local_hub.store, graph.repo_id, day_shards("2025-01-01", "2026-01-01"))
    before = graph.head.revision
    result = graph.compact(config={"dry_run": True})
    assert result.success
    assert graph.head.revision == before
    assert not result.get_asset_materialization_events()
    told = {
        name: value.value
        for name, value in result.get_asset_observation_events()[
            0
        ].asset_observation_data.asset_observation.metadata.items()
    }
    assert (told["files_in"], told["files_out"], told["dagster/row_count"], told["dry_run"]) == (2, 2, 2, True)
    assert "data/train-2025-01-01.parquet" in told["taken_up"]


def test_days_that_are_compacted_are_published_no_second_time_and_late_rows_find_their_shard(graph: Graph):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    assert graph.compact().success
    compacted = graph.head.revision
    assert graph.run("2026-01-15").success
    assert graph.head.revision == compacted
    graph.insert("late", day="2026-01-15")
    assert graph.run("2026-01-15").success
    assert graph.ids() == {"data/train-2026-00.parquet": ["a", "b"], "data/train-2026-01-15.parquet": ["late"]}
    assert graph.compact().success
    assert graph.ids() == {"data/train-2026-00.parquet": ["a", "late", "b"]}


def test_the_checks_find_what_is_wrong(graph: Graph):
    wrong = pa.concat_tables([rows("b", day="2025-05-02"), rows("a", "b", day="2025-05-01")])
    files = {
        "data/train-x.parquet": as_others_write(wrong),
        "data/train-y.parquet": as_others_write(utc(legacy_rows("c"))),
    }
    write(graph.local_hub.store, graph.repo_id, files)
    result = materialize(
        WEEKLY,
        selection=AssetSelection.all_asset_checks(),
        instance=graph.instance,
        resources=graph.resources(),
        raise_on_error=False,
    )
    verdicts = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert verdicts == {
        "dataset_ids_are_unique": False,
        "dataset_schema_is_the_contract": False,
        "dataset_is_sorted": False,
        "no_row_was_lost": True,
    }


def test_the_check_for_lost_rows_begins_where_a_compaction_began_that_failed_on_its_way(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", 3)
    store = graph.local_hub.store
    write(store, graph.repo_id, day_shards("2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"))
    before = graph.head.revision
    graph.local_hub.faults.add(Fault("POST", "/commit/main$", answer(403, "no"), skip=1))
    assert not graph.compact().success
    assert graph.head.revision != before
    lost = {"data/train-2025-00.parquet": encode(rows("id-2025-01-02", day="2025-01-02"))}  # without the first day
    write(store, graph.repo_id, lost)
    result = graph.compact()
    assert result.success
    verdicts = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert not verdicts["no_row_was_lost"].passed
    assert verdicts["no_row_was_lost"].metadata["before"].value == before
    assert verdicts["no_row_was_lost"].metadata["missing"].value == 1


def test_a_compaction_and_its_checks_fetch_every_shard_once(graph: Graph):
    days = [f"2025-01-{day:02}" for day in range(1, 6)]
    write(graph.local_hub.store, graph.repo_id, day_shards(*days))
    graph.local_hub.faults.forget()
    result = graph.compact()
    assert result.success
    asked = Counter(each.path.rsplit("/", 1)[1] for each in graph.local_hub.faults.requests if "/resolve/" in each.path)
    assert {day: asked[f"train-{day}.parquet"] for day in days} == dict.fromkeys(days, 1)
    verdicts = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert verdicts["no_row_was_lost"].metadata["rows_before"].value == len(days)


@pytest.mark.parametrize("most", [1, 1 << 20], ids=["one by one", "side by side"])
def test_months_become_the_same_file_however_many_are_made_at_once(
    hub: Dataset, local_hub: LocalHub, repo_id: str, monkeypatch: pytest.MonkeyPatch, most: int
):
    monkeypatch.setattr("govbr_assets.operations.rewrite.MONTH_BYTES", most)
    tables = [rows(f"a{month}", f"b{month}", day=f"2025-{month:02}-03") for month in range(1, 6)]
    write(
        local_hub.store,
        repo_id,
        {f"data/train-2025-{month:02}-03.parquet": encode(each) for month, each in enumerate(tables, 1)},
    )
    compact_all(hub)
    ((path, table),) = dataset(local_hub, repo_id).items()
    assert path == "data/train-2025-00.parquet"
    assert table.equals(pa.concat_tables(tables))
    content = local_hub.store.tree(repo_id)[path].path.read_bytes()
    metadata = pq.ParquetFile(pa.BufferReader(content)).metadata
    assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == [2] * 5


def test_the_heap_is_limited_again_when_a_commit_is_planned(hub: Dataset, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(
        memory, "_set", lambda options: said.append("limit_heap" if options is memory._LIMITED else "keep_free_memory")
    )
    monkeypatch.setattr("govbr_assets.operations.compact.inputs.sources", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compact_all(hub)
    assert said == ["keep_free_memory", "limit_heap"]
