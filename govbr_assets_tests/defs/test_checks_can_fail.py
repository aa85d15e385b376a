"""No check is green on a dataset that lost rows behind our back: emptied, without a year, hidden by its card, gone."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
from dagster import AssetSelection, materialize

from govbr_assets.dataset import visible_rows as room
from govbr_assets.dataset.changeset import Changeset, VisibleRows
from govbr_assets.dataset.transaction import commit
from govbr_assets.dataset.visible_rows import rows_seen
from govbr_assets.errors import IncompleteCommitError, ProofError
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import GRAPH, RECONCILIATION, WEEKLY, Graph
from govbr_assets_tests.graphs import Graphs
from govbr_assets_tests.huggingface.test_hub import Fixed, put
from govbr_assets_tests.operations.test_compact import rows
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import encode, shard

SHARD = "data/train-2026-01-15.parquet"
YEAR_2024, YEAR_2025 = "data/train-2024-00.parquet", "data/train-2025-00.parquet"
OF_A_DAY = {"shard_schema_is_the_contract", "hub_ids_are_unique", "postgres_rows_are_on_the_hub"}
OF_ALL = {"dataset_ids_are_unique", "dataset_schema_is_the_contract", "dataset_is_sorted", "no_row_was_lost"}
CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: {}
---
"""


def no_rows() -> bytes:
    sink = io.BytesIO()
    pq.write_table(NEWS.schema.empty_table(), sink)
    return sink.getvalue()


def card(path: str) -> bytes:
    return CARD.format(path).encode()


def damage(graph: Graph, files: dict[str, bytes | None]) -> None:
    write(graph.local_hub.store, graph.repo_id, files, "Tidy up")


EMPTIED: dict[str, Callable[[Graph], None]] = {
    "all files deleted": lambda graph: damage(graph, dict.fromkeys((YEAR_2024, YEAR_2025, SHARD))),
    "files without rows": lambda graph: damage(graph, dict.fromkeys((YEAR_2024, YEAR_2025, SHARD), no_rows())),
    "a card that selects none": lambda graph: damage(graph, {"README.md": card("data/news-*.parquet")}),
    "the repo deleted": lambda graph: graph.local_hub.store.delete(graph.repo_id),
}
DAMAGED: dict[str, Callable[[Graph], None]] = {
    "a year deleted": lambda graph: damage(graph, {YEAR_2024: None}),
    "a year made smaller": lambda graph: damage(graph, {YEAR_2025: encode(shard(["of-2025-05-01"]))}),
    "a card that selects a year": lambda graph: damage(graph, {"README.md": card("data/train-2025-*.parquet")}),
    "a card that names what is not there": lambda graph: damage(
        graph, {"README.md": card("[data/train-*.parquet, data/more.parquet]")}
    ),
}


@pytest.fixture(scope="module")
def past_years(graphs: Graphs) -> Iterator[Graph]:
    """Publish two rows of each of two years."""
    files = {
        YEAR_2024: encode(rows("and-2024-03-01", "of-2024-03-01", day="2024-03-01")),
        YEAR_2025: encode(rows("and-2025-05-01", "of-2025-05-01", day="2025-05-01")),
    }
    with graphs.new() as graph:
        commit(graph.hub, Fixed(Changeset(files, message="Compaction", report=None)), graph.head)
        yield graph


@pytest.fixture(scope="module")
def past_published(graphs: Graphs, past_years: Graph) -> Iterator[Graph]:
    """Publish a day as well, and measure: all that is in PostgreSQL is there."""
    with graphs.copy(past_years) as graph:
        for day in ("2024-03-01", "2025-05-01", "2026-01-15"):
            graph.insert(f"of-{day}", f"and-{day}", day=day)
        assert graph.run("2026-01-15", checks=False).success
        assert set(graph.ids()) == {YEAR_2024, YEAR_2025, SHARD}
        assert graph.reconcile().success
        yield graph


@pytest.fixture
def years(graphs: Graphs, past_years: Graph) -> Iterator[Graph]:
    """Go on from the years."""
    with graphs.copy(past_years) as graph:
        yield graph


@pytest.fixture
def published(graphs: Graphs, past_published: Graph) -> Iterator[Graph]:
    """Go on from the day and the measurement."""
    with graphs.copy(past_published) as graph:
        yield graph


def judged(graph: Graph, assets: list[Any], partition: str | None = None) -> dict[str, bool]:
    """Run the checks of some assets alone, as in the UI; one that breaks off is not green either."""
    # Dagster runs no checks of a day without an asset of that day: the one that leaves the Hub alone.
    more = AssetSelection.assets("postgres_news_partition") if partition else AssetSelection.assets()
    result = materialize(
        assets,
        selection=AssetSelection.all_asset_checks() | more,
        instance=graph.instance,
        resources=graph.resources(),
        raise_on_error=False,
        partition_key=partition,
    )
    passed = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    names = {key.name for each in assets if not each.keys for key in each.check_keys}
    return {name: passed.get(name, False) for name in names}


