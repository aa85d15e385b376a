"""The image, built once, and containers of it beside the local stack."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from govbr_assets.local.silence import silent_network
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.image.build import ROOT, Builder, Image, missing
from govbr_assets_tests.image.container import Container


@pytest.fixture(scope="session")
def image() -> Image:
    if reason := missing():
        pytest.exit(reason, 1)
    return Builder(ROOT / ".local" / "image").build()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The writable folder: in memory, and the user's."""
    folder = tmp_path / "home"
    folder.mkdir()
    options = "size=1g,mode=700,uid=1000,gid=1000"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def settings(graph: Graph) -> Iterator[dict[str, str]]:
    """Settings that lead to the local stack; to PostgreSQL by TCP, for its socket is in a folder of this machine."""
    parts = urlsplit(graph.postgres_url)
    place = {name: values[0] for name, values in parse_qs(parts.query).items()}
    with silent_network(Path(place["host"], f".s.PGSQL.{place['port']}")) as network:
        yield {
            **graph.settings,
            "GOVBR_FIRST_DAY": "2024-01-01",
            "GOVBR_POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{network.port}{parts.path}",
        }


@pytest.fixture
def container(image: Image, home: Path, settings: dict[str, str]) -> Container:
    return Container(image, home, settings)


LASTING = {".cache", ".dagster", ".telemetry", "history", "logs", "schedules", "storage", "tables"}
"""What is meant to stay in the writable folder: records, tables, and caches by content."""


def temporary(home: Path) -> set[str]:
    """Name what else is in it."""
    return {path.name for path in home.iterdir()} - LASTING
