"""The daily graph, end to end, in process: days, then a week, on real PostgreSQL, Hub and viewer."""

import os
import time
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster import AssetCheckKey, AssetKey, AssetMaterialization, DagsterEventType, asset, materialize
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.defs.io_managers import ArrowTableIOManager
from govbr_assets.defs.partitions import daily
from govbr_assets.defs.resources import PostgresResource, ViewerResource
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.local.hub.actions import answer, call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import GRAPH, Graph
from govbr_assets_tests.huggingface.test_hub import Fixed, parquet
from govbr_assets_tests.tables import DAY, encode, shard
from govbr_assets_tests.unreachable import swallowing_server

SHARD = "data/train-2026-01-15.parquet"
SHARD_KEY = AssetKey("hf_parquet_shard")


def checks(result) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def failure(result) -> str:
    event = next(event for event in result.all_events if event.event_type == DagsterEventType.STEP_FAILURE)
    error = event.step_failure_data.error
    texts = [event.step_failure_data.user_failure_data.description] if event.step_failure_data.user_failure_data else []
    while error:
        texts.append(error.message)
        error = error.cause
    return "\n".join(text for text in texts if text)


def others(graph: Graph, **files: bytes) -> None:
    """Let somebody else publish files."""
    commit(
        graph.hub,
        Fixed(Changeset({name.replace("__", "/"): data for name, data in files.items()}, message="o", report=None)),
        graph.head,
    )


def test_a_day_goes_from_postgres_to_its_shard(graph: Graph):
    graph.insert("a", "b", "c")
    result = graph.run("2026-01-15")
    assert result.success
    rows = graph.hub.reader.day_rows(graph.head, DAY)
    postgres = NewsTable(graph.postgres_url, NEWS).day(DAY).drop_columns(["legacy_unique_id"])
    assert rows.equals(postgres)
    assert graph.ids() == {SHARD: ["a", "b", "c"]}
    assert checks(result) == {
        "partition_ids_are_unique": True,
        "shard_schema_is_the_contract": True,
        "hub_ids_are_unique": True,
        "postgres_rows_are_on_the_hub": True,
    }


def test_publishing_again_is_free_and_says_so(graph: Graph):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    before = graph.head
    told = graph.metadata(graph.run("2026-01-15"))["2026-01-15"]
    assert graph.head == before
    assert (told["published"], told["new_rows"], told["existing_rows"], told["bytes"]) == (False, 0, 2, 0)
    assert told["revision_before"] == told["revision_after"] == before.revision


def test_late_rows_join_the_shard_of_their_day(graph: Graph):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    graph.insert("late")
    told = graph.metadata(graph.run("2026-01-15"))["2026-01-15"]
    assert sorted(graph.ids()[SHARD]) == ["a", "b", "late"]
    assert (told["new_rows"], told["existing_rows"], told["dagster/partition_row_count"]) == (1, 2, 3)


def test_a_shard_of_160_rows_with_three_late_ones_has_163(graph: Graph):
    for hour in range(4):
        graph.insert(*(f"row{hour}-{number:02}" for number in range(40)))
    graph.run("2026-01-15")
    graph.insert("late1", "late2", "late3")
    assert graph.run("2026-01-15").success
    assert len(graph.ids()[SHARD]) == 163


def test_rows_that_other_files_hold_are_not_published_again(graph: Graph):
    others(graph, **{"data__train-00000-of-00001.parquet": parquet(shard(["a", "old-b"]))})
    graph.insert("a")
    graph.insert("b", legacy="old-b")
    graph.insert("c")
    assert graph.run("2026-01-15").success
    assert graph.ids() == {"data/train-00000-of-00001.parquet": ["a", "old-b"], SHARD: ["c"]}


def test_a_day_that_others_hold_whole_needs_no_shard(graph: Graph):
    others(graph, **{"data__train-00000-of-00001.parquet": parquet(shard(["a"]))})
    before = graph.head
    graph.insert("a")
    assert graph.run("2026-01-15").success
    assert graph.head == before


def test_a_row_in_the_own_shard_and_elsewhere_ends_up_elsewhere_only(graph: Graph):
    others(
        graph,
        **{
            "data__train-00000-of-00001.parquet": parquet(shard(["a"])),
            SHARD.replace("/", "__"): encode(shard(["a", "b"])),
        },
    )
    graph.insert("a", "b")
    assert graph.run("2026-01-15").success
    assert graph.ids() == {"data/train-00000-of-00001.parquet": ["a"], SHARD: ["b"]}


