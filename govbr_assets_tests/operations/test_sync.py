"""The sync of days: after its run the Hub holds a day as PostgreSQL does, and no deletion is unguarded."""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.contract import EARLIEST, LATEST
from govbr_assets.core.days import Day
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset.parquet import encode_to
from govbr_assets.defs.resources import PostgresResource
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.graphs import Graphs
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import shard
from govbr_assets_tests.test_graph import failure

DAYS = ("2026-01-30", "2026-01-31", "2026-02-01")
DAY = DAYS[1]
YEAR = "data/train-2026-00.parquet"
SHARD = "data/train-2026-01-31.parquet"


@pytest.fixture(scope="module")
def past_shards(graphs: Graphs) -> Iterator[Graph]:
    """Publish three days, of which two are in one month."""
    with graphs.new() as graph:
        graph.insert("a", "b", "c", day=DAYS[0])
        graph.insert("d", "e", "f", day=DAYS[1])
        graph.insert("g", "h", day=DAYS[2])
        assert graph.run(DAYS[0], DAYS[2], checks=False).success
        yield graph


@pytest.fixture(scope="module")
def past_compacted(graphs: Graphs, past_shards: Graph) -> Iterator[Graph]:
    """Compact them."""
    with graphs.copy(past_shards) as graph:
        assert graph.compact(checks=False).success
        assert list(graph.ids()) == [YEAR]
        yield graph


@pytest.fixture
def shards(graphs: Graphs, past_shards: Graph) -> Iterator[Graph]:
    """Go on from the shards."""
    with graphs.copy(past_shards) as graph:
        yield graph


@pytest.fixture
def compacted(graphs: Graphs, past_compacted: Graph) -> Iterator[Graph]:
    """Go on from the compacted days."""
    with graphs.copy(past_compacted) as graph:
        yield graph


@pytest.fixture(params=["shards", "compacted"])
def published(request: pytest.FixtureRequest) -> Graph:
    """Go on from either."""
    return request.getfixturevalue(request.param)


def same(graph: Graph, *days: str) -> None:
    """Hold days on the Hub against PostgreSQL, all of their columns."""
    hub, head, keys = graph.hub, graph.head, sorted(map(Day.of, days or DAYS))
    take = NewsTable(graph.postgres_url, NEWS).read_days(keys)
    for day in keys:
        wanted = take(day).select(NEWS.schema.names)
        found = hub.reader.day_rows(head, day)
        order = [("published_at", "ascending"), ("unique_id", "ascending")]
        assert found.sort_by(order).equals(wanted.sort_by(order)), day


def told(graph: Graph, result: Any, day: str = DAY) -> Mapping[str, Any]:
    assert result.success, failure(result)
    return graph.metadata(result)[day]


def change(graph: Graph, row: str, **values: str) -> None:
    sets = ", ".join(f"{name} = {value}" for name, value in values.items())
    graph.execute(f"UPDATE news SET {sets} WHERE unique_id = '{row}'")


def test_a_changed_row_is_changed_in_the_file_that_holds_it(published: Graph):
    files = list(published.ids())
    change(published, "e", title="'Another title'", subtitle="''")
    metadata = told(published, published.run(DAY))
    assert (metadata["changed_rows"], metadata["new_rows"], metadata["published"]) == (1, 0, True)
    assert metadata["changed_columns"] == "title (1), subtitle (1)"
    assert "e (title, subtitle)" in metadata["plan"]
    assert list(published.ids()) == files
    same(published)


def test_where_nothing_differs_nothing_is_written(published: Graph):
    head = published.head
    metadata = told(published, published.run(DAYS[0], DAYS[2]))
    assert published.head == head
    assert (metadata["plan"], metadata["published"]) == ("Nothing differs.", False)


def test_null_and_empty_differ(published: Graph):
    change(published, "e", summary="''")
    assert told(published, published.run(DAY))["changed_columns"] == "summary (1)"
    change(published, "e", summary="NULL")
    assert told(published, published.run(DAY))["changed_columns"] == "summary (1)"
    same(published)


