"""The process between ours and PostgreSQL: it runs the server, and stops it when we are gone.

Its standard input is a pipe whose other end only our process holds: however that ends, the input ends too. It writes
`ready` and the folder of the socket once the server answers, or else what went wrong. `postgres` starts this file by
its path in a bare interpreter, where importing our package would take longer than the server does to start: so only
the standard library and the file beside this one are at hand.
"""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from postgres_server import Server, StartError

_START_SECONDS = 60.0
_STOP = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None))
"""What the server is sent, and how long it may take: a fast shutdown, an immediate one, the end."""
_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(folder: Path, package: Path, patience: float) -> None:
    """Serve the data in a folder until the input ends.

    Args:
        folder: holds data, log and lock; absolute, exists.
        package: the wheel's package.
        patience: seconds to wait for another process to leave the folder.

    Raises:
        StartError: the server cannot be started.
    """
    os.umask(0o077)
    _end_with_the_input()
    _lock(folder, patience)
    # A socket's path may have 107 bytes, 103 on macOS: a temporary folder of the user's own can be too long for it.
    short = "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="govbr-pg-", dir=short) as run:
        server = Server(folder, package, Path(run))
        server.prepare(Path(__file__).with_name("schema.sql").read_text("utf-8"))
        process = server.start()
        try:
            _wait_until_ready(server, process)
            print("ready", run, flush=True)
            process.wait()
        finally:
            _stop(process)


def _end_with_the_input() -> None:
    """Let the end of the input end the main thread as a signal does: where it stands, but not without cleaning up."""

    def end(*_: object) -> None:
        """Raise `SystemExit` in the main thread, and ignore further signals: they would cut off its cleaning up."""
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        sys.exit(1)

    def wait() -> None:
        """Wait for the end of the input, then signal the main thread."""
        os.read(0, 1)
        signal.pthread_kill(main_thread, signal.SIGTERM)

    main_thread = threading.get_ident()
    for number in _ENDINGS:
        signal.signal(number, end)
    threading.Thread(target=wait, daemon=True).start()


def _lock(folder: Path, patience: float) -> None:
    """Take the folder for this process and the server's: it is free again when the last of them has ended."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StartError("another process runs it: stop that one, or use another folder") from None
        time.sleep(0.05)


def _wait_until_ready(server: Server, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.is_ready():
        if process.poll() is not None:
            raise server.failure("the server ended at once")
        if time.monotonic() > deadline:
            raise server.failure(f"the server is not ready after {_START_SECONDS:.0f} seconds")
        time.sleep(0.01)


def _stop(process: subprocess.Popen[Any]) -> None:
    for number, seconds in _STOP:
        process.send_signal(number)  # nothing happens to a process that has ended
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
    except (StartError, OSError) as error:
        sys.exit(str(error))
