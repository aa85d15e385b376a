"""A compaction of several commits, and files that only look like those of a year: every row once."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.operations.compact.plan import compact
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.compaction_repo import CompactionRepo, dozen, few_files, year_file
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.test_compact import DISGUISES, TODAY, rows, utc
from govbr_assets_tests.stranger import as_others_write
from govbr_assets_tests.tables import encode

YEAR = "data/train-2025-00.parquet"
SHARD, OPEN = "data/train-2025-07-11.parquet", "data/train-2026-01-20.parquet"


@pytest.mark.parametrize("most", [4, 7])
def test_a_compaction_in_several_commits_is_whole_at_each_and_ends_as_in_one(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch, most: int
):
    one = CompactionRepo(repo.local_hub, f"{repo.repo_id}-one")
    files = dozen(repo.repo_id)
    for each in (repo, one):
        each.write(files)
    assert len(one.compact()) == 1
    few_files(monkeypatch, most)
    steps = repo.compact()
    assert len(steps) == len(repo.compactions) > 2
    assert [step.report.waiting for step in steps] == sorted({step.report.waiting for step in steps}, reverse=True)
    assert sorted(file.path for step in steps for file in step.report.compacted) == sorted(files)
    # A commit's first file is taken up however many years it has rows of: a legacy file and two years are three.
    repo.check_history(max(most, 3))
    assert all(set(repo.ids(revision).values()) == {1} for revision in repo.compactions)
    repo.check_compacted(repo.base)
    assert repo.contents == one.contents
    assert repo.compact() == []


def test_a_month_that_finds_no_room_waits_as_a_whole_and_is_made_once(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch
):
    few_files(monkeypatch, 6)
    days = [f"2025-0{month}-1{day}" for month in (1, 2, 3) for day in (1, 2, 3)]
    repo.write({f"data/train-{day}.parquet": encode(rows(day, day=day)) for day in days})
    taken = [[str(NEWS.layout.day_of(file.path)) for file in step.report.compacted] for step in repo.compact()]
    assert taken == [days[:3], days[3:6], days[6:]]
    repo.check_compacted(repo.base)


def test_a_month_of_more_shards_than_find_room_is_made_a_part_at_a_time(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch
):
    few_files(monkeypatch, 4)
    days = [f"2025-01-{day}" for day in range(11, 19)]
    repo.write({f"data/train-{day}.parquet": encode(rows(day, day=day)) for day in days})
    assert [len(step.report.compacted) for step in repo.compact()] == [3, 3, 2]
    repo.check_compacted(repo.base)


def test_half_a_series_loads_for_those_who_use_datasets(graph: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    few_files(monkeypatch, 6)
    repo = CompactionRepo(graph.local_hub, graph.repo_id)
    repo.write(dozen(graph.repo_id))
    steps = compact(graph.hub, TODAY)
    assert next(steps).report.waiting
    assert next(steps).report.waiting
    steps.close()  # type: ignore[attr-defined]
    loaded = readers.by_datasets(graph, tmp_path)
    assert Counter(loaded["unique_id"].to_pylist()) == repo.ids(repo.base)
    repo.check_settled()


@pytest.mark.parametrize("most", [2, 95])
def test_ids_that_stand_several_times_never_stand_more_often_and_once_in_the_end(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch, most: int
):
    few_files(monkeypatch, most)
    again = {f"data/train-x-{n}.parquet": as_others_write(rows("a", "b", day="2025-01-11")) for n in range(3)}
    moved = {
        f"data/train-2025-0{month}-11.parquet": encode(
            rows(
                "a",
                f"c{month}",
                day=f"2025-0{month}-11",
                title=f"{month}",
                extracted_at=datetime.fromisoformat(f"2026-0{month}-01"),
            )
        )
        for month in (2, 8, 4)
    }
    files = {
        YEAR: year_file(rows("a", "d", day="2025-03-03")),
        **again,
        **moved,
        OPEN: encode(rows("e", day="2026-01-20")),
    }
    repo.write(files)
    repo.compact()
    repo.check_history()
    repo.check_compacted(repo.base)
    assert repo.compact() == []


@pytest.mark.parametrize("most", [1, 2])
def test_what_stands_in_the_place_of_a_year_is_taken_up_before_the_year_is_made(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch, most: int
):
    few_files(monkeypatch, most)
    disorder = pa.concat_tables([rows("b", day="2025-05-02"), rows("a", day="2025-05-01")])
    other_year = rows("c", "d", day="2025-04-04")
    repo.write(
        {
            "data/train-00000-of-00001.parquet": as_others_write(rows("e", day="2025-06-06")),
            "data/train-2024-00.parquet": encode(other_year),
            YEAR: as_others_write(utc(disorder)),
        }
    )
    repo.compact()
    repo.check_history()
    repo.check_compacted(repo.base)
    assert repo.compact() == []


def test_what_has_to_go_first_does_not_wait_for_the_rest_of_its_month(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch
):
    few_files(monkeypatch, 3)
    disorder = pa.concat_tables([rows("b", day="2025-07-02"), rows("a", day="2025-07-01")])
    first = {"data/train-2024-00.parquet": encode(rows("c", day="2025-04-04")), YEAR: encode(disorder)}
    repo.write({**first, SHARD: encode(rows("d", day="2025-07-11"))})
    steps = repo.compact()
    assert [{file.path for file in step.report.compacted} for step in steps] == [first.keys(), {SHARD}]
    repo.check_history()
    repo.check_compacted(repo.base)


def lists_of_items(table: pa.Table) -> pa.Table:
    return table.set_column(13, "tags", table["tags"].cast(pa.list_(pa.string())))


def never_null(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([field.with_nullable(field.name != "unique_id") for field in NEWS.schema]))


@pytest.mark.parametrize(
    ("disguise", "settings"),
    [
        (lists_of_items, {}),  # as pyarrow names the elements of lists
        (lists_of_items, {"use_compliant_nested_type": False}),
        (never_null, {}),
        (lambda table: table, {"bloom_filter_options": {"unique_id": True}}),
    ],
    ids=["lists of items", "lists of items in Parquet", "a column without null", "Bloom filters"],
)
def test_a_year_that_others_wrote_in_a_way_that_cannot_be_copied_is_made_anew(
    repo: CompactionRepo, disguise: Callable[[pa.Table], pa.Table], settings: dict[str, Any]
):
    sink = io.BytesIO()
    pq.write_table(disguise(rows("a", "b", day="2025-05-01")), sink, **settings)
    repo.write({YEAR: sink.getvalue(), SHARD: encode(rows("c", day="2025-07-11"))})
    repo.check_settled()
    repo.check_compacted(repo.base)


@pytest.mark.parametrize("name", ["pandas metadata", "large strings", "another order"])
def test_files_of_a_schema_that_readers_tolerate_need_not_all_go_in_one_commit(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch, name: str
):
    few_files(monkeypatch, 4)
    theirs = [DISGUISES[name](rows(f"{number}", day="2025-05-05")) for number in range(7)]
    repo.write({f"data/train-{number}.parquet": as_others_write(table) for number, table in enumerate(theirs)})
    repo.compact()
    repo.check_history(4)
    repo.check_compacted(repo.base)


def test_a_file_named_like_that_of_a_year_without_number_is_compacted_away(repo: CompactionRepo):
    undated = rows("a", day="2025-05-01").set_column(2, NEWS.schema.field(2), pa.nulls(1, NEWS.schema.field(2).type))
    repo.write({"data/train-0000-00.parquet": encode(undated), SHARD: encode(rows("c", day="2025-07-11"))})
    repo.write({"data/train-x.parquet": as_others_write(undated.set_column(0, "unique_id", pa.array(["b"])))})
    repo.check_settled()
    repo.check_compacted(repo.base)


def test_a_file_that_breaks_readers_does_not_keep_others_from_being_compacted_before_it(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch
):
    few_files(monkeypatch, 4)
    plain = {f"data/train-{day}.parquet": encode(rows(f"id-{day}", day=day)) for day in ("2025-01-11", "2025-02-12")}
    theirs = {f"data/train-{n}.parquet": as_others_write(rows(f"plain-{n}", day="2025-05-05")) for n in range(3)}
    repo.write({**plain, **theirs, "data/train-x.parquet": as_others_write(utc(rows("utc", day="2025-05-05")))})
    repo.compact()
    repo.check_history()
    repo.check_compacted(repo.base)


def test_a_dataset_of_another_schema_loads_at_every_revision_however_many_files_it_has(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch
):
    few_files(monkeypatch, 4)
    repo.write({f"data/train-{n}.parquet": as_others_write(utc(rows(f"{n}", day="2025-05-05"))) for n in range(6)})
    repo.compact()
    repo.check_history()
    repo.check_compacted(repo.base)