def test_a_new_row_goes_into_the_shard_of_its_day(compacted: Graph):
    compacted.insert("late", day=DAY)
    assert told(compacted, compacted.run(DAY))["new_rows"] == 1
    assert compacted.ids()[SHARD] == ["late"]
    same(compacted)


def test_a_row_with_another_id_is_the_same_row(published: Graph):
    change(published, "e", legacy_unique_id="'e'", unique_id="'e-2026'")
    metadata = told(published, published.run(DAY))
    assert (metadata["changed_columns"], metadata["new_rows"], metadata["removed"]) == ("unique_id (1)", 0, 0)
    same(published)


def test_a_row_that_is_gone_is_removed_from_the_file_that_holds_it(published: Graph):
    published.execute("DELETE FROM news WHERE unique_id = 'e'")
    metadata = told(published, published.run(DAY))
    assert (metadata["removed"], metadata["kept"]) == (1, 0)
    same(published)


def test_a_row_that_moved_away_leaves_in_the_commit_that_puts_it_where_it_belongs(published: Graph):
    before = published.head
    change(published, "e", published_at=f"'{DAYS[2]}T10:00-03:00'")
    metadata = told(published, published.run(DAY))
    assert (metadata["moved_out"], metadata["removed"]) == (1, 0)
    assert (
        len(published.local_hub.store.commits(published.repo_id))
        == len([each for each in published.local_hub.store.commits(published.repo_id) if each.sha != before.revision])
        + 1
    )
    same(published)


def test_a_row_that_moved_here_comes_from_where_it_was(published: Graph):
    change(published, "e", published_at=f"'{DAYS[2]}T10:00-03:00'")
    metadata = told(published, published.run(DAYS[2]), DAYS[2])
    assert (metadata["moved_in"], metadata["new_rows"]) == (1, 0)
    same(published)


def test_rows_that_changed_places_all_arrive(published: Graph):
    change(published, "a", published_at=f"'{DAYS[1]}T10:00-03:00'")
    change(published, "e", published_at=f"'{DAYS[2]}T10:00-03:00'")
    change(published, "g", published_at=f"'{DAYS[0]}T10:00-03:00'")
    assert published.run(DAYS[0], DAYS[2]).success
    same(published)
    head = published.head
    assert published.run(DAYS[0], DAYS[2]).success
    assert published.head == head


def test_two_rows_that_swapped_their_days_do_so_in_one_run_of_one_day(published: Graph):
    change(published, "a", published_at=f"'{DAYS[1]}T10:00-03:00'")
    change(published, "e", published_at=f"'{DAYS[0]}T10:00-03:00'")
    metadata = told(published, published.run(DAY))
    assert (metadata["moved_in"], metadata["moved_out"], metadata["removed"]) == (1, 1, 0)
    same(published)


def test_a_moved_row_that_stands_there_already_only_leaves(published: Graph):
    change(published, "e", published_at=f"'{DAYS[2]}T10:00-03:00'")
    assert published.run(DAYS[2], selection=["postgres_news_partition"]).success
    store = published.local_hub.store
    moved = shard(["e"], at=Day.of(DAYS[2]).start)
    files = published.ids()
    path = f"data/train-{DAYS[2]}.parquet"
    if path in files:
        old = published.hub.reader.day_rows(published.head, Day.of(DAYS[2]))
        moved = pa.concat_tables([old, moved])
    write(store, published.repo_id, {path: as_others_write(moved)})
    metadata = told(published, published.run(DAY))
    assert metadata["moved_out"] == 1
    assert published.run(DAYS[2]).success
    same(published)


def test_a_whole_day_that_stands_twice_stands_once_and_is_no_removal(compacted: Graph):
    rows = compacted.hub.reader.day_rows(compacted.head, Day.of(DAY))
    write(compacted.local_hub.store, compacted.repo_id, {SHARD: as_others_write(rows)})
    metadata = told(compacted, compacted.run(DAY))
    assert (metadata["doubled"], metadata["removed"]) == (3, 0)
    assert list(compacted.ids()) == [YEAR]
    same(compacted)


