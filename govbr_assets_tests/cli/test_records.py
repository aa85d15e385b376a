"""Commands whose records, in DAGSTER_HOME or temporary, cannot be used: a sentence at once, and no secret."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests.cli.command import begin, command, document, environment_of
from govbr_assets_tests.graph import Graph

COMMANDS = (["mend"], ["mend", "--dry-run"], ["status"], ["plan", "2026-01-15"])
IN_POSTGRES = "storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}\ntelemetry: {enabled: false}\n"
SECRET = "s3cr3t-p4ssw0rd"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    return environment_of(graph, tmp_path, dagster_home)


def refused(environment: dict[str, str], *words: str) -> tuple[int, str]:
    """Run a command, see that it says one sentence and has done nothing before; give its exit code and the sentence."""
    code, told = document(environment, *words)
    _, output, errors = command(environment, *words)
    assert (output, errors) == ("", f"error: {told['error']}\n")
    return code, told["error"]


@pytest.mark.parametrize("damaged", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
def test_damaged_records_are_one_sentence(environment: dict[str, str], dagster_home: Path, damaged: str):
    (dagster_home / damaged).write_bytes(os.urandom(8192))
    code, sentence = refused(environment, "status")
    assert code == 1
    assert sentence.startswith(f"Dagster's records in DAGSTER_HOME ({dagster_home}) cannot be used: file is not a data")
    assert "dagster.yaml" in sentence
    assert refused(environment, "mend") == (1, sentence)


@pytest.mark.parametrize("server", ["unreachable", "of others"])
def test_a_database_of_records_that_cannot_be_had_is_one_sentence(
    environment: dict[str, str], dagster_home: Path, postgres_url: str, server: str
):
    (dagster_home / "dagster.yaml").write_text(IN_POSTGRES)
    host = "127.0.0.1:9/x" if server == "unreachable" else postgres_url.rpartition("@")[2]
    environment |= {"DAGSTER_POSTGRES_URL": f"postgresql://nobody:{SECRET}@{host}"}
    code, sentence = refused(environment, "status")
    assert (code, "connection to server" in sentence, SECRET in sentence) == (1, True, False)


def test_records_that_are_damaged_during_a_command_are_the_same_sentence(
    graph: Graph, environment: dict[str, str], dagster_home: Path
):
    graph.insert("a")

    def damage() -> None:
        (dagster_home / "history" / "runs.db").write_bytes(os.urandom(8192))

    graph.local_hub.faults.add(Fault("GET", "/api/datasets/", call(damage)))
    code, output, errors = command(environment, "mend")
    assert (code, output) == (1, "")
    assert errors.splitlines()[-1].startswith(f"error: Dagster's records in DAGSTER_HOME ({dagster_home}) cannot be")


def no_room(environment: dict[str, str]) -> str:
    """Forget DAGSTER_HOME; give the beginning of the sentence on temporary records that cannot be written."""
    del environment["DAGSTER_HOME"]
    return f"Dagster's temporary records in TMPDIR ({tempfile.gettempdir()}) cannot be written: d"


def test_temporary_records_for_which_there_is_no_room_are_one_sentence(
    graph: Graph, environment: dict[str, str], tmp_path: Path
):
    sentence = no_room(environment)
    words = ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-m", "govbr_assets", "mend", "--json"]
    done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, [*told], done.stderr) == (1, ["error"], f"error: {told['error']}\n")
    assert told["error"].startswith(sentence)
    assert told["error"].endswith(". Make room there, or set TMPDIR to a folder on a larger disk.")
    assert not graph.local_hub.faults.seen("*", graph.repo_id)


def test_temporary_records_for_which_there_is_no_more_room_during_a_command_are_the_same_sentence(
    graph: Graph, environment: dict[str, str]
):
    graph.insert("a")
    sentence = no_room(environment)
    process = begin(environment, "mend", "--json")
    limit = (20_000, resource.RLIM_INFINITY)
    fill = call(lambda: resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limit))
    graph.local_hub.faults.add(Fault("GET", "/api/datasets/", fill))
    output, errors = process.communicate(timeout=250)
    assert (process.returncode, "Traceback" in errors) == (1, False)
    assert json.loads(output)["error"].startswith(sentence)
    assert errors.splitlines()[-1].startswith(f"error: {sentence}")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (IN_POSTGRES, "DAGSTER_POSTGRES_URL"),
        ("storage: {custom: {module: nothing, class: Storage}}", "import module nothing"),
        ("- telemetry", "dagster.yaml to parse to dictionary"),
        ("storages: {}", 'unexpected config entry "storages"'),
    ],
)
def test_settings_of_the_records_that_are_wrong_are_named(
    environment: dict[str, str], dagster_home: Path, settings: str, named: str
):
    (dagster_home / "dagster.yaml").write_text(settings)
    code, sentence = refused(environment, "status")
    assert (code, named in sentence, len(sentence) < 500) == (2, True, True), sentence


@pytest.mark.parametrize("home", [" ", "'/tmp'", "here", "/nowhere"])
def test_a_home_that_is_no_absolute_path_of_a_folder_is_the_same_sentence_at_once_in_all_commands(
    graph: Graph, environment: dict[str, str], local_hub: LocalHub, home: str
):
    environment |= {"DAGSTER_HOME": home}
    begun = [begin(environment, *words) for words in COMMANDS]
    for process in begun:
        output, errors = process.communicate(timeout=200)
        assert (process.returncode, output) == (2, "")
        assert errors.startswith(f"error: Dagster's records in DAGSTER_HOME cannot be opened: {home!r} is no absolute")
        assert errors.count("\n") == 1
    assert not local_hub.faults.seen("*", graph.repo_id)
