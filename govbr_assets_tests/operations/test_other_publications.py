"""What is published is declared in one file: another column is one line there, other files are another layout."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from govbr_assets.core.days import Day
from govbr_assets.io.staged import table_of
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests import stranger
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.other_publications import DAYS
from govbr_assets_tests.tables import encode

SUMMARY = '        Column("summary", _TEXT, "n.summary", "Summary of the text."),\n'
END = '    ),\n    key="unique_id",\n'
LEVEL = '        Column("level", _TEXT, "n.level", "How urgent it is.", dictionary=True, statistics=True),\n'
JOIN = '    joins=(Join("news_features", "f", changed="updated_at"),),\n'
FEATURES = (
    '        Column("agency_name", _TEXT, "n.agency_name", "Name of the agency.", dictionary=True, since=2),\n'
    '        Column("legacy_unique_id", _TEXT, "n.legacy_unique_id", "Its id until 2026.", since=2),\n'
    '        Column("entities", _TEXTS, "ARRAY(SELECT jsonb_array_elements_text(f.features->\'entities\'))",'
    ' "Who is named.", dictionary=True, since=2),\n'
    '        Column("score", pa.float64(), "(f.features->>\'score\')::double precision", "How it sounds.", since=2),\n'
)
GROWN = {
    SUMMARY: SUMMARY + FEATURES,
    "    layout=FileLayout(),\n": "    layout=FileLayout(),\n" + JOIN,
    "import Column, DatasetSpec, Introduction": "import Column, DatasetSpec, Introduction, Join",
}
NUMBERS = (
    '        Column("words", pa.int64(), "n.words", "How many words it has."),\n'
    '        Column("score", pa.float64(), "n.score", "How it sounds."),\n'
    '        Column("entities", _TEXTS, "n.entities", "Who is named.", dictionary=True),\n'
)
EDITS = {
    "columns_of_another_table": GROWN,
    "numbers_and_lists": {SUMMARY: SUMMARY + NUMBERS},
    "one_column_more": {END: LEVEL + END},
    "files_of_months": {
        "from govbr_assets.core.layout import FileLayout\n": (
            "from govbr_assets_tests.operations.monthly_files import MonthlyFiles\n"
        ),
        "layout=FileLayout()": "layout=MonthlyFiles()",
    },
}


@pytest.mark.parametrize("scene", EDITS)
def test_what_is_declared_in_one_file_is_published_compacted_reconciled_and_changed(graph: Graph, scene: str):
    play(graph, scene, EDITS[scene])


def test_a_published_compacted_running_dataset_gets_columns_by_one_migration(graph: Graph):
    for number, day in enumerate(DAYS):
        graph.insert(f"a{number}", f"b{number}", day=day)
        assert graph.run(day).success
    assert graph.compact().success
    today = Day.at(datetime.now(UTC))  # whose shard no compaction takes
    graph.insert("late", day="2025-04-01")
    graph.insert("today", day=str(today))
    assert graph.run("2025-04-01").success
    rows = table_of(NewsTable(graph.postgres_url, NEWS).day(today)).select(NEWS.schema.names)
    stranger.write(graph.local_hub.store, graph.repo_id, {NEWS.layout.day_path(today): encode(rows)})
    play(graph, "schema_grows", GROWN)


def play(graph: Graph, scene: str, edits: Mapping[str, str]) -> None:
    """Play a scene with another `publications.py`, on the same stack."""
    wanted = {
        "scene": scene,
        "edits": edits,
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