def test_row_groups_without_a_change_come_out_byte_for_byte(compacted: Graph):
    def groups() -> dict[int, bytes]:
        blob = compacted.local_hub.store.tree(compacted.repo_id, "main")[YEAR]
        metadata, data = pq.read_metadata(blob.path), blob.path.read_bytes()
        found = {}
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            chunks = [group.column(number) for number in range(group.num_columns)]
            start = min(each.dictionary_page_offset or each.data_page_offset for each in chunks)
            found[index] = data[start : start + sum(each.total_compressed_size for each in chunks)]
        return found

    before = groups()
    change(compacted, "g", title="'Another title'")
    assert compacted.run(DAYS[2]).success
    after = groups()
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_the_last_row_of_a_year_takes_its_file_along(compacted: Graph):
    compacted.execute("DELETE FROM news")
    result = compacted.run(DAYS[0], DAYS[2], config={"hf_parquet_shard": {"allow_removals": True}})
    assert result.success, failure(result)
    assert compacted.ids() == {}


def test_an_empty_postgres_empties_nothing(published: Graph):
    before = published.ids()
    published.execute("DELETE FROM news")
    result = published.run(DAYS[0], DAYS[2])
    assert not result.success
    assert "PostgreSQL has no row of the day, and the Hub would lose all of it, 3 rows" in failure(result)
    assert "allow_removals" in failure(result)
    assert published.ids() == before


def test_too_many_removals_are_held_back_and_the_rest_is_published(graph: Graph):
    graph.insert(*(f"r{number:02}" for number in range(20)), day=DAY)
    assert graph.run(DAY, checks=False).success
    graph.execute("DELETE FROM news WHERE unique_id < 'r05'")
    graph.insert("late", day=DAY)
    change(graph, "r10", title="'Another title'")
    result = graph.run(DAY, checks=False)
    assert not result.success
    assert "5 of the day's 20 rows on the Hub are not in PostgreSQL, more than 20%" in failure(result)
    ids = graph.ids()[SHARD]
    assert {"late", "r00", "r04"} <= set(ids)
    titles = graph.hub.reader.day_rows(graph.head, Day.of(DAY)).to_pylist()
    assert {row["title"] for row in titles if row["unique_id"] == "r10"} == {"Another title"}
    allowed = graph.run(DAY, checks=False, config={"hf_parquet_shard": {"allow_removals": True}})
    assert told(graph, allowed)["removed"] == 5
    same(graph, DAY)


