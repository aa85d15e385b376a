"""One PostgreSQL server: its data, its programs, its user and its settings.

How it is made and started belongs here; who may run it, and when it stops, does not (`postgres_watchdog`). It runs in
the watchdog's bare interpreter, so only the standard library is at hand.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

_SETTINGS = {
    "listen_addresses": "",
    # A crash of the machine may cost this data, the end of a process may not: what was written is in the system's
    # hands. So commits still wait for their write, and a page that a kill tore in two is still mended from the log.
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is small in containers, and a killed server leaves litter there
    "shared_buffers": "64MB",
    "max_connections": "50",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_UNUSED = shutil.ignore_patterns("pginstall[0-9]*", "include", "pkgconfig", "*.a", "*.py", "__pycache__")


class StartError(Exception):
    """The server cannot be started; says why."""


class Server:
    """A server over the data in a folder. Only one may exist for a folder at a time.

    Args:
        folder: holds the data and the log; absolute.
        package: the wheel's package, with the programs.
        run: private folder for the socket, short, removed by others when the server has ended.
    """

    def __init__(self, folder: Path, package: Path, run: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._log.write_bytes(b"")
        self._sockets = run
        self._account = _account()
        self._own(run)
        self._programs = self._reachable(package) / "pginstall" / "bin"

    def prepare(self, schema: str) -> None:
        """Make the data, unless it is there, with a schema in every database to come: complete or not at all."""
        if self._data.exists():
            return
        new = self._data.with_suffix(".new")
        if new.exists():  # of a start that was cut short
            shutil.rmtree(new)
        new.mkdir()
        self._own(new)
        self._run("initdb", new, "--locale=C", "--encoding=UTF8", "--username=postgres", "--auth=trust", "--no-sync")
        # Before the first start numbers of objects are still those of the system's own: on such tables PostgreSQL
        # applies no row-level security, and pg_dump leaves them out.
        self._run("pg_resetwal", new, "--next-oid=16384", "--pgdata=.")
        # -j ends a command at a blank line: without one the schema is one command, and so one transaction.
        commands = "\n".join(filter(str.strip, schema.splitlines())) + "\n\nCREATE DATABASE govbr;\n"
        self._run("postgres", new, "--single", "-jF", "-c", "exit_on_error=true", "template1", commands=commands)
        new.rename(self._data)

    def start(self) -> subprocess.Popen[Any]:
        """Start the server on its data, without waiting for it."""
        # That no server is alive is certain here, while a number left in this file may by now be another process's.
        self._status.unlink(missing_ok=True)
        settings = {**_SETTINGS, "unix_socket_directories": f'"{self._sockets}"'}
        command = [str(self._programs / "postgres"), *(f"--{name}={value}" for name, value in settings.items())]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, **self._options(self._data, log))

    def is_ready(self) -> bool:
        """Return whether a server that was started takes connections by now."""
        try:
            return self._status.read_text().rstrip().endswith("\nready")
        except FileNotFoundError:
            return False

    def failure(self, what: str) -> StartError:
        """Build the error that ends with what the log says last."""
        tail = self._log.read_text(errors="replace").splitlines()[-20:]
        return StartError("\n".join([f"{what}; {str(self._log)!r} ends with:", *tail]))

    @property
    def _status(self) -> Path:
        return self._data / "postmaster.pid"

    def _run(self, program: str, data: Path, *arguments: str, commands: str = "") -> None:
        with self._log.open("ab") as log:
            command = [str(self._programs / program), *arguments]
            done = subprocess.run(command, input=commands.encode(), check=False, **self._options(data, log))
        if done.returncode:
            raise self.failure(f"{program} failed")

    def _options(self, data: Path, log: BinaryIO) -> dict[str, Any]:
        # Another user may be kept out of a folder above the data; this link leads there without passing any of them.
        name = "/proc/self/cwd" if self._account and sys.platform == "linux" else str(data)
        # Nothing of the environment: PGPORT or PGOPTIONS may be there for somebody else's server.
        environment = {"LC_ALL": "C", "PATH": os.defpath, "PGDATA": name}
        # Of all descriptors only the folder's lock is inherited.
        return {"cwd": data, "env": environment, "stdout": log, "stderr": log, "close_fds": False, **self._account}

    def _reachable(self, package: Path) -> Path:
        """Return the package, or a copy of it if the server's user cannot run what is there (60 ms for 20 MB)."""
        if not self._account or self._can_run(package):
            return package
        # Each start makes its own: a lasting copy would have to be trusted, kept whole and told apart by version.
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, self._sockets / part.name, ignore=_UNUSED)
        self._own(*self._sockets.rglob("*"))
        return self._sockets / package.name

    def _can_run(self, package: Path) -> bool:
        try:
            trial = [str(package / "pginstall" / "bin" / "initdb"), "--version"]
            return subprocess.run(trial, check=False, capture_output=True, cwd="/", **self._account).returncode == 0
        except PermissionError:
            return False

    def _own(self, *paths: Path) -> None:
        if self._account:
            for path in paths:
                os.chown(path, self._account["user"], self._account["group"], follow_symlinks=False)


def _account() -> dict[str, Any]:
    """Choose whom the programs run as, in `subprocess`'s words: ourselves, but `nobody` if we are root."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StartError("it refuses to run as root, and there is no user `nobody` to run as") from None
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
