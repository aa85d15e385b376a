"""How results are shown: tables and sentences for people, one JSON document for machines; errors on standard error."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from govbr_assets.cli.layout import hanging, table, written
from govbr_assets.core.day_counts import COUNTS

_UNLIMITED = 10_000  # characters of a line where no terminal breaks it
_TABLE = 120  # characters of a line of a table there
_HEADINGS = {"postgres_rows": "postgres", "hub_rows": "hub"}  # so that all columns fit in 80 characters
_HEAD = re.compile(r" +\S+(?: \S+)* {2,}| *")  # of a line `  name   text`


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
    sys.stdout.write(f"{json.dumps(document, ensure_ascii=escaped, indent=2, default=_as_text)}\n")
    sys.stdout.flush()


def _as_text(value: object) -> str:
    """Write what JSON has no type for."""
    return value.isoformat() if isinstance(value, date) else str(value)  # a `datetime` is a `date`


def print_error(sentence: str, code: int, *, as_json: bool) -> int:
    """Print why a command could not be carried out.

    Args:
        sentence: one.
        code: to exit with.
        as_json: machines read standard output.

    Returns:
        The code.
    """
    _print_hanging("", f"error: {sentence}", console(error=True))
    if as_json:
        print_json({"error": sentence})
    return code


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with a title, and an empty line after it; nothing if it has no rows.

    Where it does not fit, a row is a sentence: its first cell, and the others but zeros and empty ones.

    Args:
        title: of the table.
        columns: their names; a number is aligned to the right.
        rows: their cells.
    """
    terminal, found = console(), list(rows)
    if not found:
        return
    print_heading(title)
    width = terminal.width if terminal.is_terminal else _TABLE
    if lines := table(columns, found, width, "─" if _has("─", terminal.encoding) else "-"):
        terminal.print(Text("\n".join(lines)), soft_wrap=True)
    else:
        for row in found:
            _print_hanging("", _sentence(columns, row), terminal)
    terminal.print()


def print_days(title: str, days: Iterable[Mapping[str, object]]) -> None:
    """Print counts of days, by the names of `day_counts.DAYS_SCHEMA`, of which some have a shorter one for people."""
    headings = {name: _HEADINGS.get(name, name) for name in ("day", *COUNTS)}
    print_table(title, [*headings.values()], ([each[name] for name in headings] for each in days))


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and what is to be said of each, a line each, and an empty one."""
    terminal, width = console(), max(map(len, facts))
    for name, value in facts.items():
        _print_hanging(f"{name:<{width}}  ", value, terminal)
    terminal.print()


def print_heading(title: str) -> None:
    """Print what the next lines are about."""
    _print_hanging("", title, console(), "bold")


def print_lines(text: str) -> None:
    """Print lines, and an empty one; on a terminal a long one is broken at words, and what follows is indented."""
    terminal = console()
    for line in text.splitlines():
        end = found.end() if (found := _HEAD.match(line)) else 0
        _print_hanging(line[:end], line[end:], terminal)
    terminal.print()


def print_conclusion(sentence: str, *, holds: bool) -> None:
    """Print what it comes to."""
    _print_hanging("", sentence, console(), "bold green" if holds else "bold red")


def _print_hanging(head: str, text: str, terminal: Console, style: str = "") -> None:
    """Print a line; if it has to be broken, what follows is indented by its head, or a little if it has none."""
    terminal.print(Text("\n".join(hanging(head, text, terminal.width)), style), soft_wrap=True)


def _sentence(columns: Sequence[str], row: Sequence[object]) -> str:
    """Write a row as a sentence, such as `2026-11-18: postgres 190, hub 186, missing 4`."""
    first, *others = row
    told = [
        f"{name} {written(cell)}" if isinstance(cell, int) else written(cell)
        for name, cell in zip(columns[1:], others, strict=True)
        if cell
    ]
    return f"{written(first)}: {', '.join(told)}"


def _has(sign: str, encoding: str) -> bool:
    """Return whether an encoding has a sign."""
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
