"""Text in a given width: broken at words, and never within a day, a number, or what is to be typed to approve removals.

Where it is printed, and in which style, belongs to `show`.
"""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

_GAP = "  "  # between columns
_WORD = re.compile(r"\S*--allow-removals \S+|\S+")
_WHOLE = re.compile(r"--allow-removals |\w=")  # what of a word says that it has no parts
_PART = re.compile(r".+?(?:\.{2,}|/|_|-(?=\D)|$)")  # of a word that is too long: of a range, a path, an id


def wrapped(text: str, width: int) -> list[str]:
    """Break a text at words into lines; a word that is too long for a line at its parts.

    Args:
        text: of any length.
        width: of a line in characters. A part that is longer stays whole, on a line of its own.
    """
    lines = [""]
    for word in _WORD.findall(text):
        space = " " if lines[-1] else ""
        for part in [word] if cell_len(word) <= width else _parts(word):
            if lines[-1] and cell_len(lines[-1] + space + part) > width:
                lines.append("")
                space = ""
            lines[-1] += space + part
            space = ""
    return lines


def hanging(head: str, text: str, width: int) -> list[str]:
    """Break a line; what follows is indented by what it begins with, or a little if that leaves too little of a line.

    Args:
        head: what it begins with; may be empty.
        text: the rest of it.
        width: of a line.
    """
    if cell_len(head + text) <= width:
        return [head + text]
    indent = cell_len(head) or len(_GAP)
    if 2 * indent > width:
        margin = head[: len(head) - len(head.lstrip())]
        head, text, indent = margin, f"{head.strip()}{_GAP}{text}", len(margin + _GAP)
    first, *others = wrapped(text, width - indent)
    return [head + first, *(" " * indent + each for each in others)]


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int, rule: str = "─") -> list[str]:
    """Lay out a table: its heading, a rule, and its rows, whose cells are broken to fit.

    Args:
        columns: their names; one of numbers alone is aligned to the right.
        rows: their cells, at least one row.
        width: of a line.
        rule: a sign of the line below the heading.

    Returns:
        Lines; none if not even the parts of words fit.
    """
    cells = [list(columns), *([written(cell) for cell in row] for row in rows)]
    numeric = [all(isinstance(row[at], int) for row in rows) for at in range(len(columns))]
    widths = _widths(cells, width - len(_GAP) * (len(columns) - 1))
    if not widths:
        return []
    heading, *others = (list(_lines(row, widths, numeric)) for row in cells)
    below = rule * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return [*heading, below, *(line for each in others for line in each)]


def written(cell: object) -> str:
    """Write a cell; a number with its thousands apart."""
    return f"{cell:,}" if isinstance(cell, int) else " ".join(str(cell).split())


def _parts(word: str) -> list[str]:
    """Divide a word where a line may end, unless it is to be copied as it is."""
    return [word] if _WHOLE.search(word) else _PART.findall(word)


def _widths(cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """Choose widths of columns: the widest gives way first, and words are divided only if it has to be."""
    columns = list(zip(*cells, strict=True))
    widths = [min(max(map(cell_len, each)), max(room, 1)) for each in columns]
    for whole in (True, False):
        least = [max(map(cell_len, _atoms(each, whole=whole)), default=0) for each in columns]
        if sum(least) <= room:
            widths = [max(each) for each in zip(widths, least, strict=True)]
            while sum(widths) > room:
                _, widest = max((each, at) for at, each in enumerate(widths) if each > least[at])
                widths[widest] -= 1
            return widths
    return []


def _atoms(cells: Sequence[str], *, whole: bool) -> Iterator[str]:
    """Yield what of cells a line must hold."""
    for cell in cells:
        for word in _WORD.findall(cell):
            yield from [word] if whole else _parts(word)


def _lines(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    """Yield the lines of a row."""
    cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    for at in range(max(map(len, cells))):
        found = (each[at] if at < len(each) else "" for each in cells)
        aligned = []
        for text, width, right in zip(found, widths, numeric, strict=True):
            blank = " " * (width - cell_len(text))
            aligned.append(blank + text if right else text + blank)
        yield _GAP.join(aligned).rstrip()
