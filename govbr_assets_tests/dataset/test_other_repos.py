"""What is known of one repo says nothing of another: a new setting, a repo that was renamed, one that was made anew."""

from collections.abc import Iterator

import pytest
from dagster import DagsterInstance
from huggingface_hub import HfApi

from govbr_assets.dataset.transaction import commit
from govbr_assets.defs.checks.whole import shortfall
from govbr_assets.defs.metadata.reconciliation import last_reconciliation
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import put
from govbr_assets_tests.operations.test_compact import day_shards
from govbr_assets_tests.stranger import write
from govbr_assets_tests.test_graph import failure

DAY, SHARD = "2026-01-15", "data/train-2026-01-15.parquet"
ASKED = ["postgres_news_partition", "hf_existing_ids"]


@pytest.fixture
def automation(graph: Graph) -> Iterator[Automation]:
    with DagsterInstance.ephemeral() as instance:
        graph.instance = instance
        yield Automation(graph)


def other(graph: Graph) -> str:
    """Set another repo from now on."""
    graph.repo_id += "-other"
    return graph.repo_id


def test_ids_that_were_found_in_another_repo_are_looked_up_anew(graph: Graph):
    graph.insert("a", "b")
    write(graph.local_hub.store, graph.repo_id, day_shards("2026-01-02"))
    assert graph.run(DAY).success
    write(graph.local_hub.store, other(graph), day_shards("2026-01-01"))
    result = graph.run(DAY, selection=["hf_parquet_shard"], checks=False)
    assert result.success
    assert graph.ids()[SHARD] == ["a", "b"]
    assert graph.metadata(result)[DAY]["repo"] == graph.repo_id


def test_ids_that_were_found_before_a_repo_was_made_anew_are_looked_up_anew(graph: Graph):
    graph.insert("a", "b")
    assert graph.run(DAY).success
    graph.local_hub.store.delete(graph.repo_id)
    write(graph.local_hub.store, graph.repo_id, day_shards("2026-01-01"))
    result = graph.run(DAY, selection=["hf_parquet_shard"], checks=False)
    assert result.success, failure(result)
    assert graph.ids()[SHARD] == ["a", "b"]


def test_a_repo_that_was_renamed_is_published_to_under_either_name(graph: Graph):
    graph.insert("a", "b")
    write(graph.local_hub.store, graph.repo_id, day_shards("2026-01-01"))
    assert graph.run(DAY).success
    old, new = graph.repo_id, graph.repo_id + "-renamed"
    graph.local_hub.store.rename(old, new)
    graph.insert("c", day="2026-01-16")
    assert graph.run("2026-01-16").success
    assert graph.run(DAY, selection=["hf_parquet_shard"], checks=False).success
    graph.repo_id = new
    assert graph.run(DAY, selection=["hf_parquet_shard"], checks=False).success
    assert graph.compact().success
    assert graph.reconcile().success
    assert sum(map(len, graph.ids().values())) == 4
    assert graph.local_hub.store.repos().count(old) == 0


def test_the_local_hub_sends_on_whoever_asks_for_a_renamed_repo_until_its_name_is_taken_again(graph: Graph):
    hub, store = graph.hub, graph.local_hub.store
    commit(hub, put("a"), hub.client.head())
    head = store.head(hub.client.repo_id)
    store.rename(hub.client.repo_id, "org2/there")
    store.rename("org2/there", f"{hub.client.repo_id}-there")
    api = HfApi(endpoint=graph.local_hub.endpoint, token=graph.local_hub.write_token)
    assert api.dataset_info(hub.client.repo_id).id == f"{hub.client.repo_id}-there"
    assert graph.head.revision == head
    assert commit(hub, put("a", "b"), hub.client.head()).committed
    api.create_repo(hub.client.repo_id, repo_type="dataset")
    assert graph.head.revision not in (head, store.head(f"{hub.client.repo_id}-there"))


def test_a_reconciliation_of_another_repo_is_not_acted_upon_and_a_first_one_is_made(automation: Automation):
    automation.finds = ["2026-01-10", "2026-01-12"]
    (first,) = automation.tick("repair_sensor").run_requests
    assert automation.launch(first)
    assert [each.job_name for each in automation.tick("repair_sensor").run_requests] == ["daily_sync"]
    other(automation.graph)
    assert not last_reconciliation(automation.instance, automation.graph.repo_id).repo
    (again,) = automation.tick("repair_sensor").run_requests
    assert again.job_name == "reconciliation"
    assert again.run_key != first.run_key
    assert automation.launch(again)
    assert [each.job_name for each in automation.tick("repair_sensor").run_requests] == ["daily_sync"]


def test_a_reconciliation_of_another_repo_in_between_does_not_take_the_place_of_ones_own(automation: Automation):
    automation.finds = ["2026-01-10", "2026-01-12"]
    (first,) = automation.tick("repair_sensor").run_requests
    assert automation.launch(first)
    own = automation.graph.repo_id
    other(automation.graph)
    (elsewhere,) = automation.tick("repair_sensor").run_requests
    assert automation.launch(elsewhere)
    automation.graph.repo_id = own
    assert last_reconciliation(automation.instance, own).repo == own
    assert [each.job_name for each in automation.tick("repair_sensor").run_requests] == ["daily_sync"]


def test_rows_that_were_lost_are_told_though_another_repo_was_compacted_since(graph: Graph):
    with DagsterInstance.ephemeral() as graph.instance:
        own, days = graph.repo_id, ("2026-01-15", "2026-01-16", "2026-01-17", "2026-01-18")
        for day in days:
            graph.insert(f"of-{day}", day=day)
        assert graph.run(*days[:2]).success
        write(graph.local_hub.store, own, {SHARD: None})
        assert all(graph.run(day).success for day in days[2:])
        other(graph)
        write(graph.local_hub.store, graph.repo_id, day_shards("2025-03-01"))
        assert all(graph.compact().success for _ in range(2))
        graph.repo_id = own
        assert shortfall(graph.instance, graph.hub, graph.head).startswith("1 rows that readers saw")


def test_uncompacted_files_of_another_repo_do_not_hold_late_rows_back(automation: Automation):
    automation.uncompacted = 3
    (first,) = automation.tick("repair_sensor").run_requests
    assert automation.launch(first)
    assert "to be compacted first" in automation.tick("late_news_sensor").skip_message
    other(automation.graph)
    assert "to be compacted first" not in (automation.tick("late_news_sensor").skip_message or "")


def test_lost_rows_are_not_looked_for_in_a_compaction_of_another_repo(graph: Graph):
    write(graph.local_hub.store, graph.repo_id, day_shards("2025-01-01", "2025-01-02"))
    assert graph.compact().success
    write(graph.local_hub.store, other(graph), day_shards("2025-03-01"))
    result = graph.compact()
    assert result.success
    assert all(each.passed for each in result.get_asset_check_evaluations())
