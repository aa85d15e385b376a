"""A dataset that is published, compacted and under automation gets a column; and its reduced sibling follows that.

Runs in a process of its own, with another `publications.py` than the one that published it (`other_publications`).
"""

import tempfile
from typing import Any

from dagster import AssetKey, DagsterInstance
from huggingface_hub import HfApi

from govbr_assets.core.date_ranges import DateRange
from govbr_assets.core.days import Day
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset.parquet import encode
from govbr_assets.defs import jobs
from govbr_assets.defs.decisions.requests import request
from govbr_assets.defs.projection import REDUCED_MATCHES_FULL
from govbr_assets.io.staged import table_of
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.alerts.test_alerts import Receiver, receiving
from govbr_assets_tests.automation import ALERT, LATE, REPAIR, Automation
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.growing_schema import every_revision_loads, migration
from govbr_assets_tests.operations.other_publications import DAYS, rejected, values
from govbr_assets_tests.operations.pair import Pair

LATE_DAY, OLD_DAY, NEW_DAY = "2025-04-01", "2025-05-01", "2025-05-02"
MEC, COMPACTED = "Ministério da Educação", "data/train-2024-00.parquet"
LACKING = "has schema 1, without the columns agency_name"
RUN_IT = "has schema 2: run the job migrate_schema"
OUTDATED = "The dataset has schema 1 and publications.py declares schema 2, with the columns agency_name: run the job"


def grows_under_automation(graph: Graph) -> None:
    """Go through all of it."""
    graph.insert("late", day=LATE_DAY)
    with receiving() as receiver, tempfile.TemporaryDirectory() as home, DagsterInstance.local_temp(home) as instance:
        graph.instance = instance
        automation = Automation(graph, receiver.url, truly=True)
        nothing_is_published_and_it_is_said(automation, receiver)
        before = graph.head.revision or ""
        assert migration(graph)["files"] == 2
        everything_goes_on(automation, receiver)
        every_revision_loads(graph)
        rolled_back_it_waits_again(automation, before)
        a_file_of_more_columns_is_named_before_the_next_migration(automation)
        files_of_fewer_columns_are_named_after_it(automation)


def nothing_is_published_and_it_is_said(automation: Automation, receiver: Receiver) -> None:
    """Sensors request no day and say why; the run of the night fails, and what is there is reconciled as it is."""
    graph, head = automation.graph, automation.graph.head
    automation.tick(ALERT)
    at_night = request("daily_sync", "of the schedule", "daily_sync_schedule", DateRange.of(LATE_DAY))
    compaction = request("weekly_consolidation", "of the schedule, too", "weekly_consolidation_schedule")
    for _ in range(2):
        assert OUTDATED in days_wait(automation, LATE)
        automation.launch(at_night)
        automation.tick(ALERT)
    alerts = sorted((each["asset"], each["partition"]) for each in receiver.messages)
    assert alerts == [("hf_parquet_shard", LATE_DAY), ("migrate_schema", "")]
    assert all(OUTDATED in each["error"] for each in receiver.messages)
    for deep in (False, True):
        automation.reconcile(deep=deep)
        assert differing(automation) == 1
    assert automation.launch(compaction)
    assert OUTDATED in days_wait(automation, LATE)
    assert OUTDATED in days_wait(automation, REPAIR)
    assert graph.head == head


def days_wait(automation: Automation, sensor: str) -> str:
    """See that a sensor requests nothing, and return why."""
    tick = automation.tick(sensor)
    assert not tick.run_requests
    return tick.skip_message


def differing(automation: Automation) -> int:
    """Return on how many days the last reconciliation has found a difference."""
    judged = automation.judged()
    days = judged.metadata["differing_days"].value
    assert isinstance(days, int)
    assert judged.passed == (days == 0)
    return days


def everything_goes_on(automation: Automation, receiver: Receiver) -> None:
    """What came before the migration, and what comes and changes after it, is published without anybody's doing."""
    graph, said = automation.graph, len(receiver.messages)
    steps = automation.let_it_run(ticks=4)
    assert steps[0][0] == "daily_sync"
    assert values(graph, "agency_name") == dict.fromkeys(("a0", "a1", "a2", "b0", "b1", "b2", "late"), MEC)
    graph.execute("UPDATE news SET agency_name = 'MEC' WHERE unique_id = 'b1'")
    graph.insert("later", day=LATE_DAY)
    assert automation.let_it_run(ticks=2)
    assert values(graph, "agency_name") == dict.fromkeys(("a0", "a1", "a2", "b0", "b2", "late", "later"), MEC) | {
        "b1": "MEC"
    }
    for deep in (False, True):
        automation.reconcile(deep=deep)
        assert differing(automation) == 0
    assert len(receiver.messages) == said


