"""Runs commands in the unpacked image as a container engine does, with what the kernel has and nothing else.

Own mounts and process ids (the command is process 1, to which a signal without a handler does not come), a root that is
read-only, user and environment as the image says, one writable folder in memory, and a limit on memory that counts the
files there as well: a job of Cloud Run has no disk. The network is the machine's.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

from govbr_assets_tests.image.build import Image

HOME = "/var/lib/govbr"
LIMIT = 2_000_000_000
"""Bytes of memory that a container may have."""

_ENTER = """
set -e
group=$1 root=$2 home=$3 hosts=$4 user=$5 folder=$6; shift 6
echo 0 > "$group/cgroup.procs"
mount --bind "$root" "$root"
mount --bind "$home" "$root/var/lib/govbr"
mount --bind "$hosts" "$root/etc/hosts"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs -o size=64m tmpfs "$root/dev/shm"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups="${user#*:}" "$root" /usr/bin/env --ignore-environment --chdir="$folder" "$@"
"""


class MemoryGroup:
    """A control group of processes with a limit of memory, of either version of the kernel's interface."""

    def __init__(self) -> None:
        old = Path("/sys/fs/cgroup/memory")
        self._limit, self._peak = (
            ("memory.limit_in_bytes", "memory.max_usage_in_bytes") if old.exists() else ("memory.max", "memory.peak")
        )
        self.folder = (old if old.exists() else old.parent) / f"govbr-image-{os.getpid()}-{time.monotonic_ns()}"

    def __enter__(self) -> Self:
        self.folder.mkdir()
        (self.folder / self._limit).write_text(str(LIMIT))
        return self

    def __exit__(self, *_: object) -> None:
        for _attempt in range(50):  # a process that was killed leaves a moment later
            with suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(0.1)

    @property
    def peak(self) -> int:
        """The most bytes that its processes, the files that they have in memory, and the cache of theirs took."""
        return int((self.folder / self._peak).read_text())


@dataclass(frozen=True)
class Ended:
    """What became of a command.

    Attributes:
        code: its exit code.
        output: what it printed, on either stream.
        process_bytes: the most memory that process 1 had.
        group_bytes: the most that all of them took, with files in memory.
    """

    code: int
    output: str
    process_bytes: int
    group_bytes: int


@dataclass(frozen=True)
class Container:
    """A place to run commands of an image.

    Args:
        image: whose.
        home: the writable folder, outside.
        settings: environment variables beside the image's own.
        hosts: a file with names of hosts.
    """

    image: Image
    home: Path
    settings: Mapping[str, str]
    hosts: Path = Path("/etc/hosts")

    @contextmanager
    def start(self, *words: str, entrypoint: list[str] | None = None) -> Iterator["Running"]:
        """Start a command, the image's own with arguments or another one; end it at the latest when left."""
        config = self.image.config
        environment = [*config["Env"], *(f"{name}={value}" for name, value in self.settings.items())]
        command = [*(config["Entrypoint"] if entrypoint is None else entrypoint), *words]
        with MemoryGroup() as group, TemporaryFile("w+") as output:
            process = subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                    *("sh", "-c", _ENTER, "sh", str(group.folder), str(self.image.root), str(self.home)),
                    *(str(self.hosts), config["User"], config["WorkingDir"], *environment, *command),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            running = Running(process, group, output)
            try:
                yield running
            finally:
                running.kill()

    def run(self, *words: str, entrypoint: list[str] | None = None) -> Ended:
        """Run a command to its end."""
        with self.start(*words, entrypoint=entrypoint) as running:
            return running.wait()


class Running:
    """A command that runs."""

    def __init__(self, process: subprocess.Popen[bytes], group: MemoryGroup, output: IO[str]) -> None:
        self._process, self._group, self._output = process, group, output
        self._peak = 0

    def terminate(self) -> None:
        """Send SIGTERM to process 1 of the container, as an engine does that stops it."""
        os.kill(self._first_process(), signal.SIGTERM)

    def kill(self) -> None:
        """End process 1 and so all others: since it has changed its user, the end of `unshare` does not end it."""
        with suppress(FileNotFoundError, IndexError, ProcessLookupError):
            os.kill(self._first_process(), signal.SIGKILL)
        self.wait()

    def wait(self) -> Ended:
        """Wait for its end."""
        while self._process.poll() is None:
            with suppress(FileNotFoundError, IndexError, ProcessLookupError):  # it begins or ends just now
                status = Path(f"/proc/{self._first_process()}/status").read_text()
                self._peak = max(self._peak, int(status.partition("VmHWM:")[2].split()[0]) * 1024)
            time.sleep(0.02)
        self._output.seek(0)
        return Ended(self._process.returncode, self._output.read(), self._peak, self._group.peak)

    def _first_process(self) -> int:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text().split()[0])
