"""What is published is declared in one file: another column is one line there, other files are another layout."""

import json
import subprocess
import sys

import pytest

from govbr_assets_tests.graph import Graph

SUMMARY = '        Column("summary", _TEXT, "n.summary", "Summary of the text."),\n'
LEVEL = '        Column("level", _TEXT, "n.level", "How urgent it is.", dictionary=True, statistics=True),\n'
EDITS = {
    "one_column_more": {SUMMARY: SUMMARY + LEVEL},
    "files_of_months": {
        "from govbr_assets.core.layout import FileLayout\n": (
            "from govbr_assets_tests.operations.monthly_files import MonthlyFiles\n"
        ),
        "layout=FileLayout()": "layout=MonthlyFiles()",
    },
}


@pytest.mark.parametrize("scene", EDITS)
def test_what_is_declared_in_one_file_is_published_compacted_reconciled_and_changed(graph: Graph, scene: str):
    wanted = {
        "scene": scene,
        "edits": EDITS[scene],
        "postgres": graph.postgres_url,
        "repo_id": graph.repo_id,
        "endpoint": graph.local_hub.endpoint,
        "token": graph.local_hub.write_token,
        "viewer": graph.local_viewer.url,
        "folder": str(graph.folder),
    }
    command = [sys.executable, "-m", "govbr_assets_tests.operations.other_publications", json.dumps(wanted)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert not ended.returncode, ended.stderr[-5000:]
