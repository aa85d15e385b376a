"""How results are shown: tables and sentences for people, one JSON document for machines; errors on standard error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from govbr_assets.core.day_counts import DAYS_SCHEMA

_UNLIMITED = 10_000  # characters of a line where no terminal cuts it
_UNBROKEN = 10  # characters of a day, which a narrow terminal must not break


def console(*, error: bool = False) -> Console:
    """Open the terminal, or what takes its place: there a line is as long as it is.

    Args:
        error: standard error.
    """
    found = Console(stderr=error, markup=False, highlight=False, emoji=False)
    if not found.is_terminal:
        found.width = _UNLIMITED
    return found


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document on standard output, where nothing else must be; dates in it as ISO 8601 has them."""
    escaped = not sys.stdout.encoding.lower().startswith("utf")  # other encodings lack letters
    sys.stdout.write(f"{json.dumps(document, ensure_ascii=escaped, indent=2, default=str)}\n")
    sys.stdout.flush()


def print_error(sentence: str, code: int, *, as_json: bool) -> int:
    """Print why a command could not be carried out.

    Args:
        sentence: one.
        code: to exit with.
        as_json: machines read standard output.

    Returns:
        The code.
    """
    console(error=True).print(Text(f"error: {sentence}"), soft_wrap=True)
    if as_json:
        print_json({"error": sentence})
    return code


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with a title, and an empty line after it; nothing if it has no rows.

    Args:
        title: of the table.
        columns: their names; a number is aligned to the right.
        rows: their cells.
    """
    table, found = Table(box=box.SIMPLE, pad_edge=False, show_edge=False), list(rows)
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], int) for row in found)
        narrowest = max(min(len(str(row[index])), _UNBROKEN) for row in found) if found and not index else None
        justify = "right" if numeric else "left"
        table.add_column(name, justify=justify, overflow="fold", min_width=narrowest)
    for row in found:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    if found:
        _print(Text(title, style="bold"))
        _print(table)
        _print(Text())


def print_days(title: str, days: Iterable[Mapping[str, object]]) -> None:
    """Print counts of days, by the names of `day_counts.DAYS_SCHEMA`."""
    print_table(title, DAYS_SCHEMA.names, ([each[name] for name in DAYS_SCHEMA.names] for each in days))


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and what is to be said of each, a line each, and an empty one."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(value))
    _print(table)
    _print(Text())


def print_lines(text: str) -> None:
    """Print lines as they are, and an empty one."""
    console().print(Text(f"{text}\n"), soft_wrap=True)


def print_conclusion(sentence: str, *, holds: bool) -> None:
    """Print what it comes to."""
    console().print(Text(sentence, style="bold green" if holds else "bold red"), soft_wrap=True)


def _print(something: Table | Text) -> None:
    """Print something; what fills a line up to its end is for terminals."""
    terminal = console()
    if terminal.is_terminal:
        terminal.print(something)
        return
    with terminal.capture() as captured:
        terminal.print(something)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
