"""Time, memory and processor time of a command in a process of its own; what the command does is not known here.

Run as a program it is the small process that starts the command: on Linux the peak of a new process counts the memory
of the one that started it, and the one that runs the local stack is larger than most of what is measured.
"""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: wall time.
        megabytes: peak of resident memory, in 10**6 bytes.
        cpu_seconds: time of processors, the command's own and the system's for it.
    """

    seconds: float
    megabytes: float
    cpu_seconds: float = math.nan

    def __truediv__(self, other: "Cost") -> "Cost":
        """Say how many times the other one this is."""
        seconds, cpu_seconds = self.seconds / other.seconds, self.cpu_seconds / other.cpu_seconds
        return Cost(seconds, self.megabytes / other.megabytes, cpu_seconds)


def measure(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path, limit: float | None = None
) -> Cost:
    """Run a command to its end.

    Args:
        command: the program and its arguments.
        environment: all that it sees of the environment.
        folder: where it runs.
        log: what it says goes to the end of this file.
        limit: after so many seconds it is killed with all that it has started; None waits for ever.

    Raises:
        RuntimeError: it failed, and the message has the end of the log; or it has not ended in time.
    """
    launcher = [sys.executable, "-I", "-S", __file__, str(log), *command]
    pipes: Any = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(launcher, env=environment, cwd=folder, **pipes) as process:
        try:
            figures, _ = process.communicate(timeout=limit)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                said = (log.read_text().strip().splitlines() or ["nothing"])[-1]
                ended = f"has not ended in {limit:.0f} s, and said last: {said}"
                raise RuntimeError(f"`{' '.join(command)}` {ended}") from None
            raise
    if process.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed:\n{log.read_text()[-4000:]}")
    return Cost(*map(float, figures.split()))


def typical(costs: Sequence[Cost]) -> Cost:
    """Take the median of each figure."""
    return Cost(*map(median, zip(*map(astuple, costs), strict=True)))


def _launch(log: str, *command: str) -> int:
    """Run the command, print the figures of its `Cost`, and return its exit code."""
    with Path(log).open("ab") as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    megabytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    print(seconds, megabytes, usage.ru_utime + usage.ru_stime)
    return abs(child.returncode)


if __name__ == "__main__":
    sys.exit(_launch(*sys.argv[1:]))