def green(graph: Graph, day: str = "2026-01-15") -> set[str]:
    """Name the checks that pass, but for the one that looks at PostgreSQL alone."""
    found = {**judged(graph, [*WEEKLY, *RECONCILIATION]), **judged(graph, GRAPH, day)}
    return {name for name, passed in found.items() if passed} - {"partition_ids_are_unique"}


def test_all_checks_are_green_on_a_dataset_that_is_whole_also_where_we_took_rows_away_ourselves(published: Graph):
    every = OF_A_DAY | OF_ALL | {"hub_matches_postgres"}
    assert green(published) == every
    published.execute("DELETE FROM news WHERE unique_id = 'and-2026-01-15'")
    assert published.run("2026-01-15", checks=False, config={"hf_parquet_shard": {"allow_removals": True}}).success
    assert published.compact(checks=False).success
    assert published.reconcile().success
    assert green(published) == every


@pytest.mark.parametrize("how", EMPTIED)
def test_an_emptied_dataset_is_never_green(published: Graph, how: str):
    EMPTIED[how](published)
    assert not green(published)


def test_an_emptied_dataset_stays_red_when_all_is_run_again_from_an_empty_postgres(published: Graph):
    EMPTIED["all files deleted"](published)
    published.execute("DELETE FROM news")
    assert published.run("2026-01-15", checks=False).success
    for _ in range(2):
        assert published.compact(checks=False).success
    published.reconcile()
    assert not green(published)


@pytest.mark.parametrize("how", DAMAGED)
def test_a_dataset_that_lost_a_year_or_whose_card_hides_one_is_green_for_no_check_of_all_of_it(
    published: Graph, how: str
):
    DAMAGED[how](published)
    found = judged(published, [*WEEKLY, *RECONCILIATION])
    assert set(found) == {*OF_ALL, "hub_matches_postgres"}
    assert not any(found.values()), found


def test_a_day_of_a_lost_year_is_green_for_no_check_of_it(published: Graph):
    assert published.run("2024-03-01", checks=False).success
    DAMAGED["a year deleted"](published)
    assert not {name for name, passed in judged(published, GRAPH, "2024-03-01").items() if passed} & OF_A_DAY


def test_a_dataset_beside_a_loading_script_or_more_metadata_is_not_said_to_load(published: Graph):
    for path in (f"{published.repo_id.rpartition('/')[2]}.py", ".huggingface.yaml"):
        damage(published, {path: b"x: 1"})
        assert not judged(published, WEEKLY)["dataset_schema_is_the_contract"]
        damage(published, {path: None})
    assert judged(published, WEEKLY)["dataset_schema_is_the_contract"]


def test_a_loss_is_found_although_a_day_and_a_compaction_came_after_it(published: Graph):
    DAMAGED["a year deleted"](published)
    published.insert("late", day="2025-05-03")
    assert published.run("2025-05-03", checks=False).success
    assert published.compact(checks=False).success
    assert not any(judged(published, WEEKLY).values())


def test_a_reconciliation_of_another_repo_is_green_for_none(published: Graph):
    published.repo_id += "-other"
    write(published.local_hub.store, published.repo_id, {SHARD: encode(shard(["a"]))})
    assert judged(published, RECONCILIATION) == {"hub_matches_postgres": False}


def test_each_commit_tells_how_many_rows_readers_see_before_it_and_after(years: Graph):
    hub = years.hub
    told = [each for each in map(VisibleRows.parse, (commit.message for commit in hub.client.commits())) if each]
    assert told[0].after == rows_seen(hub, hub.client.head()) == 4
    assert [each.before for each in told] == [*(each.after for each in told[1:]), 0]


def test_a_commit_after_which_readers_would_see_other_rows_than_it_brings_is_not_sent(
    years: Graph, monkeypatch: pytest.MonkeyPatch
):
    hub, head = years.hub, years.head
    monkeypatch.setattr(room, "_card", lambda *_: card("data/train-2025-*.parquet"))
    with pytest.raises(ProofError, match=r"would see 3 rows after this commit, in place of 5.*nothing was published"):
        commit(hub, put("x", path="data/train-2025-06-01.parquet"), head)
    assert years.head == head


def test_what_readers_see_is_counted_again_when_a_commit_has_landed(years: Graph):
    hub, head = years.hub, years.head
    room.check_rows_seen(hub, head, Changeset(report=None, visible_rows=VisibleRows(0, 4)))
    with pytest.raises(IncompleteCommitError, match=r"see 4 rows at .*, in place of 9"):
        room.check_rows_seen(hub, head, Changeset(report=None, visible_rows=VisibleRows(0, 9)))


def test_counting_what_readers_see_fetches_nothing_of_what_was_written_or_is_kept(years: Graph):
    hub = years.resources()["hub"].dataset()
    assert rows_seen(hub, hub.client.head()) == 4
    years.local_hub.faults.forget()
    edit = Fixed(Changeset({"data/train-2026-01-16.parquet": encode(shard(["x"]))}, message="Publish", report=None))
    assert commit(hub, edit, hub.client.head()).changeset.visible_rows == VisibleRows(4, 5)
    assert not years.local_hub.faults.seen("GET", "^/lfs/|/resolve/")
