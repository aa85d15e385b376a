"""Graphs on one stack: new ones, and copies of one in which something has happened that many tests begin with."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from govbr_assets.local.hub import LocalHub
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.local.viewer import LocalViewer
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import copy_repo, exists

_numbers = count()


@dataclass(frozen=True)
class Graphs:
    """Where graphs are made.

    Attributes:
        postgres: the server of their databases.
        local_hub: the Hub.
        local_viewer: its viewer.
        folder: for tables between assets.
    """

    postgres: EmbeddedPostgres
    local_hub: LocalHub
    local_viewer: LocalViewer
    folder: Path

    @contextmanager
    def new(self) -> Iterator[Graph]:
        """Make a graph in which nothing has happened."""
        with self._made("template1") as graph:
            yield graph

    @contextmanager
    def copy(self, past: Graph) -> Iterator[Graph]:
        """Make a graph in which all has happened that has in another one: its rows, its commits, its runs, its tables.

        Args:
            past: the other one, which stays as it is.
        """
        with self._made(past.postgres_url.partition("?")[0].rpartition("/")[2]) as graph:
            if exists(self.local_hub.store, past.repo_id):
                copy_repo(self.local_hub.store, past.repo_id, graph.repo_id)
            if past.folder.exists():
                shutil.copytree(past.folder, graph.folder)
            _copy_runs(past, graph)
            yield graph

    @contextmanager
    def _made(self, template: str) -> Iterator[Graph]:
        self.local_hub.faults.clear()
        self.local_hub.faults.forget()
        self.local_viewer.faults.clear()
        self.local_viewer.faults.forget()
        name = f"graph-{os.getpid()}-{next(_numbers)}"
        url = self.postgres.create_database(name, template)
        graph = Graph(url, f"org/{name}", self.local_hub, self.local_viewer, self.folder / name)
        try:
            yield graph
        finally:
            graph.instance.dispose()
            self.postgres.drop_database(name)


def _copy_runs(source: Graph, target: Graph) -> None:
    """Copy what Dagster remembers of a graph, as if it had happened in the repo of the other one."""
    _connection(source.instance.run_storage).backup(_connection(target.instance.run_storage))
    events = _connection(target.instance.event_log_storage)
    _connection(source.instance.event_log_storage).backup(events)
    names = source.repo_id, target.repo_id
    events.execute("UPDATE event_logs SET event = replace(event, ?, ?)", names)
    events.execute("UPDATE asset_keys SET last_materialization = replace(last_materialization, ?, ?)", names)
    events.commit()


def _connection(storage: Any) -> Connection:
    """Give the connection to SQLite that a storage in memory holds as long as it lives."""
    return storage._held_conn.connection.driver_connection
