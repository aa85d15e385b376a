"""Time and memory of a command in a process of its own; what the command does is not known here.

Run as a program it is the small process that starts the command: on Linux the peak of a new process counts the memory
of the one that started it, and the one that runs the local stack is larger than most of what is measured.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: wall time.
        megabytes: peak of resident memory, in 10**6 bytes.
    """

    seconds: float
    megabytes: float

    def __truediv__(self, other: "Cost") -> "Cost":
        """Say how many times the other one this is."""
        return Cost(self.seconds / other.seconds, self.megabytes / other.megabytes)


def measure(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> Cost:
    """Run a command to its end.

    Args:
        command: the program and its arguments.
        environment: all that it sees of the environment.
        folder: where it runs.
        log: what it says goes to the end of this file.

    Raises:
        RuntimeError: it failed; the message has the end of the log.
    """
    launcher = [sys.executable, "-I", "-S", __file__, str(log), *command]
    done = subprocess.run(launcher, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed:\n{log.read_text()[-4000:]}")
    seconds, size = done.stdout.split()
    return Cost(float(seconds), float(size))


def typical(costs: Sequence[Cost]) -> Cost:
    """Take the median of the times and the median of the sizes."""
    return Cost(median(cost.seconds for cost in costs), median(cost.megabytes for cost in costs))


def _launch(log: str, *command: str) -> int:
    """Run the command, print seconds and megabytes, and return its exit code."""
    with Path(log).open("ab") as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    print(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6)
    return abs(child.returncode)


if __name__ == "__main__":
    sys.exit(_launch(*sys.argv[1:]))
