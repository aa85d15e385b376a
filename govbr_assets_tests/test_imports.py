"""The rooms: imports go down only, and each service has its own clients."""

import ast
from pathlib import Path

import pytest

import govbr_assets

PACKAGE = Path(govbr_assets.__file__).parent

SERVICES = {"huggingface", "postgres", "alerts"}

FLOORS = [
    {"cli", "__main__"},
    {"definitions"},
    {"defs"},
    {"publications"},  # so that nothing below knows what is published: it is given a DatasetSpec
    {"operations"},
    {"dataset"},
    SERVICES,
    {"core"},
    {"io"},
    {"errors"},
    {"redact"},
]
"""From the top down: a room imports from its own floor and from those below; `local` is imported by nobody."""

IMPORTERS = {
    "dagster": {"definitions", "defs"},
    "huggingface_hub": {"huggingface"},
    "click": {"cli", "errors"},
    "rich": {"cli"},
    "requests": {"huggingface", "alerts", "io"},  # the viewer, the receiver of alerts, and the session of both
    "adbc_driver_postgresql": {"postgres"},
    "adbc_driver_manager": {"postgres"},
}
READS_ENVIRONMENT = {"definitions.py", "defs/partitions.py", "io/environment.py", "io/process.py"}
NEVER_AT_RUN_TIME = {
    "duckdb",
    "polars",
    "datasets",
    "pandas",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "psycopg2",
    "numpy",
}
NOT_IN_CORE = {"dagster", "fsspec", "time", "os", "socket", "pathlib", "ctypes", "tempfile"}
IO_IN_CORE = {"govbr_assets.io.sizes", "govbr_assets.io.staged"}  # rows wherever they are; nothing is opened there


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path)]
    below = {part[1] for part in parts if part[0] == "govbr_assets" and len(part) > 1}
    return {name for name in below if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()}


PRODUCT = sorted(path for path in PACKAGE.rglob("*.py") if room(path) not in ("local", "__init__"))
LOCAL = sorted((PACKAGE / "local").rglob("*.py"))


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path):
    below = rooms_imported(path)
    assert "local" not in below
    assert all(floor(name) >= floor(room(path)) for name in below)
    assert room(path) not in SERVICES or below & SERVICES <= {room(path)}, "one service knows of another"


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_clients_are_imported_by_their_services_only_and_the_rules_need_none(path: Path):
    names = {name.split(".")[0] for name in imported(path)}
    assert not {name for name in names if room(path) not in IMPORTERS.get(name, {room(path)})}
    assert not names & NEVER_AT_RUN_TIME
    modules = {".".join(name.split(".")[:3]) for name in imported(path) if name.startswith("govbr_assets.io.")}
    assert room(path) != "core" or not (names & {*NOT_IN_CORE, *IMPORTERS} or modules - IO_IN_CORE)


@pytest.mark.parametrize("path", [*PRODUCT, *LOCAL], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_definitions_the_first_day_and_what_others_have_left_there_read_the_environment(path: Path):
    text = path.read_text()
    reads = "os.environ" in text or "getenv" in text or "EnvVar" in text
    assert not reads or room(path) == "local" or str(path.relative_to(PACKAGE)) in READS_ENVIRONMENT


def test_every_room_is_on_a_floor():
    assert {room(path) for path in PRODUCT} == set().union(*FLOORS)
