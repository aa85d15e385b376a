"""Migrations in processes of their own that are killed: at their requests, and between two files.

The Hub itself kills, the moment a request arrives or when it has done what was asked.
"""

import multiprocessing.util
import signal
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.layout import is_parquet
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests import migration_process, processes
from govbr_assets_tests.compaction_repo import COMMIT, year_file
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.migration_process import GROWN, ToMigrate
from govbr_assets_tests.operations.test_compact import TODAY, rows
from govbr_assets_tests.processes import PUBLISHED
from govbr_assets_tests.stranger import write
from govbr_assets_tests.test_kills import Killer, When

YEARS = {"data/train-2024-00.parquet": "2024-05-05", "data/train-2025-00.parquet": "2025-05-05"}


@pytest.fixture
def told(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToMigrate:
    """A dataset of two years, of which PostgreSQL has the rows, and a folder for temporary files of its own."""
    multiprocessing.util.get_temp_dir()  # is made once, and not to be among what migrations make
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for day in YEARS.values():
        graph.insert(f"a-{day}", f"b-{day}", day=day)
    hub = graph.local_hub
    return ToMigrate(graph.postgres_url, graph.repo_id, hub.endpoint, hub.write_token, str(temporary), str(TODAY))


def publish(graph: Graph, repo_id: str) -> None:
    """Publish the years without the new column."""
    days = {path: rows(f"a-{day}", f"b-{day}", day=day) for path, day in YEARS.items()}
    write(graph.local_hub.store, repo_id, {path: year_file(table) for path, table in days.items()})


def kill(graph: Graph, told: ToMigrate, method: str, path: str, number: int = 0, when: When = "before") -> None:
    """Let a process migrate, and kill it with one of its requests."""
    killer, barrier = Killer(), processes.context().Barrier(2)
    graph.local_hub.faults.add(Fault(method, path, killer.action, when, skip=number))
    killer.victim = migration_process.start(told, barrier)
    barrier.wait(60)
    assert processes.code_of(killer.victim) == -signal.SIGKILL, (path, number)
    graph.local_hub.faults.clear()


def contents(graph: Graph, repo_id: str) -> dict[str, str]:
    """Name the content of each data file."""
    tree = graph.local_hub.store.tree(repo_id)
    return {path: blob.oid for path, blob in tree.items() if is_parquet(path)}


def test_a_migration_that_is_killed_anywhere_is_done_by_the_next_one_in_one_commit(graph: Graph, told: ToMigrate):
    store, whole = graph.local_hub.store, replace(told, repo_id=f"{told.repo_id}-whole")
    publish(graph, whole.repo_id)
    graph.local_hub.faults.forget()
    assert processes.code_of(migration_process.start(whole)) == PUBLISHED
    requests = [each.path for each in graph.local_hub.faults.requests]
    expected = contents(graph, whole.repo_id)
    found = [pq.read_table(store.tree(whole.repo_id)[path].path) for path in YEARS]
    assert all(table.schema.equals(GROWN.schema, check_metadata=True) for table in found)
    assert set(pa.concat_tables(found)["agency_name"].to_pylist()) == {"Ministério da Educação"}

    publish(graph, told.repo_id)
    head = store.head(told.repo_id)
    before = next(at for at, path in enumerate(requests) if path.endswith("/commit/main"))
    for number in range(0, before - 4, max(1, before // 5)):  # the storage has the chunks by now: fewer are sent
        kill(graph, told, "*", "", number)
    kill(graph, told, "POST", COMMIT)
    assert processes.code_of(migration_process.start(replace(told, files=1))) == -signal.SIGKILL
    assert store.head(told.repo_id) == head
    assert len(list(Path(told.temporary).iterdir())) == 1  # of the one that was killed last
    check_done(graph, told, expected, head)

    late = replace(told, repo_id=f"{told.repo_id}-late")
    publish(graph, late.repo_id)
    head = store.head(late.repo_id)
    kill(graph, late, "POST", COMMIT, when="after")
    check_done(graph, late, expected, head)


def check_done(graph: Graph, told: ToMigrate, expected: dict[str, str], head: str) -> None:
    """Let a process migrate: the new columns are there after one commit, and nothing is left over."""
    assert processes.code_of(migration_process.start(told)) == PUBLISHED
    assert contents(graph, told.repo_id) == expected
    assert [each.sha for each in graph.local_hub.store.commits(told.repo_id)][1:2] == [head]
    assert list(Path(told.temporary).iterdir()) == []
