"""What is measured: a production install of its own, and the commands that run in it. What they do is not known here.

Where pandas is installed, as for the tests, pyarrow imports it and the figures would be pandas'. Which checkout is
installed, and where the costs are written as well, `by_turns` says in the environment.
"""

import json
import os
import platform
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from govbr_assets_tests.benchmarks.measure import Cost, measure

ROOT = Path(__file__).parents[2]
"""The checkout that this file is in."""

CHECKOUT, COSTS = "GOVBR_BENCH_CHECKOUT", "GOVBR_BENCH_COSTS"
"""Variables: the checkout that is measured instead of `ROOT`; the file that gets the cost of each command in a line."""

PRODUCT, EMPTY = "govbr_assets", "govbr_assets_tests.benchmarks.empty_graph"
EVENTS = "govbr_assets_tests.benchmarks.day_events"
"""The modules with the graphs."""

_SELECT = "postgres_news_partition,hf_existing_ids,hf_parquet_shard"
_PACKAGES = ("dagster", "pyarrow", "huggingface_hub", "adbc-driver-postgresql")


class Worker:
    """A machine in production, as far as its Python goes.

    Args:
        folder: gets the install, in `production`, and what the commands say, in `log`.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._checkout = Path(os.environ.get(CHECKOUT, ROOT))
        self._python = _production_install(folder / "production", self._checkout)

    def materialize(self, graph: str, environment: Mapping[str, str], *options: str) -> Cost:
        """Run the command of a user on the three daily assets of a graph.

        Args:
            graph: `PRODUCT` or `EMPTY`.
            environment: all that it sees of the environment.
            options: partitions, run config.

        Raises:
            RuntimeError: it failed.
        """
        return self.run("dagster", environment, "asset", "materialize", "-m", graph, "--select", _SELECT, *options)

    def run(self, module: str, environment: Mapping[str, str], *arguments: str) -> Cost:
        """Run a module as a program.

        Raises:
            RuntimeError: it failed.
        """
        cost = measure([self._python, "-m", module, *arguments], environment, self._checkout, self._log)
        if COSTS in os.environ:
            with Path(os.environ[COSTS]).open("a") as costs:
                costs.write(json.dumps([f"{module} {' '.join(arguments)}", *astuple(cost)]) + "\n")
        return cost


def conditions() -> str:
    """Say in two lines when and where this run is: time, machine, versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.platform(terse=True)}\n"
        f"Python {platform.python_version()}, {versions}"
    )


def _production_install(folder: Path, checkout: Path) -> str:
    """Install what a worker needs from a checkout, and nothing for tests; return its Python."""
    print("Making a production install ...", flush=True)
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    options = ["-qq", "--disable-pip-version-check", "--constraint", str(checkout / "constraints.txt")]
    subprocess.run([python, "-m", "pip", "install", *options, str(checkout)], check=True)
    # Commands run in the checkout and import from there. It is compiled as an install is: where Python may not write
    # what it compiles (PYTHONDONTWRITEBYTECODE), each command would do it again.
    packages = [str(checkout / name) for name in ("govbr_assets", "govbr_assets_tests")]
    subprocess.run([python, "-m", "compileall", "-q", *packages], check=True)
    return python