def rolled_back_it_waits_again(automation: Automation, before: str) -> None:
    """Back at the state before, days wait again, and what is there is compared as it is."""
    graph = automation.graph
    config = {"ops": {"put_data_files_back": {"config": {"revision": before}}}}
    resources = {"hub": graph.resources()["hub"]}
    assert jobs.rollback.execute_in_process(run_config=config, resources=resources, instance=graph.instance).success
    rejected(graph.run(LATE_DAY, checks=False), OUTDATED)
    automation.reconcile(deep=True)
    assert differing(automation) == 1  # of the columns that it has, all rows but two are right
    assert OUTDATED in days_wait(automation, REPAIR)


def a_file_of_more_columns_is_named_before_the_next_migration(automation: Automation) -> None:
    """Somebody uploads a file with the new column; the migration leaves it, and automation does the rest."""
    graph, path = automation.graph, NEWS.layout.day_path(Day.of(NEW_DAY))
    found = values(graph, "title")
    graph.insert("new", day=NEW_DAY)
    upload(graph, path, NEW_DAY, NEWS)
    refused(graph, f"{COMPACTED} on the Hub (and 1 more) {LACKING}, and {path} {RUN_IT}")
    assert migration(graph)["files"] == 2
    assert automation.let_it_run(ticks=4)
    automation.reconcile(deep=True)
    assert differing(automation) == 0
    assert values(graph, "title") == found | {name: f"Title of {name}" for name in ("late", "later", "new")}
    assert values(graph, "agency_name")["b1"] == "MEC"


def files_of_fewer_columns_are_named_after_it(automation: Automation) -> None:
    """Somebody uploads files without it: one of ours, which a migration can mend, and one that it cannot."""
    graph, path, others = automation.graph, NEWS.layout.day_path(Day.of(OLD_DAY)), "data/train-00000-of-00001.parquet"
    graph.insert("old", day=OLD_DAY)
    upload(graph, path, OLD_DAY, NEWS.at(1))
    refused(graph, f"{path} on the Hub {LACKING}, and {COMPACTED} {RUN_IT}")
    assert migration(graph)["files"] == 1
    upload(graph, others, NEW_DAY, NEWS.at(1))
    anew = "has schema 2: write it anew with these columns, or delete it and publish its days again."
    refused(graph, f"{others} on the Hub {LACKING}, and {COMPACTED} {anew}")
    hub(graph).delete_file(others, graph.repo_id, repo_type="dataset")
    automation.reconcile(deep=True)
    assert differing(automation) == 0


def refused(graph: Graph, sentence: str) -> None:
    """See that neither a day nor a compaction is published, and both say why."""
    head = graph.head
    rejected(graph.run(LATE_DAY, checks=False), sentence)
    rejected(graph.compact(checks=False), sentence)
    assert graph.head == head


def upload(graph: Graph, path: str, day: str, spec: DatasetSpec) -> None:
    """Be somebody who uploads the rows of a day, with the columns of a version."""
    rows = table_of(NewsTable(graph.postgres_url, spec).day(Day.of(day))).select(spec.schema.names)
    content = encode(rows, spec)
    hub(graph).upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=graph.repo_id, repo_type="dataset")


def hub(graph: Graph) -> HfApi:
    """Give the client of somebody else."""
    return HfApi(endpoint=graph.local_hub.endpoint, token=graph.local_hub.write_token)


def sibling_follows_a_migration(graph: Graph) -> None:
    """A migration shows in none of the reduced dataset's columns: no commit, and it is up to date; then days go on."""
    pair = Pair(graph.local_hub, graph.repo_id)
    head, settings = pair.reduced.client.head(), dict[str, Any](reduced_repo_id=pair.reduced_id)
    resources = {name: each for name, each in graph.resources(**settings).items() if name in ("hub", "postgres")}
    assert jobs.migrate_schema.execute_in_process(resources=resources, instance=graph.instance).success
    assert pair.reduced.client.head() == head
    assert judged(graph) == (True, graph.head.revision, 0)
    assert pair.source() != graph.head.revision
    graph.insert("after", day=DAYS[0])
    assert graph.run(DAYS[0], checks=False, **settings).success
    assert judged(graph) == (True, graph.head.revision, 0)
    assert pair.source() == graph.head.revision
    made = graph.instance.get_latest_materialization_event(AssetKey("reduced_dataset"))
    assert made
    assert made.asset_materialization
    assert made.asset_materialization.metadata["files_made"].value == 1  # the others were known to be right


def judged(graph: Graph) -> tuple[bool, Any, Any]:
    """Read what was last said of the reduced dataset: whether it is right, what it mirrors, how far it is behind."""
    storage = graph.instance.event_log_storage
    record = storage.get_latest_asset_check_execution_by_key([REDUCED_MATCHES_FULL])[REDUCED_MATCHES_FULL]
    assert record.event
    assert record.event.dagster_event
    found = record.event.dagster_event.asset_check_evaluation_data
    return found.passed, found.metadata["mirrors"].value, found.metadata["commits_behind"].value
