"""How far a command is, on standard error: a bar on a terminal, lines elsewhere."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from govbr_assets.cli.show import console
from govbr_assets.defs.in_process.watch import Watch

_COUNTED = re.compile(r"^([\d,]+) of ([\d,]+) (?:days?|files?)\b")  # as runs say how far they are


@contextmanager
def progress(terminal: Console | None = None) -> Iterator[Watch]:
    """Show progress until the end of a command.

    Args:
        terminal: where; None takes standard error.
    """
    terminal = terminal or console(error=True)
    if not terminal.is_terminal:
        yield _Lines(terminal)
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[said]}", markup=False, style="dim", table_column=Column(ratio=1, no_wrap=True)),
        TimeElapsedColumn(),
        console=terminal,
        transient=True,
        expand=True,
    ) as bars:
        yield _Bars(terminal, bars)


class _Lines:
    """A line for each thing that is said, with the seconds since the start."""

    def __init__(self, terminal: Console) -> None:
        self._terminal, self._began = terminal, time.monotonic()
        self._said = ""

    def begin(self, title: str) -> None:
        """Take note that a piece of work begins, and which."""
        self._print(title)

    def say(self, sentence: str) -> None:
        """Take a sentence on the piece of work under way."""
        self._said = sentence
        for line in sentence.splitlines():
            self._print(f"  {line}")

    def end(self, outcome: str) -> None:
        """Take note that it is over, and how, unless that was said last."""
        if self._said.rstrip(".").casefold() != outcome.casefold():
            self._print(f"  -> {outcome}")

    def _print(self, line: str) -> None:
        seconds = time.monotonic() - self._began
        self._terminal.print(Text(f"[{seconds:7.1f} s] {line}"), soft_wrap=True)


class _Bars:
    """A bar for the piece of work under way, and a line for each that is over."""

    def __init__(self, terminal: Console, bars: Progress) -> None:
        self._terminal, self._bars = terminal, bars
        self._title, self._began = "", time.monotonic()
        self._task = bars.add_task("", total=None, visible=False, said="")

    def begin(self, title: str) -> None:
        """Take note that a piece of work begins, and which."""
        self._title, self._began = title, time.monotonic()
        self._bars.reset(self._task, description=title, total=None, visible=True, said="")

    def say(self, sentence: str) -> None:
        """Take a sentence on the piece of work under way."""
        if found := _COUNTED.match(sentence):
            self._bars.update(self._task, completed=_number(found[1]), total=_number(found[2]))
        self._bars.update(self._task, said=sentence)

    def end(self, outcome: str) -> None:
        """Take note that it is over, and how."""
        self._bars.update(self._task, visible=False)
        seconds = time.monotonic() - self._began
        self._terminal.print(Text(f"{self._title}: {outcome} ({seconds:.1f} s)"), soft_wrap=True)


def _number(written: str) -> int:
    """Read a number with separated thousands."""
    return int(written.replace(",", ""))
