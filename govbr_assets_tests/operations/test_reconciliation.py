"""The reconciliation through the graph: damage is told by day, the check judges what was stored, deep sees contents."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from dagster import AssetCheckSeverity, DefaultScheduleStatus, RunRequest, build_schedule_context

from govbr_assets.core.day_counts import COUNTS, DAYS_SCHEMA
from govbr_assets.core.days import TIME_ZONE, Day
from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets.definitions import defs
from govbr_assets.defs.resources import PostgresResource, _dataset
from govbr_assets.errors import NotMaterializedError
from govbr_assets.io.storage.tables import TableStorage
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import year_file
from govbr_assets_tests.core.test_calendar_picture import cells
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import encode, shard

KEY = "hub_reconciliation"
LEGACY = "data/train-00000-of-00001.parquet"


def others(graph: Graph, files: Mapping[str, bytes | None]) -> None:
    write(graph.local_hub.store, graph.repo_id, files)


def of_day(day: str, *ids: str) -> pa.Table:
    """Rows that are like those that `Graph.insert` puts into PostgreSQL."""
    rows = shard(ids, at=Day.of(day).start + timedelta(hours=9))
    count = len(ids)
    columns = {
        "content": ["texto"] * count,
        "tags": [None] * count,
        "extracted_at": [datetime(2026, 2, 1)] * count,  # noqa: DTZ001 - naive, as it is published
    }
    for name, values in columns.items():
        index = NEWS.schema.get_field_index(name)
        rows = rows.set_column(index, NEWS.schema.field(index), pa.array(values, NEWS.schema.field(index).type))
    return rows


def put(rows: pa.Table, name: str, values: Sequence[Any]) -> pa.Table:
    index = rows.schema.get_field_index(name)
    return rows.set_column(index, NEWS.schema.field(name), pa.array(values, NEWS.schema.field(name).type))


def reconciled(graph: Graph, **options: Any) -> tuple[dict[str, dict[str, int]], dict[str, Any]]:
    """Run it, and give what is not zero of each day of the table, and the metadata."""
    result = graph.reconcile(**options)
    assert result.success
    table = TableStorage(str(graph.folder), 30).read(KEY, None)
    assert table.schema.equals(DAYS_SCHEMA, check_metadata=True)
    assert table["day"].to_pylist() == sorted(table["day"].to_pylist())
    days = {
        str(row["day"]): {name: row[name] for name in COUNTS if row[name] or name.endswith("rows")}
        for row in table.to_pylist()
    }
    return days, graph.metadata(result, KEY)[""]


def told(rows: int, hub_rows: int, **more: int) -> dict[str, int]:
    return {"postgres_rows": rows, "hub_rows": hub_rows} | more


def verdict(graph: Graph) -> tuple[bool, AssetCheckSeverity]:
    (evaluation,) = graph.reconcile().get_asset_check_evaluations()
    return evaluation.passed, evaluation.severity


def ago(days: int) -> str:
    return str(Day(Day.at(datetime.now(UTC)).date - timedelta(days=days)))


def test_a_hub_that_is_what_postgres_is_leaves_an_empty_table(graph: Graph):
    graph.insert("a", "b")
    graph.insert("c", day="2025-03-02")
    graph.run("2026-01-15")
    graph.run("2025-03-02")
    days, metadata = reconciled(graph)
    assert days == {}
    assert {name: metadata[name] for name in (*COUNTS, "undated", "undated_surplus", "differing_days")} == {
        "postgres_rows": 3, "hub_rows": 3, "missing": 0, "surplus": 0, "duplicated": 0, "moved": 0, "changed": 0,
        "undated": 0, "undated_surplus": 0, "differing_days": 0,
    }  # fmt: skip
    assert (metadata["revision"], metadata["files"], metadata["unfolded_files"]) == (graph.head.revision, 2, 0)
    assert metadata["dagster/row_count"] == 0
    assert metadata["path"].endswith("/hub_reconciliation.parquet")
    assert verdict(graph) == (True, AssetCheckSeverity.WARN)


def test_each_kind_of_damage_is_told_under_its_day(graph: Graph):
    graph.insert("here", "missing")
    graph.insert("renamed", day="2025-03-02", legacy="old-name")
    graph.insert("moved", day="2025-06-01")
    graph.insert("twice", day="2024-06-01", legacy="old-twice")
    graph.insert("undated", day="2024-07-01")
    others(
        graph,
        {
            "data/train-2026-01-15.parquet": encode(of_day("2026-01-15", "here", "surplus")),
            "data/train-2025-00.parquet": year_file(
                pa.concat_tables([of_day("2025-03-02", "old-name"), of_day("2025-07-09", "moved")])
            ),
            "data/train-2024-00.parquet": year_file(of_day("2024-06-01", "twice")),
            LEGACY: as_others_write(of_day("2024-06-03", "old-twice")),
            UNDATED_PATH: encode(put(of_day("2024-06-01", "nowhere", "undated"), "published_at", [None, None])),
        },
    )
    days, metadata = reconciled(graph)
    assert days == {
        "2024-06-03": told(0, 1, duplicated=1),
        "2024-07-01": told(1, 0, moved=1),
        "2025-03-02": told(1, 1, changed=1),
        "2025-06-01": told(1, 0, moved=1),
        "2025-07-09": told(0, 1, moved=1),
        "2026-01-15": told(2, 2, missing=1, surplus=1),
    }
    assert {name: metadata[name] for name in (*COUNTS, "undated", "undated_surplus", "differing_days")} == {
        "postgres_rows": 6, "hub_rows": 8, "missing": 1, "surplus": 1, "duplicated": 1, "moved": 2, "changed": 1,
        "undated": 2, "undated_surplus": 1, "differing_days": 6,
    }  # fmt: skip
    assert (metadata["unfolded_files"], metadata["unfolded"]) == (1, LEGACY)
    assert "7 days with rows from 2024-06-01 to 2026-01-15, 6 of them differ" in metadata["calendar"]
    coverage = metadata["coverage"].splitlines()
    assert coverage[0].startswith("year | Jan | Feb")
    assert coverage[2:5] == [
        "2024 | - | - | - | - | - | 100% | 100% | - | - | - | - | -",
        "2025 | - | - | 100% | - | - | 100% | extra | - | - | - | - | -",
        "2026 | 50% | - | - | - | - | - | - | - | - | - | - | -",
    ]
    assert metadata["worst_days"].splitlines()[2] == "2026-01-15 | 2 | 2 | 1 | 1 | 0 | 0 | 0"


def test_a_published_compaction_is_what_postgres_is(graph: Graph):
    graph.insert("a", "b", day="2025-01-15")
    graph.insert("c", day="2024-02-01")
    graph.run("2025-01-15")
    graph.run("2024-02-01")
    assert graph.compact().success
    assert sorted(graph.ids()) == ["data/train-2024-00.parquet", "data/train-2025-00.parquet"]
    for deep in (False, True):
        assert reconciled(graph, deep=deep)[0] == {}


@pytest.mark.parametrize("deep", [False, True])
def test_without_a_repo_all_is_missing(graph: Graph, deep: bool):
    graph.insert("a", "b", legacy=None)
    days, metadata = reconciled(graph, deep=deep)
    assert days == {"2026-01-15": told(2, 0, missing=2)}
    assert metadata["revision"] == "no repo yet"
    assert not graph.local_hub.store.repos() or graph.repo_id not in graph.local_hub.store.repos()


@pytest.mark.parametrize("deep", [False, True])
def test_a_repo_without_data_has_nothing_and_an_empty_postgres_leaves_all_of_the_hub_over(graph: Graph, deep: bool):
    others(graph, {"README.md": b"# Nothing yet"})
    assert reconciled(graph, deep=deep)[0] == {}
    others(graph, {"data/train-2026-01-15.parquet": encode(of_day("2026-01-15", "a", "b"))})
    assert reconciled(graph, deep=deep)[0] == {"2026-01-15": told(0, 2, surplus=2)}


def test_a_row_at_any_hour_of_a_day_with_a_clock_change_is_of_that_day(graph: Graph):
    day = Day.of("2018-11-04")  # begins at 01:00, and has 23 hours
    instants = [day.start - timedelta(microseconds=1), day.start, day.end - timedelta(microseconds=1), day.end]
    graph.insert("before", "first", "last", "after")
    graph.execute(
        *(
            f"UPDATE news SET published_at = '{at.isoformat()}' WHERE unique_id = '{name}'"
            for name, at in zip(("before", "first", "last", "after"), instants, strict=True)
        )
    )
    rows = put(of_day("2018-11-04", "first", "last"), "published_at", instants[1:3])
    others(graph, {"data/train-2018-11-04.parquet": encode(rows)})
    days, metadata = reconciled(graph)
    assert days == {"2018-11-03": told(1, 0, missing=1), "2018-11-05": told(1, 0, missing=1)}
    assert metadata["hub_rows"] == 2


STRINGS = {
    "published_at": pa.array(["2026-01-15T09:00:00-03:00", "2026-01-15 23:30:00", None]),
    "updated_datetime": pa.array([None, None, None], pa.string()),
}


def with_times_as_text(*ids: str) -> pa.Table:
    rows = of_day("2026-01-15", *ids)
    for name, values in STRINGS.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows


@pytest.mark.parametrize("deep", [False, True])
def test_a_file_with_times_as_text_is_compared_and_waits_for_a_compaction(graph: Graph, deep: bool):
    graph.insert("a")
    others(graph, {"data/train-2026-01-15.parquet": as_others_write(with_times_as_text("a", "late", "undated"))})
    days, metadata = reconciled(graph, deep=deep)
    assert days == {"2026-01-15": told(1, 2, surplus=1)}  # 23:30 without a zone is UTC, and so the same day here
    assert (metadata["undated"], metadata["undated_surplus"]) == (1, 1)
    assert (metadata["unfolded_files"], metadata["unfolded"]) == (1, "data/train-2026-01-15.parquet")


TWO, MAY = of_day("2025-05-02", "a", "b"), of_day("2025-05-03", "c")
YEARS = {
    "one row group in order": (as_others_write(pa.concat_tables([TWO, MAY]), 9), True),
    "two of one month": (as_others_write(pa.concat_tables([TWO, MAY]), 2), False),
    "times out of order": (as_others_write(pa.concat_tables([MAY, TWO]), 9), False),
    "ids of one time out of order": (as_others_write(put(TWO.take([1, 0]), "published_at", [MAY[2][0]] * 2)), False),
    "a row twice": (as_others_write(pa.concat_tables([TWO, TWO.slice(1)]), 9), False),
    "an id twice": (as_others_write(pa.concat_tables([TWO, of_day("2025-05-03", "b")]), 9), True),  # days remove one
    "another year": (encode(pa.concat_tables([of_day("2024-12-31", "x"), TWO])), False),
    "another year alone": (encode(of_day("2024-12-31", "x")), False),
    "two months in a row group": (as_others_write(pa.concat_tables([TWO, of_day("2025-06-01", "d")]), 9), False),
    "two months in two row groups": (as_others_write(pa.concat_tables([TWO, of_day("2025-06-01", "d")]), 2), True),
    "a row without a time": (encode(put(TWO, "published_at", [None, MAY[2][0].as_py()])), False),
    "no rows": (encode(TWO.slice(2)), True),
}


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", YEARS)
def test_a_year_that_is_not_as_compacted_files_are_waits_for_a_compaction(graph: Graph, kind: str, deep: bool):
    (content, compacted), path = YEARS[kind], "data/train-2025-00.parquet"
    others(graph, {path: content})
    metadata = reconciled(graph, deep=deep)[1]
    assert (metadata["unfolded_files"], metadata["unfolded"]) == ((0, "none") if compacted else (1, path))
    _dataset.cache_clear()
    graph.local_hub.faults.forget()
    assert reconciled(graph, deep=deep)[1]["unfolded_files"] == (not compacted)  # as kept keys tell
    assert [each.path for each in graph.local_hub.faults.requests if "/api/" not in each.path] == []
    assert graph.compact().success
    assert reconciled(graph, deep=deep)[1]["unfolded_files"] == 0
    assert (graph.head.files.get(path) is None) == (kind == "another year alone")


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.timestamp("ms", "-03:00")])
def test_a_file_with_times_of_another_unit_or_zone_is_compared(graph: Graph, kind: pa.DataType):
    graph.insert("a")
    rows = of_day("2026-01-15", "a")
    others(graph, {LEGACY: as_others_write(rows.set_column(2, "published_at", rows["published_at"].cast(kind)))})
    assert reconciled(graph)[0] == {}


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (of_day("2026-01-15", "a").drop_columns(["published_at"]), "published_at"),
        (of_day("2026-01-15", "a").drop_columns(["unique_id"]), "unique_id"),
        (of_day("2026-01-15", "a").set_column(2, "published_at", pa.array(["yesterday"])), "yesterday"),
    ],
)
def test_a_file_whose_keys_cannot_be_read_is_named_and_never_counts_as_empty(graph: Graph, rows: pa.Table, named: str):
    graph.insert("a")
    others(graph, {LEGACY: as_others_write(rows)})
    result = graph.reconcile()
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert failure.user_failure_data
    assert LEGACY in (failure.user_failure_data.description or "")
    assert named in (failure.user_failure_data.description or "")


def test_a_file_that_is_no_parquet_is_named(graph: Graph):
    others(graph, {LEGACY: b"no parquet, but long enough to be looked at"})
    result = graph.reconcile()
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert failure.user_failure_data
    assert LEGACY in (failure.user_failure_data.description or "")


CHANGES = {
    "title": "UPDATE news SET title = 'Another' WHERE unique_id = 'b'",
    "null and empty": "UPDATE news SET subtitle = '' WHERE unique_id = 'b'",
    "time of the day": "UPDATE news SET published_at = published_at + interval '1 minute' WHERE unique_id = 'b'",
    "tags": "UPDATE news SET tags = '{}' WHERE unique_id = 'b'",
}
RENAMED = "UPDATE news SET unique_id = 'new', legacy_unique_id = 'b' WHERE unique_id = 'b'"


@pytest.mark.parametrize("change", CHANGES)
def test_deep_mode_sees_what_the_shallow_one_cannot(graph: Graph, change: str):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    assert reconciled(graph, deep=True)[0] == {}
    graph.execute(CHANGES[change])
    assert reconciled(graph)[0] == {}
    days, metadata = reconciled(graph, deep=True)
    assert days == {"2026-01-15": told(2, 2, changed=1)}
    assert (metadata["changed"], metadata["deep"]) == (1, True)


def test_a_row_under_its_legacy_id_is_seen_by_either_mode_until_it_is_published(graph: Graph):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    graph.execute(RENAMED)
    for deep in (False, True):
        assert reconciled(graph, deep=deep)[0] == {"2026-01-15": told(2, 2, changed=1)}
    graph.run("2026-01-15")
    assert reconciled(graph)[0] == {}


def test_a_row_under_its_legacy_id_that_no_run_can_publish_is_no_difference(graph: Graph):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    graph.execute(RENAMED, "UPDATE news SET published_at = 'infinity' WHERE unique_id = 'new'")
    assert reconciled(graph)[0] == {}


def test_of_a_changed_row_and_its_equal_the_equal_one_counts_as_the_row(graph: Graph):
    graph.insert("a")
    changed = put(of_day("2026-01-15", "a"), "title", ["Another"])
    both = pa.concat_tables([changed, of_day("2026-01-15", "a")])
    for some, found in ((both, told(1, 2, duplicated=1)), (changed, told(1, 1, changed=1))):
        others(graph, {LEGACY: as_others_write(put(some, "agency", ["mec"] * some.num_rows))})
        assert reconciled(graph, deep=True)[0] == {"2026-01-15": found}


def test_a_day_that_cannot_be_published_is_named_and_the_others_are_compared(graph: Graph):
    graph.insert("bad", day="2026-01-14")
    graph.insert("a")
    graph.run("2026-01-14")
    graph.run("2026-01-15")
    graph.execute(
        "UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'bad'",
        "UPDATE news SET title = 'Another' WHERE unique_id = 'a'",
    )
    days, metadata = reconciled(graph, deep=True)
    assert days == {"2026-01-15": told(1, 1, changed=1)}
    assert metadata["refused_days"] == 1
    assert metadata["refused"].startswith("2026-01-14: Column updated_datetime of the row with id")
    calendar = ElementTree.fromstring(unquote(metadata["calendar"].partition("svg+xml,")[2].removesuffix(")")))
    assert {kind for _, kind in cells(calendar)} == {"rejected", "differs"}


@pytest.mark.parametrize("deep", [False, True])
def test_a_second_run_reads_nothing_but_the_head_and_the_tree(graph: Graph, deep: bool):
    graph.insert("a", "b", day="2025-01-15")
    graph.insert("c")
    graph.run("2025-01-15")
    graph.compact()
    graph.run("2026-01-15")
    others(graph, {LEGACY: as_others_write(of_day("2024-06-03", "d"))})
    first, told_first = reconciled(graph, deep=deep)
    _dataset.cache_clear()
    graph.local_hub.faults.forget()
    assert reconciled(graph, deep=deep)[0] == first == {"2024-06-03": told(0, 1, surplus=1)}
    assert told_first["files_fetched"] >= 1
    assert [each.path for each in graph.local_hub.faults.requests if "/api/" not in each.path] == []
    others(graph, {"data/train-2024-06-04.parquet": encode(of_day("2024-06-04", "e"))})
    _, metadata = reconciled(graph, deep=deep)
    assert (metadata["files"], metadata["files_fetched"]) == (4, 1)


@pytest.mark.parametrize(("deep", "kind"), [(False, "keys"), (True, f"xxh3-{NEWS.fingerprint}")])
def test_what_a_disk_has_damaged_is_read_anew(graph: Graph, deep: bool, kind: str):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    assert reconciled(graph, deep=deep)[0] == {}
    (kept,) = (graph.folder / "hub").glob(f"*.{kind}")
    kept.write_bytes(kept.read_bytes()[::-1])
    _dataset.cache_clear()  # a new process looks anew at what is kept
    days, metadata = reconciled(graph, deep=deep)
    assert (days, metadata["files_fetched"]) == ({}, 1)
    assert reconciled(graph, deep=deep)[1]["files_fetched"] == 0


@pytest.mark.parametrize(
    ("days", "passed", "severity"),
    [
        ([], True, AssetCheckSeverity.WARN),
        ([0], False, AssetCheckSeverity.WARN),
        ([1], False, AssetCheckSeverity.WARN),
        ([2], False, AssetCheckSeverity.ERROR),
        ([0, 1, 900], False, AssetCheckSeverity.ERROR),
    ],
)
def test_today_and_yesterday_are_a_warning_and_older_days_an_error(
    graph: Graph, days: list[int], passed: bool, severity: AssetCheckSeverity
):
    for each in days:
        graph.insert(f"id{each}", day=ago(each))
    assert verdict(graph) == (passed, severity)


def test_rows_without_a_day_that_postgres_lacks_are_a_warning(graph: Graph):
    others(graph, {UNDATED_PATH: encode(put(of_day("2024-06-01", "nowhere"), "published_at", [None]))})
    (evaluation,) = graph.reconcile().get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, AssetCheckSeverity.WARN)
    assert evaluation.metadata["undated_surplus"].value == 1
    assert evaluation.metadata["differing_days"].value == 0


def test_the_check_names_the_worst_days(graph: Graph):
    graph.insert("a", "b", day="2025-01-15")
    graph.insert("c", day="2024-01-15")
    (evaluation,) = graph.reconcile().get_asset_check_evaluations()
    assert str(evaluation.metadata["worst_days"].value).splitlines()[2:] == [
        "2025-01-15 | 2 | 0 | 2 | 0 | 0 | 0 | 0",
        "2024-01-15 | 1 | 0 | 1 | 0 | 0 | 0 | 0",
    ]


def test_the_stored_table_outlives_the_tables_of_days(graph: Graph):
    graph.insert("a")
    reconciled(graph)
    path = graph.folder / "hub_reconciliation.parquet"
    os.utime(path, (0, 0))
    TableStorage(str(graph.folder), 1).prune(KEY)
    graph.run("2026-01-15")
    assert path.exists()


def test_a_table_that_was_never_made_is_asked_for(graph: Graph):
    with pytest.raises(NotMaterializedError, match=rf"{KEY} is not in .*: materialize it first\.$"):
        TableStorage(str(graph.folder), 30).read(KEY, None)


def test_a_postgres_that_is_away_is_no_empty_one(graph: Graph):
    others(graph, {LEGACY: as_others_write(of_day("2024-06-03", "d"))})
    result = graph.reconcile(postgres=PostgresResource(url="postgresql://user@127.0.0.1:1/news"))
    assert not result.success
    assert not (graph.folder / "hub_reconciliation.parquet").exists()


def test_many_rows_in_every_month_are_matched_whatever_file_holds_them(graph: Graph):
    days = [f"20{20 + number // 12}-{number % 12 + 1:02}-03" for number in range(36)]
    for day in days:
        graph.insert(*(f"{day}-{number}" for number in range(5)), day=day)
    tables = [of_day(day, *(f"{day}-{number}" for number in range(5))) for day in days]
    scattered = pa.concat_tables(tables[12:24])
    others(
        graph,
        {
            "data/train-2020-00.parquet": year_file(pa.concat_tables(tables[:12]), group_rows=3),
            LEGACY: as_others_write(scattered.take(pc.sort_indices(scattered["title"]))),
        }
        | {f"data/train-{day}.parquet": encode(table) for day, table in zip(days[24:], tables[24:], strict=True)},
    )
    for deep in (False, True):
        assert reconciled(graph, deep=deep)[0] == {}


@pytest.mark.parametrize(
    ("name", "cron", "deep"),
    [
        ("daily_reconciliation_schedule", "0 4 * * *", False),
        ("weekly_deep_reconciliation_schedule", "30 6 * * 1", True),
    ],
)
def test_it_runs_after_the_sync_and_once_a_week_deep_when_somebody_switches_it_on(name: str, cron: str, deep: bool):
    schedule = defs.resolve_schedule_def(name)
    assert (schedule.cron_schedule, schedule.execution_timezone) == (cron, TIME_ZONE)
    assert schedule.default_status == DefaultScheduleStatus.STOPPED
    at = datetime(2026, 1, 19, 6, 30, tzinfo=ZoneInfo(TIME_ZONE))
    context = build_schedule_context(scheduled_execution_time=at, repository_def=defs.get_repository_def())
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert isinstance(request, RunRequest)
    config = request.run_config.get("ops", {}).get(KEY, {}).get("config", {})
    assert config.get("deep", False) == deep


def test_the_job_runs_the_asset_and_its_check_in_one_process():
    job = defs.resolve_job_def("reconciliation")
    assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == {KEY}
    assert {key.name for key in job.asset_layer.asset_graph.asset_check_keys} == {"hub_matches_postgres"}
    assert job.executor_def.name == "in_process"