def test_removals_of_all_days_within_a_day_add_up(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("govbr_assets.operations.sync.guard.REMOVALS", 3)
    for day in DAYS:
        graph.insert(*(f"{day}-{number}" for number in range(12)), day=day)
    assert graph.run(DAYS[0], DAYS[2], checks=False).success
    graph.execute("DELETE FROM news WHERE unique_id IN ('2026-01-30-0', '2026-01-30-1')")
    assert told(graph, graph.run(DAYS[0], checks=False), DAYS[0])["removed"] == 2
    graph.execute("DELETE FROM news WHERE unique_id IN ('2026-01-31-0', '2026-02-01-0')")
    result = graph.run(DAYS[1], DAYS[2], checks=False)
    assert not result.success
    assert "2 have been removed within 24 hours without an approval: together more than 3" in failure(result)
    assert len(graph.ids()[SHARD]) == 12
    assert told(graph, graph.run(DAYS[1], checks=False))["removed"] == 1  # the third one of the day


def test_what_went_by_approval_does_not_count_within_the_hours(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("govbr_assets.operations.sync.guard.REMOVALS", 3)
    for day in DAYS:
        graph.insert(*(f"{day}-{number}" for number in range(12)), day=day)
    assert graph.run(DAYS[0], DAYS[2], checks=False).success

    def delete(*ids: str, approved: str = "") -> bool:
        graph.execute(*(f"DELETE FROM news WHERE unique_id = '{id}'" for id in ids))
        return graph.run(DAYS[0], DAYS[2], checks=False, allow_removals=approved).success

    assert delete("2026-01-30-0")
    assert not delete("2026-01-30-1", "2026-01-31-1", "2026-02-01-1")
    assert delete(approved="3")
    assert delete("2026-01-30-2", "2026-01-31-2")
    assert not delete("2026-02-01-2")
    assert not delete(approved="3")
    assert delete(approved="4")


def test_rows_are_kept_where_that_is_chosen(published: Graph):
    published.execute("DELETE FROM news WHERE unique_id = 'e'")
    before = published.head
    metadata = told(published, published.run(DAY, config={"hf_parquet_shard": {"removals": "keep"}}, checks=False))
    assert (metadata["removed"], metadata["kept"]) == (0, 1)
    assert published.head == before


def test_a_dry_run_shows_the_plan_and_changes_nothing(published: Graph):
    change(published, "e", title="'Another title'")
    published.execute("DELETE FROM news WHERE unique_id = 'f'")
    before = published.head
    result = published.run(DAY, config={"hf_parquet_shard": {"dry_run": True}}, checks=False)
    assert result.success, failure(result)
    (seen,) = [each for each in result.get_asset_observation_events() if each.partition == DAY]
    metadata = seen.asset_observation_data.asset_observation.metadata
    assert (metadata["changed_rows"].value, metadata["removed"].value) == (1, 1)
    assert "e (title)" in str(metadata["plan"].value)
    printed = [each.user_message for each in published.instance.all_logs(result.run_id)]
    assert f"{DAY}:\n{metadata['plan'].value}" in printed
    assert published.head == before


def test_rows_in_uncompacted_files_stop_their_day_until_a_compaction_has_run(graph: Graph):
    base = "data/train-00000-of-00001.parquet"
    write(graph.local_hub.store, graph.repo_id, {base: as_others_write(shard(["a"]))})
    graph.insert("a", "b", day=DAY)
    graph.insert("c", day=DAYS[0])
    result = graph.run(DAYS[0], DAY, checks=False, config={"hf_parquet_shard": {"unfolded": "stop"}})
    assert not result.success
    assert f"Rows of {DAY} (1) are in files that are not compacted ({base}): run weekly_consolidation" in failure(
        result
    )
    assert graph.ids() == {base: ["a"], "data/train-2026-01-30.parquet": ["c"]}
    assert graph.compact(checks=False).success
    assert base not in graph.ids()
    assert graph.run(DAY, checks=False, config={"hf_parquet_shard": {"unfolded": "stop"}}).success
    same(graph, DAYS[0], DAY)


FAULTS = {
    "an id is null": ("unique_id", [None, "y"]),
    "a time is before the year 1": ("published_at", [EARLIEST - 10**15, 0]),
    "a time is after the year 9999": ("published_at", [0, LATEST + 10**15]),
}


def faulty(name: str, values: list[Any]) -> bytes:
    """Make a file with a key that may not be published, in a column that has the published type."""
    rows, kind = shard(["x", "y"]), NEWS.schema.field(name).type
    plain = pa.array(values, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
    return as_others_write(rows.set_column(rows.schema.get_field_index(name), name, plain))


@pytest.mark.parametrize(("fault", "source"), list(zip(FAULTS, ["exact", "auto", "exact"], strict=True)))
def test_a_faulty_key_in_a_file_of_others_stops_a_compaction_but_no_day(graph: Graph, fault: str, source: str):
    base = "data/train-00000-of-00001.parquet"
    write(graph.local_hub.store, graph.repo_id, {base: faulty(*FAULTS[fault])})
    graph.insert("a", "b", day=DAY)
    options = {"hf_existing_ids": {"source": source}, "hf_parquet_shard": {"unfolded": "stop"}}
    result = graph.run(DAY, checks=False, config=options)
    assert result.success, failure(result)
    assert graph.ids()[SHARD] == ["a", "b"]
    same(graph, DAY)
    assert graph.reconcile().output_for_node("hub_reconciliation") is not None
    compaction = graph.compact(checks=False)
    assert FAULTS[fault][0] in failure(compaction)
    assert base in failure(compaction)


@pytest.mark.parametrize("path", [YEAR, "data/train-2026-01-15.parquet"])
def test_a_file_of_ours_with_a_null_id_stops_its_day_alone(graph: Graph, path: str):
    write(graph.local_hub.store, graph.repo_id, {path: faulty(*FAULTS["an id is null"])})
    graph.insert("y", day="2026-01-15")
    graph.insert("c", day="2026-01-16")
    result = graph.run("2026-01-15", "2026-01-16", checks=False)
    assert f"Column unique_id in {path} is null in at least one row" in failure(result)
    assert graph.ids()["data/train-2026-01-16.parquet"] == ["c"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_whoever_still_wants_days_to_compact_the_dataset_is_told_what_to_run(graph: Graph, *, dry_run: bool):
    base = "data/train-00000-of-00001.parquet"
    write(graph.local_hub.store, graph.repo_id, {base: as_others_write(shard(["a"]))})
    graph.insert("b", day=DAY)
    before = graph.head
    result = graph.run(DAY, checks=False, config={"hf_parquet_shard": {"unfolded": "fold", "dry_run": dry_run}})
    assert "`unfolded: fold` is no option of hf_parquet_shard any more: run the job weekly_consolidation" in failure(
        result
    )
    assert graph.head == before


def test_a_day_whose_rows_moved_to_many_others_waits_for_a_commit_that_takes_all_of_its_files(
    shards: Graph, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.operations.sync.draft.COMMIT_FILES", 3)
    change(shards, "a", title="'Another title'")
    change(shards, "d", published_at=f"'{DAYS[2]}T10:00-03:00'")
    change(shards, "e", published_at="'2026-01-20T10:00-03:00'")
    before = len(shards.local_hub.store.commits(shards.repo_id))
    assert shards.run(DAYS[0], DAYS[1]).success
    assert len(shards.local_hub.store.commits(shards.repo_id)) == before + 2
    same(shards, *DAYS, "2026-01-20")


def test_a_postgres_that_cannot_be_asked_for_a_row_removes_nothing(published: Graph):
    published.execute("DELETE FROM news WHERE unique_id = 'e'")
    before = published.ids()
    earlier = ["postgres_news_partition", "hf_existing_ids"]
    assert published.run(DAY, selection=earlier, checks=False).success
    away = PostgresResource(url="postgresql://nobody@127.0.0.1:1/none")
    result = published.run(DAY, selection=["hf_parquet_shard"], checks=False, postgres=away)
    assert not result.success
    assert "Reading the news from PostgreSQL failed" in failure(result)
    assert published.ids() == before


def test_the_row_group_of_a_month_is_read_once_for_all_of_its_days(compacted: Graph):
    faults, content = compacted.local_hub.faults, compacted.head.files[YEAR].content
    reads = []
    for last in (DAYS[0], DAYS[1]):
        assert compacted.run(DAYS[0], last, checks=False).success  # what is kept of the file is kept by now
        faults.forget()
        assert compacted.run(DAYS[0], last, checks=False).success
        reads.append(len(faults.seen("GET", f"^/lfs/{content}")))
    assert reads[0] == reads[1] > 0


@pytest.mark.parametrize("lost", ["a new shard", "a changed shard", "a year"])
def test_a_row_that_is_lost_on_the_way_into_a_file_stops_the_commit(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, lost: str
):
    graph.insert("d", "e", "f", day=DAY)
    if lost != "a new shard":
        assert graph.run(DAY, checks=False).success
        change(graph, "e", title="'Another title'")
    if lost == "a year":
        assert graph.compact(checks=False).success
    before = graph.head

    def without_the_last_row(sink: IO[bytes], tables: Iterable[pa.Table], spec: DatasetSpec, *_: object) -> int:
        rows = pa.concat_tables(tables)
        return encode_to(sink, [rows.slice(0, rows.num_rows - 1)], spec)

    monkeypatch.setattr("govbr_assets.operations.rewrite.encode_to", without_the_last_row)
    result = graph.run(DAY, checks=False)
    assert not result.success
    assert "3 should be there, 2 are. Nothing was published" in failure(result)
    assert graph.head.revision == before.revision
