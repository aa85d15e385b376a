"""Dagster's own commands and its web server on the product, each in a process of its own, as a user runs them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from govbr_assets_tests.graph import ROOT, Graph

IMPATIENT = str(Path(__file__).with_name("impatient"))
"""Where Python finds what has Dagster's daemon look for backfills each second."""
ALL = "postgres_news_partition,hf_existing_ids,hf_parquet_shard"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path) -> dict[str, str]:
    return graph.environment(dagster_home)


def dagster(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dagster", *words]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_one_day_is_materialized_from_the_command_line(graph: Graph, environment: dict[str, str]):
    graph.insert("a", "b")
    done = dagster(
        environment, "asset", "materialize", "-m", "govbr_assets", "--select", ALL, "--partition", "2026-01-15"
    )
    assert done.returncode == 0, done.stderr
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}


def test_a_range_is_materialized_from_the_command_line(graph: Graph, environment: dict[str, str]):
    for number in (14, 15, 16):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    span = "2026-01-14...2026-01-16"
    upstream = "*hf_parquet_shard"  # the tables of PostgreSQL as well, which nothing can materialize
    words = ("asset", "materialize", "-m", "govbr_assets", "--select", upstream, "--partition-range", span)
    done = dagster(environment, *words)
    assert done.returncode == 0, done.stderr
    assert list(graph.ids().values()) == [["id14"], ["id15"], ["id16"]]
    tables = Path(environment["DAGSTER_HOME"]) / "tables" / graph.repo_id
    assert (tables / "hf_existing_ids" / "2026-01-15.parquet").exists()


def test_a_dry_run_and_the_source_of_ids_are_chosen_on_the_command_line(graph: Graph, environment: dict[str, str]):
    graph.insert("a", "b")
    words = ("asset", "materialize", "-m", "govbr_assets", "--select", ALL, "--partition", "2026-01-15")
    dry = {"hf_parquet_shard": {"config": {"dry_run": True}}, "hf_existing_ids": {"config": {"source": "exact"}}}
    done = dagster(environment, *words, "--config-json", json.dumps({"ops": dry}))
    assert done.returncode == 0, done.stderr
    assert "Dry run, nothing was published: 1 of 1 day," in done.stdout + done.stderr
    assert graph.head.revision is None


def test_a_failed_day_has_an_exit_code_and_its_reason(graph: Graph, environment: dict[str, str]):
    graph.insert("a")
    graph.execute("UPDATE news SET updated_datetime = 'infinity'")
    words = ("asset", "materialize", "-m", "govbr_assets", "--select", ALL, "--partition", "2026-01-15")
    done = dagster(environment, *words)
    assert done.returncode != 0
    assert "Column updated_datetime of the row with id 1" in done.stdout + done.stderr


def test_definitions_load_with_nothing_set_and_nobody_to_talk_to(tmp_path: Path):
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("GOVBR_", "HF_", "DAGSTER_"))}
    loaded = dagster(bare, "definitions", "validate", "-w", str(ROOT / "workspace.yaml"))
    assert loaded.returncode == 0, loaded.stderr
    assert "All code locations passed validation" in loaded.stdout + loaded.stderr


def test_a_first_day_that_is_none_stops_loading_with_its_name():
    done = subprocess.run(
        [sys.executable, "-c", "import govbr_assets"],
        env=os.environ | {"GOVBR_FIRST_DAY": "yesterday"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "BeginningError: GOVBR_FIRST_DAY is 'yesterday': write a day such as 2003-01-01." in done.stderr


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """Run `dagster dev` as users do, with its daemon."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning"]
    server = subprocess.Popen(
        [sys.executable, "-m", "dagster", *words],
        env=environment | {"PYTHONPATH": IMPATIENT},
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell in the background ignores Ctrl-C
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(url), 60)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/server_info", timeout=5).ok
    except requests.ConnectionError:
        return False


def wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.25)


def ask(url: str, query: str, **variables: Any) -> dict:
    asked: Any = {"query": query, "variables": variables}
    answer = requests.post(f"{url}/graphql", json=asked, timeout=60).json()
    assert "errors" not in answer, answer
    return answer["data"]


def test_a_backfill_launched_in_the_ui_publishes_its_days_in_one_run(graph: Graph, environment: dict[str, str]):
    for number in (14, 15, 16):
        graph.insert(f"id{number}", day=f"2026-01-{number}")
    with served(environment) as url:
        launched = ask(
            url,
            "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p)"
            " { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }",
            p={
                "partitionNames": ["2026-01-14", "2026-01-15", "2026-01-16"],
                "assetSelection": [{"path": [name]} for name in ALL.split(",")],
            },
        )["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        status = (
            "query($id: String!) { partitionBackfillOrError(backfillId: $id)"
            " { ... on PartitionBackfill { status runs { status } } } }"
        )

        def backfill() -> dict:
            return ask(url, status, id=launched["backfillId"])["partitionBackfillOrError"]

        wait_for(lambda: re.match("COMPLETED|FAILED|CANCELED", backfill()["status"]), 120)
        assert backfill() == {"status": "COMPLETED_SUCCESS", "runs": [{"status": "SUCCESS"}]}
    assert len(graph.ids()) == 3
    assert len(graph.local_hub.store.commits(graph.repo_id)) == 2