def test_a_day_without_rows_makes_no_commit_and_no_repo(graph: Graph):
    result = graph.run("2026-01-15")
    assert result.success
    assert graph.head.revision is None
    assert graph.metadata(result)["2026-01-15"]["dagster/partition_row_count"] == 0


def test_a_week_is_one_run_and_one_commit_and_each_day_has_its_numbers(graph: Graph):
    for number in range(12, 19):
        graph.insert(*(f"{number}-{index}" for index in range(number)), day=f"2026-01-{number}")
    result = graph.run("2026-01-12", "2026-01-18")
    assert result.success
    assert {day: told["new_rows"] for day, told in graph.metadata(result).items()} == {
        f"2026-01-{number}": number for number in range(12, 19)
    }
    assert [commit.title for commit in graph.local_hub.store.commits(graph.repo_id)][:-1] == [
        "Publish 105 rows of 7 days from 2026-01-12 to 2026-01-18"
    ]
    existing = graph.metadata(result, "hf_existing_ids")
    assert {told["revision"] for told in existing.values()} == {""}
    assert len(graph.metadata(result, "postgres_news_partition")) == 7
    again = graph.run("2026-01-12", "2026-01-18")
    assert again.success
    assert len(graph.local_hub.store.commits(graph.repo_id)) == 2


def test_a_range_leaves_a_verdict_for_every_day(graph: Graph):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-01-16")
    graph.run("2026-01-15", "2026-01-16")
    for name in ("hub_ids_are_unique", "postgres_rows_are_on_the_hub", "shard_schema_is_the_contract"):
        records = graph.instance.event_log_storage.get_asset_check_execution_history(
            AssetCheckKey(SHARD_KEY, name), limit=10
        )
        partitions = {
            record.partition for record in records if record.status == AssetCheckExecutionRecordStatus.SUCCEEDED
        }
        assert partitions >= {"2026-01-15", "2026-01-16"}, name


@pytest.mark.parametrize(
    "limit", ["govbr_assets.operations.sync.batches.COMMIT_DAYS", "govbr_assets.operations.sync.draft.COMMIT_FILES"]
)
def test_commits_of_a_long_range_stay_under_a_hundred_files_and_are_recorded_as_they_land(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, limit: str
):
    monkeypatch.setattr(limit, 3)
    for number in range(11, 19):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    result = graph.run("2026-01-11", "2026-01-18")
    assert result.success
    titles = [commit.title for commit in graph.local_hub.store.commits(graph.repo_id)][:-1]
    assert titles == [
        "Publish 2 rows of 2 days from 2026-01-17 to 2026-01-18",
        "Publish 3 rows of 3 days from 2026-01-14 to 2026-01-16",
        "Publish 3 rows of 3 days from 2026-01-11 to 2026-01-13",
    ]
    recorded = graph.metadata(result)
    assert len(recorded) == 8
    assert len({told["revision_after"] for told in recorded.values()}) == 3
    assert all(len(graph.metadata(result, asset)) == 8 for asset in ("postgres_news_partition", "hf_existing_ids"))


