"""The stack that the tests run on: one PostgreSQL and one Hub a session, a database and a repo a test."""

import gc
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster import DagsterInstance
from tenacity import wait_none

# The client reads these when it is imported; nothing of ours goes into, or comes from, the home of whoever tests.
# Certificates of theirs would be read again for every run, which is a quarter of its time.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="govbr-hf-")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
_OURS = ("GOVBR_", "DAGSTER_", "HF_XET_", "HF_TOKEN", "HF_ENDPOINT", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_")
for _name in [name for name in os.environ if name.startswith(_OURS)]:
    del os.environ[_name]

from govbr_assets import redact  # noqa: E402
from govbr_assets.dataset import Dataset  # noqa: E402
from govbr_assets.local.hub import LocalHub  # noqa: E402
from govbr_assets.local.postgres import EmbeddedPostgres  # noqa: E402
from govbr_assets.local.viewer import LocalViewer  # noqa: E402
from govbr_assets.publications import NEWS  # noqa: E402
from govbr_assets_tests.graph import Graph  # noqa: E402
from govbr_assets_tests.graphs import Graphs  # noqa: E402

if TYPE_CHECKING:
    from govbr_assets_tests.compaction_repo import CompactionRepo

SAMPLE = Path(__file__).parents[2] / "shared" / "data" / "govbrnews_sample_1000.parquet"

_numbers = count()


SLOW = (
    *("test_kills", "test_compact_kills", "test_migrate_kills", "test_automation", "test_growth"),
    *("test_mended", "test_mended_once", "test_run_in_order", "test_other_publications"),
    *(
        "test_local_dev",
        "test_cli",
        "test_govbr_assets",
        "test_told_ahead",
        "test_dry_run",
        "test_records",
        "test_numbers",
        "test_distance",
        "test_streams",
        "test_machines",
        "test_real_rows",
    ),
)
"""Modules that need minutes: processes that are killed, daemons, commands, readers, whole histories."""

LONGEST = (
    *("test_model", "test_browser", "test_faults"),
    *SLOW,
)
"""Modules with the longest tests."""


@pytest.hookimpl(tryfirst=True)  # before pytest looks at -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, and begin with the longest: at the end one worker would wait for one that has just begun."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker("slow")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what is imported out of the garbage collector's sight: it would look through a million objects again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def migrations_are_read_once() -> Iterator[None]:
    """Let Alembic read Dagster's hundred migrations once, and not for every instance that a test makes."""
    read, kept = ScriptDirectory.from_config, {}

    def from_config(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in kept:
            kept[place] = read(config)
        return kept[place]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", from_config)
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def home_with_tables(tmp_path_factory: pytest.TempPathFactory, migrations_are_read_once: None) -> Path:
    home = tmp_path_factory.mktemp("home")
    with DagsterInstance.local_temp(str(home)) as instance:
        instance.get_runs()
        instance.all_instigator_state()
    return home


@pytest.fixture
def dagster_home(home_with_tables: Path, tmp_path: Path) -> Path:
    """A home of Dagster's in which nothing has happened: a copy, for to make its tables takes a second."""
    return shutil.copytree(home_with_tables, tmp_path / "home")


@pytest.fixture(autouse=True)
def secrets_of_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test take the password of another one out of its messages: a process knows its secrets for good."""
    monkeypatch.setattr(redact, "_known", set(redact._known))


@pytest.fixture
def postgres_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"news_{os.getpid()}_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def hub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with LocalHub(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture
def local_hub(hub_server: LocalHub) -> Iterator[LocalHub]:
    hub_server.faults.forget()
    yield hub_server
    hub_server.faults.clear()


@pytest.fixture
def repo_id() -> str:
    return f"org/news-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def hub(local_hub: LocalHub, repo_id: str) -> Dataset:
    return Dataset.open(repo_id, NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait before the next try, neither the Hub's client nor we; what the Hub asks for is still waited."""
    no_time = SimpleNamespace(sleep=lambda _: None, monotonic=time.monotonic)
    monkeypatch.setattr("huggingface_hub.utils._http.time", no_time)
    monkeypatch.setattr(import_module("govbr_assets.dataset.transaction"), "time", no_time)
    monkeypatch.setattr(import_module("govbr_assets.huggingface.tags"), "time", no_time)
    monkeypatch.setattr(
        import_module("govbr_assets.huggingface.commit"), "wait_random_exponential", lambda **_: wait_none()
    )


@pytest.fixture(scope="session")
def viewer_server(hub_server: LocalHub) -> Iterator[LocalViewer]:
    with LocalViewer(hub_server.store) as server:
        yield server


@pytest.fixture
def graph(postgres_url: str, repo_id: str, local_hub: LocalHub, viewer_server: LocalViewer, tmp_path: Path) -> Graph:
    viewer_server.faults.forget()
    viewer_server.faults.clear()
    return Graph(postgres_url, repo_id, local_hub, viewer_server, tmp_path / "tables")


@pytest.fixture(scope="session")
def graphs(
    postgres: EmbeddedPostgres,
    hub_server: LocalHub,
    viewer_server: LocalViewer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Graphs:
    """Where the tests of a module make a common past once, and a copy of it each."""
    return Graphs(postgres, hub_server, viewer_server, tmp_path_factory.mktemp("graphs"))


@pytest.fixture
def repo(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator["CompactionRepo"]:
    """A repo that is not there yet, and a temporary folder of its own for the compactions of it."""
    from govbr_assets_tests.compaction_repo import (
        compaction_repo_in,  # with the readers that it needs: other tests do without
    )

    with compaction_repo_in(local_hub, repo_id, tmp_path / "temporary") as found:
        yield found
