"""Numbers of one thing in what commands say on the way and in the end."""

from pathlib import Path

import pytest

from govbr_assets_tests.cli.command import command, environment_of
from govbr_assets_tests.graph import Graph


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    return environment_of(graph, tmp_path, dagster_home)


def test_one_of_a_thing_is_singular(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    _, output, errors = command(environment, "status")
    assert "  PostgreSQL has 1 row.\n" in errors
    assert "  The Hub has 0 rows.\n" in errors
    assert " 0 rows on   0 days, 1 differs\n" in output
    _, _, errors = command(environment, "mend")
    assert "1 of 1 day, 0 rejected, 1 new row, 1 commit; " in errors
    _, output, errors = command(environment, "status")
    assert "  The Hub has 1 row.\n" in errors
    assert " 1 row on    1 day\n" in output
