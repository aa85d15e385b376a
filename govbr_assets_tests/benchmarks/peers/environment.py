"""An environment of its own for each peer: made by pip from pinned packages, and kept for the next run.

What runs in it is not known here. Nothing here is installed for the tests.
"""

import hashlib
import os
import platform
import subprocess
import venv
from pathlib import Path

from govbr_assets_tests.benchmarks.worker import ROOT

FOLDER = "GOVBR_BENCH_PEERS"
"""Variable: the folder that keeps the environments; by default `.local/peers` of the checkout."""

_PINNED = Path(__file__).parent / "environments"


def python_of(name: str) -> str:
    """Return the Python of an environment, which is made if it is not there as it should be.

    Args:
        name: of its file of packages.

    Raises:
        CalledProcessError: pip failed.
    """
    wanted = _PINNED / f"{name}.txt"
    version = hashlib.sha256(wanted.read_bytes() + platform.python_version().encode()).hexdigest()[:12]
    folder = Path(os.environ.get(FOLDER, ROOT / ".local" / "peers")).absolute() / f"{name}-{version}"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        print(f"Installing {name} {versions(name)[name]} ...", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        options = ["-qq", "--disable-pip-version-check", "--no-deps", "--requirement", str(wanted)]
        subprocess.run([python, "-m", "pip", "install", *options], check=True)
        done.touch()
    return str(python)


def versions(name: str) -> dict[str, str]:
    """Return the packages of an environment and their versions."""
    lines = (_PINNED / f"{name}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))
