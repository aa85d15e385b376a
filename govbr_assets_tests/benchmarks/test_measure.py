"""The cost of a command, and one that never ends."""

import os
import sys
from pathlib import Path

import pytest

from govbr_assets_tests.benchmarks.measure import measure

_WAITING = "import os, sys, time; print('Last words', flush=True); os.open(sys.argv[1], os.O_WRONLY); time.sleep(600)"


def test_a_command_that_does_not_end_is_killed_and_said_to_wait(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(RuntimeError, match="has not ended in 3 s, and said last: Last words"):
        measure([sys.executable, "-c", _WAITING, str(pipe)], os.environ, tmp_path, tmp_path / "log", 3)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # its end, which comes with the end of the process


def test_a_command_that_fails_tells_its_last_words(tmp_path: Path):
    with pytest.raises(RuntimeError, match="enough of it"):
        measure([sys.executable, "-c", "raise SystemExit('enough of it')"], os.environ, tmp_path, tmp_path / "log")


def test_the_cost_of_a_command_is_its_own(tmp_path: Path):
    command = [sys.executable, "-c", "bytearray(300_000_000)"]
    assert 300 < measure(command, os.environ, tmp_path, tmp_path / "log", 100).megabytes < 400