def test_a_commit_takes_no_other_day_once_it_has_bytes_enough_and_loses_none(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    for number in range(11, 17):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    one_file = len(encode(shard(["id11"])))
    monkeypatch.setattr("govbr_assets.operations.sync.plan.COMMIT_BYTES", one_file * 3 // 2)
    monkeypatch.setattr("govbr_assets.operations.sync.batches.COMMIT_DAYS", 3)
    assert graph.run("2026-01-11", "2026-01-16").success
    titles = [commit.title for commit in graph.local_hub.store.commits(graph.repo_id)][:-1]
    assert [title.split(" of ")[1][:6] for title in titles] == ["2 days"] * 3
    assert sorted(chain(*graph.ids().values())) == [f"id{number}" for number in range(11, 17)]


def test_a_bad_day_of_a_range_is_absent_by_name_and_the_others_are_published(graph: Graph):
    for number in (14, 15, 16):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'id15'")
    result = graph.run("2026-01-14", "2026-01-16")
    assert not result.success
    assert "2026-01-15: Column updated_datetime of the row with id 2 in PostgreSQL" in failure(result)
    assert "1 of 3 days is not on the Hub as it is in PostgreSQL, the others are" in failure(result)
    assert set(graph.ids()) == {"data/train-2026-01-14.parquet", "data/train-2026-01-16.parquet"}
    for name in ("postgres_news_partition", "hf_existing_ids", "hf_parquet_shard"):
        assert graph.instance.get_materialized_partitions(AssetKey(name)) == {"2026-01-14", "2026-01-16"}, name


def test_a_bad_day_stops_before_anything_is_published_and_is_not_retried(graph: Graph):
    graph.insert("a")
    graph.execute("UPDATE news SET extracted_at = '9999-12-31'")
    result = graph.run("2026-01-15", retries=2)
    assert not result.success
    assert "Column extracted_at of the row with id 1" in failure(result)
    assert not [event for event in result.all_events if event.event_type == DagsterEventType.STEP_UP_FOR_RETRY]
    assert graph.head.revision is None


def test_a_day_that_was_bad_is_published_once_it_is_mended(graph: Graph):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-01-16")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'a'")
    assert not graph.run("2026-01-15", "2026-01-16").success
    graph.execute("UPDATE news SET updated_datetime = null")
    assert graph.run("2026-01-15", "2026-01-16").success
    assert set(graph.ids()) == {SHARD, "data/train-2026-01-16.parquet"}


def test_ids_that_stand_twice_stop_their_day(graph: Graph):
    graph.execute("ALTER TABLE news DROP CONSTRAINT news_unique_id_key")
    graph.insert("a", "a")
    result = graph.run("2026-01-15")
    assert not result.success
    assert "unique_id 'a' stands more than once" in failure(result)
    assert graph.head.revision is None


NOT_READY = answer(500, "The dataset index is loading", {"X-Error-Code": "ResponseNotReady"})


def test_a_viewer_that_is_not_ready_is_not_believed_and_the_files_are_asked(graph: Graph):
    graph.insert("a")
    graph.run("2026-01-15")
    graph.insert("b")
    graph.local_viewer.faults.add(Fault("GET", "/filter", NOT_READY))
    result = graph.run("2026-01-15")
    assert result.success
    told = graph.metadata(result, "hf_existing_ids")["2026-01-15"]
    assert told["source"] == "exact"
    assert "500 (ResponseNotReady)" in told["why_not_the_viewer"]
    assert sorted(graph.ids()[SHARD]) == ["a", "b"]


def test_a_viewer_out_of_reach_costs_a_range_of_days_one_wait_and_its_reason_stands_in_each_day(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.huggingface.viewer_session._ANSWER_SECONDS", 0.5)
    keys = ["2026-01-13", "2026-01-14", "2026-01-15"]
    for key in keys:
        graph.insert(f"on {key}", day=key)
    assert graph.run(keys[0], keys[-1]).success
    for key in keys:
        graph.insert(f"late on {key}", day=key)
    with swallowing_server() as port:
        resources = graph.resources()
        away = ViewerResource(url=f"http://127.0.0.1:{port}", hub=resources["hub"])
        result = graph.run(keys[0], keys[-1], viewer=away)
    assert result.success
    told = graph.metadata(result, "hf_existing_ids")
    assert {each["source"] for each in told.values()} == {"exact"}
    assert {"gave no readable answer within 0.5 s" in each["why_not_the_viewer"] for each in told.values()} == {True}
    assert set(told) == set(keys)


@pytest.mark.usefixtures("at_once")
def test_a_step_that_is_tried_again_does_not_ask_a_viewer_out_of_reach_once_more(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    graph.insert("a")
    graph.insert("z", day="2026-01-14")
    graph.run("2026-01-14", "2026-01-15")
    graph.insert("b")
    made: list[Viewer] = []
    monkeypatch.setattr("govbr_assets.defs.resources.Viewer", lambda *told: made.append(Viewer(*told)) or made[-1])
    graph.local_hub.faults.add(Fault("*", "/resolve/.*2026-01-14", answer(500), times=8))
    away = ViewerResource(url="http://127.0.0.1:9", hub=graph.resources(storage_url="")["hub"])
    result = graph.run("2026-01-15", retries=8, viewer=away)
    assert result.success
    again = [each for each in result.all_events if each.event_type == DagsterEventType.STEP_UP_FOR_RETRY]
    assert {each.step_key for each in again} == {"hf_existing_ids"}
    assert [each._session.requests for each in made] == [1]


def test_where_only_the_viewer_may_be_asked_an_unsure_one_publishes_nothing_and_is_asked_again(graph: Graph):
    only = {"hf_existing_ids": {"source": "viewer"}}
    graph.insert("a")
    graph.run("2026-01-15", config=only)
    graph.insert("b")
    before = graph.head
    graph.local_viewer.faults.add(Fault("GET", "/filter", NOT_READY))
    result = graph.run("2026-01-15", config=only)
    assert not result.success
    assert "ResponseNotReady" in failure(result)
    assert graph.head == before
    graph.local_viewer.faults.add(Fault("GET", "/filter", NOT_READY))
    assert graph.run("2026-01-15", retries=1, config=only).success
    assert sorted(graph.ids()[SHARD]) == ["a", "b"]


def test_the_files_themselves_can_be_asked_and_the_viewer_is_left_alone(graph: Graph):
    graph.insert("a")
    graph.run("2026-01-15")
    graph.local_viewer.faults.forget()
    result = graph.run("2026-01-15", config={"hf_existing_ids": {"source": "exact"}})
    assert graph.metadata(result, "hf_existing_ids")["2026-01-15"]["source"] == "exact"
    assert not graph.local_viewer.faults.requests


def test_a_postgres_that_is_away_publishes_nothing_without_its_password(graph: Graph):
    away = PostgresResource(url="postgresql://u:s%40cret@127.0.0.1:1/news")
    result = graph.run("2026-01-15", postgres=away)
    assert not result.success
    told = "".join(str(event) for event in result.all_events)
    assert "Reading the news from PostgreSQL failed" in told
    assert "s@cret" not in told
    assert "s%40cret" not in told


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"repo_id": ""}, "GOVBR_REPO_ID is not set"),
        ({"repo_id": "no-namespace"}, "GOVBR_REPO_ID is 'no-namespace'"),
        ({"visibility": "secret"}, "GOVBR_REPO_VISIBILITY is 'secret'"),
        ({"license_id": "cc-by"}, "GOVBR_DATASET_LICENSE is 'cc-by', a licence that the Hub does not know"),
        ({"release_tags": "never"}, "GOVBR_RELEASE_TAGS is 'never': write on or off"),
    ],
)
def test_a_wrong_setting_is_named(graph: Graph, changed: dict[str, Any], named: str):
    graph.insert("a")
    assert named in failure(graph.run("2026-01-15", **changed))


