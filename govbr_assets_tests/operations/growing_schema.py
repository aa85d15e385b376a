"""A dataset that is published, compacted and running gets four columns: what happens before, while and after.

Runs in a process of its own, with another `publications.py` than the one that published it (`other_publications`).
"""

import io
import re
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster import DagsterEventType
from huggingface_hub import HfApi

from govbr_assets.core.days import Day
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.compatibility import check_readable
from govbr_assets.dataset.schema_version import outdated, with_spec
from govbr_assets.defs import jobs
from govbr_assets.errors import ContractError
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.migrate.plan import MigrationReport, migrate
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.other_publications import (
    DAYS,
    FEATURES,
    FEATURES_OF,
    files,
    rejected,
    succeeds,
    values,
)

NEW = ["agency_name", "legacy_unique_id", "entities", "score"]
SENSORS = ["late_news_sensor", "repair_sensor"]
LATE, TODAY = "2025-04-01", Day.at(datetime.now(UTC))
OUTDATED = (
    "The dataset has schema 1 and publications.py declares schema 2, with the columns agency_name, legacy_unique_id,"
    " entities, score: run the job migrate_schema"
)
MEC = "Ministério da Educação"
LOADED = """
import os
from datasets import load_dataset
for revision in os.environ["REVISIONS"].split():
    rows = load_dataset(os.environ["REPO"], split="train", revision=revision)
    print(len(rows), len(rows.column_names), sorted(rows["unique_id"])[0])
"""


def schema_grows(graph: Graph) -> None:
    """Go through all of it."""
    graph.execute(FEATURES, "CREATE UNIQUE INDEX ON news_features (unique_id)")
    graph.execute(FEATURES_OF.format("a0", '{"score": 0.1, "entities": ["Brasil", "MEC"]}'))
    first = graph.head
    nothing_is_published_and_the_old_columns_are_compared(graph)
    automation = Automation(graph, finds=[LATE])
    days_wait(automation)
    assert graph.head == first
    succeeds_but_for_the_schema(graph.compact())
    assert {tuple(file.schema_arrow.names) for file in files(graph).values()} == {tuple(NEWS.at(1).schema.names)}
    changed_meanwhile(graph)
    before = graph.head
    dry = migration(graph, dry_run=True)
    assert (dry["dry_run"], dry["files_to_be_compacted_first"]) == (True, "data/train-00000-of-00001.parquet")
    assert graph.head == before
    interrupted(graph)
    assert {tuple(file.schema_arrow.names) for file in files(graph).values()} == {tuple(NEWS.at(1).schema.names)}
    before = graph.head
    made = overtaken(graph)
    after = graph.head
    assert (made.before, made.after, made.columns, made.unknown) == (1, 2, tuple(NEW), 1)
    columns_are_there(graph, before.revision or "")
    days_come_again(automation)
    assert migration(graph)["columns"] == "none"
    assert graph.head == after
    rolled_back_and_migrated_again(graph, before.revision or "")
    columns_are_there(graph, before.revision or "")
    everything_goes_on(graph)
    every_revision_loads(graph)
    what_is_published_stays(graph)


def nothing_is_published_and_the_old_columns_are_compared(graph: Graph) -> None:
    """A day is rejected with a sentence; both reconciliations find all as it is, as often as they are asked."""
    rejected(graph.run(LATE), OUTDATED)
    for deep in (False, True, True):
        succeeds(graph.reconcile(deep=deep))


def days_wait(automation: Automation) -> None:
    """No sensor asks for a run that would be rejected, however often it ticks."""
    automation.reconcile()
    for name in SENSORS * 2:
        data = automation.tick(name)
        assert (data.run_requests, data.skip_message[: len(OUTDATED)]) == ([], OUTDATED)


def days_come_again(automation: Automation) -> None:
    """The days have not been forgotten."""
    requests = {name: automation.tick(name).run_requests for name in SENSORS}
    assert [each.partition_key for each in requests["repair_sensor"]] == [LATE]
    assert requests["late_news_sensor"]


