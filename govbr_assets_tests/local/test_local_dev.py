"""`make dev` as a person uses it: it says where it is, stops on a signal with all its processes, and keeps its data."""

import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.test_cli import ROOT, answers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status_by(output: str) -> str:
    """Ask for the status with the settings that it names, in another shell without any."""
    (source,) = (line.partition(":  ")[2].strip() for line in output.splitlines() if "govbr-assets" in line)
    script = f"{source} && {shlex.quote(sys.executable)} -m govbr_assets status"
    return subprocess.run(["bash", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout


def test_it_serves_stops_with_everything_and_keeps_its_data(tmp_path: Path):
    folder = tmp_path / "with a space"
    for sent, filled in ((signal.SIGINT, True), (signal.SIGTERM, False)):
        port = free_port()
        words = ["-m", "govbr_assets.local", "dev", "--folder", str(folder), "--port", str(port)]
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        output = "".join(iter(process.stdout.readline, "Ctrl-C stops all of it.\n"))
        assert answers(f"http://127.0.0.1:{port}")
        if filled:
            assert "0 on the Hub, 2,000 in PostgreSQL" in status_by(output)
        everyone = psutil.Process(process.pid).children(recursive=True)
        assert len(everyone) > 3
        process.send_signal(sent)
        output += process.communicate(timeout=60)[0]
        assert process.returncode == 0, output
        assert f"http://127.0.0.1:{port}" in output
        assert ("Filling PostgreSQL" in output) is filled
        gone, alive = psutil.wait_procs(everyone, timeout=10)
        assert (len(gone), alive) == (len(everyone), [])
        with LocalStack(folder) as stack:
            assert sum(stack.rows_by_day().values()) == 2000


def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = ["-m", "govbr_assets.local", "dev", "--folder", str(tmp_path / "dev"), "--port", str(port)]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"error: Port {port} is taken: stop what listens there, or choose another, as in `make dev PORT=3001`.\n"
    )
