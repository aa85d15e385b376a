"""Builds `deploy/Dockerfile` by buildah, on a base of Debian packages in place of the one from a registry of images.

Packages come from where this machine gets its own: the sources of apt, and what pip is configured to. Neither becomes
part of the image.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_NAME, _BASE = "localhost/govbr-assets", "localhost/debian-python"
_NEEDED = ("buildah", "mmdebstrap")
_PIP = ("index-url", "extra-index-url", "proxy", "timeout", "trusted-host")
"""Settings of pip that do not name a folder of this machine."""


def missing() -> str:
    """Say in a sentence why no image can be built here; empty if one can."""
    if os.geteuid() != 0:
        return "make image needs root: it mounts file systems and changes the root folder."
    absent = [name for name in _NEEDED if shutil.which(name) is None]
    return f"make image needs {' and '.join(absent)}: apt-get install {' '.join(absent)}" if absent else ""


@dataclass(frozen=True)
class Image:
    """An image that was built.

    Attributes:
        root: its files, unpacked.
        base_bytes: of the base.
        config: as its own configuration has it: `Env`, `Entrypoint`, `User`, `WorkingDir`, `Healthcheck`.
    """

    root: Path
    base_bytes: int
    config: dict[str, Any]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return _disk_usage(self.root)


class Builder:
    """Runs buildah with a storage of its own.

    Args:
        folder: for base, storage and settings; the base is kept and used again.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder.absolute()

    def build(self) -> Image:
        """Build base and image, and unpack the image."""
        shutil.rmtree(self._folder / "storage", ignore_errors=True)
        tar = self._base()
        working = self._buildah("from", "scratch")
        self._buildah("add", working, str(tar), "/")
        base_bytes = _disk_usage(Path(self._buildah("mount", working)))
        self._buildah("commit", "--quiet", "--rm", working, _BASE)
        self._buildah(
            *("build", "--quiet", "--isolation", "chroot", "--format", "docker"),
            *("--build-arg", f"BASE={_BASE}", *self._pip_volumes(), "--file", str(ROOT / "deploy" / "Dockerfile")),
            *("--tag", _NAME, str(ROOT)),
        )
        inspected = json.loads(self._buildah("inspect", "--type", "image", _NAME))
        root = self._buildah("mount", self._buildah("from", _NAME))
        return Image(Path(root), base_bytes, inspected["Docker"]["config"])

    def _buildah(self, *words: str) -> str:
        places = ["--root", str(self._folder / "storage"), "--runroot", str(self._folder / "run")]
        command = ["buildah", "--storage-driver", "vfs", *places, *words]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def _base(self) -> Path:
        """Make a Debian of this machine's release with Python, from this machine's sources and settings of apt."""
        tar, options = self._folder / "base.tar", self._folder / "apt.conf"
        if tar.exists():
            return tar
        lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").iterdir())]
        sources = [str(path) for path in lists if path.suffix in (".list", ".sources") and path.exists()]
        acquire = subprocess.run(["apt-config", "dump", "Acquire"], check=True, stdout=subprocess.PIPE).stdout
        options.write_bytes(acquire)
        release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line)
        new = tar.with_name("new.tar")
        subprocess.run(
            [
                *("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,python3-venv,python3-pip"),
                *(f"--aptopt={options}", release["VERSION_CODENAME"], str(new)),
                *sources,
            ],
            check=True,
        )
        return new.rename(tar)

    def _pip_volumes(self) -> list[str]:
        """Hand pip's settings and its certificates to the build, as files that are not part of the image."""
        lines = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.splitlines()
        found = {
            name.rpartition(".")[2]: ast.literal_eval(value) for name, _, value in (x.partition("=") for x in lines)
        }
        settings = ConfigParser(interpolation=None)
        settings["global"] = {name: found[name] for name in _PIP if "file:" not in found.get(name, "file:")}
        volumes = {self._folder / "pip.conf": "/etc/pip.conf"}
        if "cert" in found:
            settings["global"]["cert"] = "/etc/pip-certificates.crt"
            volumes[Path(found["cert"]).resolve()] = "/etc/pip-certificates.crt"
        with (self._folder / "pip.conf").open("w") as file:
            settings.write(file)
        return [word for path, place in volumes.items() for word in ("--volume", f"{path}:{place}:ro")]


def _disk_usage(folder: Path) -> int:
    """Add up the sizes of all files; a file with two names counts once."""
    done = subprocess.run(["du", "--summarize", "--bytes", str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.split()[0])
