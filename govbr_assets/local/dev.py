"""`make dev`: `dagster dev` on the local stack, which stays between two runs."""

import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.errors import ConfigurationError
from govbr_assets.local.stack import LocalStack, fortnight

_SAMPLE_ROWS = 2000
_GRACE = 30  # seconds for Dagster to stop its own processes


def dev(folder: Path, port: int, delay: float = 0.0) -> int:
    """Serve the UI until Ctrl-C.

    Args:
        folder: holds everything between two runs.
        port: of the UI, on 127.0.0.1.
        delay: seconds that each request to the Hub and its viewer takes longer.

    Returns:
        The exit code: 0 after Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: the port is taken.
    """
    if _answers(port):
        raise ConfigurationError(
            f"Port {port} is taken: stop what listens there, or choose another, as in `make dev PORT=3001`."
        )
    for each in (signal.SIGINT, signal.SIGTERM):  # also where a shell in the background has us ignore Ctrl-C
        signal.signal(each, signal.default_int_handler)
    with LocalStack(folder, delay) as stack:
        days = stack.rows_by_day()
        yesterday = datetime.now(UTC).astimezone(ZoneInfo(TIME_ZONE)).date() - timedelta(days=1)
        first, last = fortnight(yesterday)
        if not days:
            print(f"Filling PostgreSQL with {_SAMPLE_ROWS} rows of sample news from {first} to {last} ...", flush=True)
            stack.fill(_SAMPLE_ROWS, first, last)
        first = date.fromisoformat(min(days, default=first.isoformat()))
        quiet = ["-W", "ignore:Function"]  # `dg` supersedes this command; it would need a project folder around it
        command = [sys.executable, *quiet, "-m", "dagster", "dev", "-m", "govbr_assets"]
        settings = stack.environment(first, reduced=True)
        file = _write_settings(folder, settings)
        server = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning"],
            env=settings,
            cwd=folder,  # Dagster would warn about the dagster.yaml of the checkout, which is not the stack's
            start_new_session=True,  # Ctrl-C comes to us; we tell Dagster, and keep the stack up until it has stopped
        )
        try:
            return _serve(server, port, stack, file)
        except KeyboardInterrupt:
            print("\nStopping ...", flush=True)
            return 0
        finally:
            _stop(server)


def _write_settings(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write the settings of the stack into a file that a shell reads, for other commands; return its path."""
    names = sorted(name for name in environment if name.startswith(("GOVBR_", "HF_", "DAGSTER_")))
    file = folder.absolute() / "settings.sh"
    file.write_text("".join(f"export {name}={shlex.quote(environment[name])}\n" for name in names))
    return file


def _serve(server: subprocess.Popen[bytes], port: int, stack: LocalStack, settings: Path) -> int:
    """Return where the UI is as soon as it answers, and wait for it to end."""
    while server.poll() is None and not _answers(port):
        time.sleep(0.2)
    if server.poll() is None:
        print(
            f"\nDagster:  http://127.0.0.1:{port}\nHub:      {stack.hub.endpoint}"
            f"\nFor govbr-assets in another terminal:  source {shlex.quote(f'{settings}')}"
            "\nCtrl-C stops all of it.\n",
            flush=True,
        )
    return server.wait()


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Let Dagster stop its processes; insist when it does not."""
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_GRACE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(port: int) -> bool:
    """Return whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