def test_a_missing_database_setting_is_named(graph: Graph):
    assert "GOVBR_POSTGRES_URL is not set" in failure(graph.run("2026-01-15", postgres=PostgresResource(url="")))


def test_somebody_elses_commit_between_two_steps_is_planned_for(graph: Graph):
    graph.insert("a", "b")
    graph.run("2026-01-15")
    graph.insert("c")
    added = parquet(shard(["c"]))

    def slip_in() -> None:
        others(graph, **{"data__train-00000-of-00001.parquet": added})

    graph.local_hub.faults.add(Fault("POST", rf"{graph.repo_id}/commit/main$", call(slip_in)))
    result = graph.run("2026-01-15")
    assert result.success
    assert graph.ids() == {"data/train-00000-of-00001.parquet": ["c"], SHARD: ["a", "b"]}


def test_ids_that_were_asked_for_other_rows_are_not_trusted(graph: Graph):
    others(graph, **{"data__train-00000-of-00001.parquet": parquet(shard(["a", "late"]))})
    graph.insert("a", "b")
    assert graph.run("2026-01-15").success
    graph.insert("late")
    only = ["postgres_news_partition", "hf_parquet_shard"]
    assert graph.run("2026-01-15", checks=False, selection=only).success
    assert graph.ids() == {"data/train-00000-of-00001.parquet": ["a", "late"], SHARD: ["b"]}


@pytest.mark.parametrize("told", [(), ("asked_for", "revision")], ids=["none of it", "a part of it"])
def test_stored_ids_that_do_not_say_how_they_were_found_as_those_of_another_version_are_found_anew(
    graph: Graph, told: tuple[str, ...]
):
    others(graph, **{"data__train-00000-of-00001.parquet": parquet(shard(["a"]))})
    graph.insert("a", "b")
    graph.run("2026-01-15", selection=["postgres_news_partition", "hf_existing_ids"], checks=False)
    path = graph.folder / "hf_existing_ids" / "2026-01-15.parquet"
    found = pq.read_table(path)
    recorded = {name: value for name, value in found.schema.metadata.items() if name.decode() in told}
    assert (found["unique_id"].to_pylist(), len(recorded)) == (["a"], len(told))
    pq.write_table(found.slice(0, 0).replace_schema_metadata(recorded), path)  # trusted, it would have `a` added again
    assert graph.run("2026-01-15", selection=["hf_parquet_shard"], checks=False).success
    assert graph.ids() == {"data/train-00000-of-00001.parquet": ["a"], SHARD: ["b"]}


def test_an_event_that_was_reported_by_hand_does_not_change_what_stored_ids_say(graph: Graph):
    graph.insert("a")
    graph.run("2026-01-15")
    graph.insert("b")
    graph.run("2026-01-15", selection=["postgres_news_partition", "hf_existing_ids"], checks=False)
    graph.instance.report_runless_asset_event(AssetMaterialization("hf_existing_ids", partition="2026-01-15"))
    assert graph.run("2026-01-15", selection=["hf_parquet_shard"], checks=False).success
    assert graph.ids() == {SHARD: ["a", "b"]}