def succeeds_but_for_the_schema(result: Any) -> None:
    """See that a compaction went well, and that its check says that columns are missing."""
    assert result.success
    failed = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert [each.check_name for each in failed] == ["dataset_schema_is_the_contract"]
    assert "missing columns ['agency_name'" in str(failed[0].metadata["examples"])


def changed_meanwhile(graph: Graph) -> None:
    """Ids, days and rows change in PostgreSQL, and somebody uploads a file that has to be compacted first."""
    graph.execute(
        "UPDATE news SET unique_id = 'c', legacy_unique_id = 'b0' WHERE unique_id = 'b0'",
        "UPDATE news SET published_at = '2023-06-01T09:00:00-03:00' WHERE unique_id = 'a1'",
        "DELETE FROM news WHERE unique_id = 'b1'",
        FEATURES_OF.format("c", '{"score": -1, "entities": []}'),
        FEATURES_OF.format("a1", '{"score": 1e300, "entities": ["ç", ""]}'),
        FEATURES_OF.format("undated", '{"score": 3}'),
    )
    graph.insert("undated", day="2022-01-01")
    old = NEWS.at(1).schema
    row = pa.Table.from_pylist([{"unique_id": "undated", "agency": "mec", "title": "Title of undated"}], schema=old)
    upload(graph, "data/train-00000-of-00001.parquet", row)


def upload(graph: Graph, path: str, rows: pa.Table) -> None:
    """Be somebody else who uploads a file."""
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    sink.seek(0)
    api = HfApi(endpoint=graph.local_hub.endpoint, token=graph.local_hub.write_token)
    api.upload_file(path_or_fileobj=sink, path_in_repo=path, repo_id=graph.repo_id, repo_type="dataset")


def interrupted(graph: Graph) -> None:
    """End a migration in the middle of its files: what it had compacted is compacted, and nothing else has changed."""

    def log(sentence: str) -> None:
        if "not in PostgreSQL" in sentence:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(migrate(graph.hub, NewsTable(graph.postgres_url, NEWS), TODAY, log=log))
    assert sorted(graph.ids()) == [
        "data/train-0000-undated.parquet",
        "data/train-2024-00.parquet",
        "data/train-2025-00.parquet",
        f"data/train-{TODAY}.parquet",
    ]


def overtaken(graph: Graph) -> MigrationReport:
    """Migrate while somebody else commits: it is planned again, in one commit, and no file is made twice."""
    said = list[str]()

    def log(sentence: str) -> None:
        if not said:
            upload(graph, "notes/of-somebody.parquet", pa.table({"note": ["hello"]}))
        said.append(sentence)

    *compacted, last = migrate(graph.hub, NewsTable(graph.postgres_url, NEWS), TODAY, log=log)
    assert not compacted
    assert len([each for each in said if "not in PostgreSQL" in each]) == 4
    assert isinstance(last.report, MigrationReport)
    commits = graph.hub.client.commits()
    assert next(commits).revision == last.after
    assert next(commits).revision == last.before
    return last.report


def migration(graph: Graph, *, dry_run: bool = False) -> dict[str, Any]:
    """Run the job, and return what it records."""
    resources = {name: each for name, each in graph.resources().items() if name in ("hub", "postgres")}
    config = {"ops": {"add_new_columns": {"config": {"dry_run": dry_run}}}}
    result = jobs.migrate_schema.execute_in_process(
        run_config=config, resources=resources, instance=graph.instance, raise_on_error=False
    )
    assert result.success
    logged = graph.instance.all_logs(result.run_id, of_type=DagsterEventType.STEP_OUTPUT)
    found = next(each.dagster_event.step_output_data.metadata for each in logged if each.dagster_event)
    return {name: value.value for name, value in found.items()}


def columns_are_there(graph: Graph, before: str) -> None:
    """See that the new columns say what PostgreSQL says, and that the old ones are what they were, byte for byte."""
    assert chunks(graph, before) == chunks(graph, graph.head.revision or "")
    for file in files(graph).values():
        assert file.schema_arrow.equals(NEWS.schema, check_metadata=True)
    expected = {
        "a0": (MEC, None, ["Brasil", "MEC"], 0.1),
        "b0": (MEC, "b0", [], -1.0),  # of the row that has another id by now
        "a1": (MEC, None, ["ç", ""], 1e300),  # of the row that is under another day by now
        "b1": (None, None, None, None),  # of none
        "undated": (MEC, None, [], 3.0),
        **{name: (MEC, None, [], None) for name in ("a2", "b2", "late", "today")},
    }
    found = {name: values(graph, name) for name in NEW}
    assert {row: tuple(found[name][row] for name in NEW) for row in found["score"]} == expected


