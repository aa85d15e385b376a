"""The image does its work as an engine runs it: not root, nothing writable but one folder, two gigabytes, SIGTERM."""

import threading
import time
from datetime import date
from typing import Literal

import pytest

from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets_tests.damaged import NOWHERE_ROWS, Damaged
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.image.build import Image
from govbr_assets_tests.image.conftest import temporary
from govbr_assets_tests.image.container import LIMIT, Container

ROWS, FIRST, LAST = 20_000, date(2025, 11, 1), date(2026, 1, 18)
COMPACTED = ["data/train-0000-undated.parquet", *(f"data/train-{year}-00.parquet" for year in (2024, 2025, 2026))]
GRACE = 10
"""Seconds that an engine gives a container to stop."""


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def test_it_has_no_compiler_and_no_pip_and_its_user_is_not_root(image: Image, container: Container):
    looked = container.run("-c", "id -u; command -v cc gcc g++ make ld; python -m pip --version", entrypoint=["sh"])
    print(f"\nimage: {megabytes(image.bytes)}, of which its base {megabytes(image.base_bytes)}")
    assert looked.output.splitlines() == ["1000", "/opt/govbr/bin/python: No module named pip"]
    assert image.bytes - image.base_bytes < 700e6


def test_one_folder_can_be_written_and_its_health_says_so(container: Container):
    probe = "for each in / /tmp /opt/govbr /var/lib/govbr; do touch $each/x 2>/dev/null && echo $each; done"
    assert container.run("-c", probe, entrypoint=["sh"]).output.split() == ["/var/lib/govbr"]
    healthy = container.image.config["Healthcheck"]["Test"][1:]
    assert container.run(entrypoint=healthy).code == 0
    (container.home).chmod(0o500)
    assert container.run(entrypoint=healthy).code == 1


def test_mend_publishes_all_of_postgres_within_two_gigabytes(graph: Graph, container: Container):
    load(graph.postgres_url, sample_news(ROWS, FIRST, LAST))
    ended = container.run("mend")
    print(
        f"\nmend of {ROWS:,} rows over {(LAST - FIRST).days + 1} days: {megabytes(ended.process_bytes)} in the process,"
        f" {megabytes(ended.group_bytes)} with files and cache, of {megabytes(LIMIT)}"
    )
    assert ended.code == 0, ended.output
    assert sum(map(len, graph.ids().values())) == ROWS
    assert temporary(container.home) == set()
    assert container.run("status").code == 0


@pytest.mark.parametrize(("path", "when"), [("/commit/main$", "after"), ("/lfs/[0-9a-f]{64}$", "before")])
def test_sigterm_in_the_middle_of_a_compaction_leaves_nothing_behind(
    path: str, when: Literal["before", "after"], graph: Graph, container: Container
):
    Damaged(graph)  # files that a compaction has to replace before anything else
    before, reached, released = graph.head, threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        released.wait(60)

    graph.local_hub.faults.add(Fault("*", path, call(hold), when))
    with container.start("mend") as running:
        assert reached.wait(60), running.wait().output
        terminated = time.monotonic()
        running.terminate()
        ended = running.wait()
        assert time.monotonic() - terminated < GRACE
    released.set()
    assert ended.code != 0
    print(f"\nSIGTERM: code {ended.code}; {ended.output.strip().splitlines()[-1]}")
    assert "Traceback" not in ended.output
    assert temporary(container.home) == set()
    after = graph.head
    if after.revision != before.revision:
        ids = graph.ids()
        assert sorted(ids) == COMPACTED
        assert len(set().union(*ids.values())) == sum(map(len, ids.values()))

    again = container.run("mend", "--allow-removals", str(NOWHERE_ROWS))
    assert again.code == 0, again.output
    assert container.run("status").code == 0
    assert temporary(container.home) == set()