def test_tables_at_rest_are_dropped_with_age_and_a_missing_one_is_named(graph: Graph):
    graph.insert("a")
    graph.run("2026-01-15")
    tables = sorted(path.relative_to(graph.folder).as_posix() for path in graph.folder.glob("*[!b]/*.parquet"))
    assert tables == ["hf_existing_ids/2026-01-15.parquet", "postgres_news_partition/2026-01-15.parquet"]
    old = time.time() - 31 * 86400
    for path in graph.folder.rglob("*.parquet"):
        os.utime(path, (old, old))
    graph.run("2026-01-16")
    assert not list(graph.folder.rglob("2026-01-15.parquet"))
    storage = ArrowTableIOManager(storage_url=str(graph.folder)).storage()
    with pytest.raises(Exception, match=r"hf_existing_ids of 2026-01-15 is not in .*: materialize it first"):
        storage.read("hf_existing_ids", "2026-01-15")


def test_what_was_kept_of_files_long_gone_is_dropped_and_what_is_on_the_hub_is_not(graph: Graph):
    graph.insert("a", day="2026-01-14")
    graph.insert("b")
    graph.run("2026-01-14", "2026-01-15")
    graph.insert("c")
    graph.run("2026-01-15")
    kept = {path.name.split(".")[0] for path in graph.folder.glob("hub/*")}
    head = graph.head
    assert kept >= {file.content for file in (*head.data_files, head.files["README.md"])}
    assert len(kept) == 4  # two days, one of them as it was before, and the card
    old = time.time() - 31 * 86400
    for path in graph.folder.glob("hub/*"):
        os.utime(path, (old, old))
    graph.insert("d", day="2026-01-16")
    graph.run("2026-01-16", storage_url=f"{graph.folder}/")  # another process would have a client of its own, too
    head = graph.head
    assert {path.name.split(".")[0] for path in graph.folder.glob("hub/*")} == {
        file.content for file in (*head.data_files, head.files["README.md"])
    }


def test_tables_rest_at_any_fsspec_url(graph: Graph):
    graph.insert("a")
    storage = ArrowTableIOManager(storage_url=f"memory://{graph.repo_id}")
    assert graph.run("2026-01-15", table_io_manager=storage).success
    assert storage.storage().read("postgres_news_partition", "2026-01-15").num_rows == 1


def test_the_metadata_explains_the_day(graph: Graph):
    graph.insert("a", "b")
    result = graph.run("2026-01-15")
    told = graph.metadata(result)["2026-01-15"]
    assert told["path"] == SHARD
    assert told["postgres_rows"] == 2
    assert told["bytes"] == graph.head.files[SHARD].size
    assert told["revision_after"] == graph.head.revision
    assert "Title of a" in told["preview"]
    existing = graph.metadata(graph.run("2026-01-15"), "hf_existing_ids")["2026-01-15"]
    assert existing["viewer_requests"] == 2  # the window and the names, both by a count
    assert existing["source"] == "viewer"
    assert existing["viewer_seconds"] > 0
    assert existing["revision"] == graph.head.revision


def test_more_rows_than_a_page_of_the_viewer_are_all_found(graph: Graph):
    for letter in "abcde":
        graph.insert(*(f"{letter}{number:02}" for number in range(50)))
    graph.run("2026-01-15")
    result = graph.run("2026-01-15")
    assert graph.metadata(result, "hf_existing_ids")["2026-01-15"]["source"] == "viewer"
    assert graph.metadata(result)["2026-01-15"]["existing_rows"] == 250


def test_a_downstream_asset_reads_a_day_back_wherever_its_rows_are(graph: Graph):
    others(graph, **{"data__train-00000-of-00001.parquet": parquet(shard(["a"]))})
    graph.insert("a", "b")
    graph.run("2026-01-15")
    seen = {}

    @asset(partitions_def=daily, ins={})
    def reader(hf_parquet_shard: pa.Table) -> None:  # the name is the asset's
        seen["ids"] = hf_parquet_shard["unique_id"].to_pylist()

    result = materialize(
        [reader, *GRAPH],
        selection=["reader"],
        partition_key="2026-01-15",
        instance=graph.instance,
        resources=graph.resources(),
    )
    assert result.success
    assert sorted(seen["ids"]) == ["a", "b"]


def test_paths_with_a_space_work(graph: Graph, tmp_path: Path):
    graph.insert("a")
    storage = ArrowTableIOManager(storage_url=str(tmp_path / "with a space"))
    assert graph.run("2026-01-15", table_io_manager=storage).success
