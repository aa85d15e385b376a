"""Commands of the documents are run on the local stack, in their order, in one process: each finds what others left."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from govbr_assets.dataset.changeset import RESTORED_FILES
from govbr_assets_tests.documents.markdown import ROOT, documents
from govbr_assets_tests.documents.test_commands import RUN_IN_ORDER
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import DAY, shard

MOVING = [each for each in documents()["docs/moving-a-dataset.md"].commands if RUN_IN_ORDER.fullmatch(each)]
"""Commands that have a repo for themselves, from the first to the last."""


def run(graph: Graph, home: Path, commands: Sequence[str], **settings: str) -> None:
    """Run commands, with what there is in the place of what a document has as an example."""
    revision = f"{graph.head.revision}"[:8]
    wanted = [each.replace("0266e555", revision).replace("my-org/my-news", graph.repo_id) for each in commands]
    done = subprocess.run(
        [sys.executable, "-m", "govbr_assets_tests.documents.command_process"],
        input=json.dumps(wanted),
        env=graph.environment(home) | settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line for line in done.stderr.splitlines() if line.startswith("$ ")] == [f"$ {each}" for each in wanted]


def test_commands_run_one_after_another_as_they_stand_in_the_documents(graph: Graph, dagster_home: Path):
    for day in ("2026-01-14", "2026-01-15"):
        graph.insert(*(f"{day}-{number}" for number in range(3)), day=day)
    assert graph.run("2026-01-14", checks=False).success
    known = dict.fromkeys(command for each in documents().values() for command in (*each.commands, *each.mentions))
    wanted = [each for each in known if RUN_IN_ORDER.fullmatch(each) and each not in MOVING]
    run(graph, dagster_home, wanted, GOVBR_REDUCED_REPO_ID=f"{graph.repo_id}-reduced")
    commits = list(graph.hub.client.commits())
    assert len(commits) > 4
    assert any(commit.trailer(RESTORED_FILES) for commit in commits)


def test_a_dataset_of_others_is_moved_and_brought_back_as_its_document_says(graph: Graph, dagster_home: Path):
    path = "data/train-00000-of-00001.parquet"
    base = write(graph.local_hub.store, graph.repo_id, {path: as_others_write(shard(["a", "gone"]))})
    graph.insert("a", "b")
    run(graph, dagster_home, MOVING)
    assert graph.local_hub.store.history(graph.repo_id).tags.all()["before-moving"].sha == base
    assert graph.ids() == {path: ["a", "gone"]}
    newest, before, *_ = graph.hub.client.commits()
    assert newest.trailer(RESTORED_FILES)
    moved = graph.hub.client.at(before.revision)
    assert sorted(graph.hub.reader.day_rows(moved, DAY, ["unique_id"])["unique_id"].to_pylist()) == ["a", "b"]
