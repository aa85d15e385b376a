"""Commands of the documents are run on the local stack, in their order, in one process: each finds what others left."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from govbr_assets.dataset.changeset import RESTORED_FILES
from govbr_assets_tests.documents.markdown import ROOT, documents
from govbr_assets_tests.documents.test_commands import RUN_IN_ORDER
from govbr_assets_tests.graph import Graph


def replaced(command: str, examples: Mapping[str, str]) -> str:
    """Put what there is in the place of what a document has as an example."""
    for example, real in examples.items():
        command = command.replace(example, real)
    return command


def test_commands_run_one_after_another_as_they_stand_in_the_documents(graph: Graph, dagster_home: Path):
    for day in ("2026-01-14", "2026-01-15"):
        graph.insert(*(f"{day}-{number}" for number in range(3)), day=day)
    assert graph.run("2026-01-14", checks=False).success
    (dagster_home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    known = dict.fromkeys(command for each in documents().values() for command in (*each.commands, *each.mentions))
    examples = {"0266e555": f"{graph.head.revision}"[:8], "my-org/my-news": graph.repo_id}
    wanted = [replaced(each, examples) for each in known if RUN_IN_ORDER.fullmatch(each)]
    environment = os.environ | {
        "DAGSTER_HOME": str(dagster_home),
        "GOVBR_FIRST_DAY": "2026-01-01",
        "GOVBR_POSTGRES_URL": graph.postgres_url,
        "GOVBR_REDUCED_REPO_ID": f"{graph.repo_id}-reduced",
        "GOVBR_REPO_ID": graph.repo_id,
        "GOVBR_VIEWER_URL": graph.local_viewer.url,
        "HF_ENDPOINT": graph.local_hub.endpoint,
        "HF_TOKEN": graph.local_hub.write_token,
    }
    command = [sys.executable, "-m", "govbr_assets_tests.documents.command_process"]
    done = subprocess.run(
        command, input=json.dumps(wanted), env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line for line in done.stderr.splitlines() if line.startswith("$ ")] == [f"$ {each}" for each in wanted]
    commits = list(graph.hub.client.commits())
    assert len(commits) > 4
    assert any(commit.trailer(RESTORED_FILES) for commit in commits)