def chunks(graph: Graph, revision: str) -> dict[str, list[bytes]]:
    """Read the bytes of the old columns of each row group, by file."""
    api, found = HfApi(endpoint=graph.local_hub.endpoint, token=graph.local_hub.write_token), dict[str, list[bytes]]()
    for file in graph.hub.client.at(revision).data_files:
        local = api.hf_hub_download(graph.repo_id, file.path, repo_type="dataset", revision=revision)
        content, metadata = Path(local).read_bytes(), pq.read_metadata(local)
        for group in range(metadata.num_row_groups):
            leaves = (metadata.row_group(group).column(index) for index in range(len(NEWS.at(1).columns)))
            for leaf in leaves:
                start = leaf.dictionary_page_offset or leaf.data_page_offset
                found.setdefault(file.path, []).append(content[start : start + leaf.total_compressed_size])
    return found


def rolled_back_and_migrated_again(graph: Graph, revision: str) -> None:
    """Go back to before it: the sync says so again, and it can be done again."""
    hub = graph.resources()["hub"]
    config = {"ops": {"put_data_files_back": {"config": {"revision": revision}}}}
    back = jobs.rollback.execute_in_process(run_config=config, resources={"hub": hub}, instance=graph.instance)
    assert back.success
    rejected(graph.run(LATE), OUTDATED)
    assert graph.reconcile(deep=True).success
    found = migration(graph)
    assert (found["schema_before"], found["schema_after"], found["files"]) == (1, 2, 4)


def everything_goes_on(graph: Graph) -> None:
    """Days are made true, compacted and reconciled with the new columns."""
    for day in ("2022-01-01", "2023-06-01", *DAYS, LATE):
        assert graph.run(day, config={"hf_parquet_shard": {"allow_removals": True}}).success
    succeeds(graph.compact())
    graph.execute(FEATURES_OF.format("late", '{"score": 5}'))
    result = graph.reconcile(deep=True)
    assert result.success
    assert not all(each.passed for each in result.get_asset_check_evaluations())
    succeeds(graph.run(LATE))
    succeeds(graph.reconcile(deep=True))
    assert values(graph, "score")["late"] == 5.0


def every_revision_loads(graph: Graph) -> None:
    """Every library loads every revision, with one schema."""
    revisions = [each.revision for each in graph.hub.client.commits()]
    revisions = [each for each in revisions if graph.hub.client.at(each).data_files]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = readers.run(graph, folder / "hf", LOADED, REVISIONS=" ".join(revisions)).split("\n")
        for number, revision in enumerate(revisions):
            glob = str(readers.download(graph, folder / str(number), revision) / "data" / "train-*.parquet")
            rows, columns, first = told[number].split()
            assert (int(rows), int(columns)) == pl.read_parquet(glob).shape
            assert len(duckdb.read_parquet(glob).fetchall()) == int(rows)
            assert len(pd.read_parquet(folder / str(number) / "data")) == int(rows)
            assert first == "a0"


def what_is_published_stays(graph: Graph) -> None:
    """A column that is taken away, has another name or another type stops days and compactions with a sentence."""
    *others, last = NEWS.columns
    for columns, named in (
        (others, "score (double)"),
        ([*others, replace(last, name="tone")], "score (double)"),
        ([*others, replace(last, type=pa.int64())], "score (double)"),
    ):
        dataset = with_spec(graph.hub, replace(NEWS, columns=tuple(columns)))
        sentence = f"has {named}, which publications.py does not declare so".replace("(", r"\(").replace(")", r"\)")
        with pytest.raises(ContractError, match=sentence):
            check_readable(dataset, graph.head, Changeset(report=None))
        with pytest.raises(ContractError, match=sentence):
            list(compact(dataset, TODAY))
        assert re.search(sentence, outdated(dataset, graph.head))
