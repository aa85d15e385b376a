"""Tables and pictures in Markdown, as the UI shows them: beyond 1,000 characters in a dialog of their own."""

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote

_LONGEST = 100  # characters of a text in a cell
_IN_DATA = "/:;=,+"  # need no escape in the address of a picture; Base64 would be a sixth longer


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Collection[str] = ()) -> str:
    """Show rows as a table; `none` if there are none.

    Args:
        columns: their names.
        rows: their cells; integers get thousands separators.
        numbers: names of columns that are aligned to the right.
    """
    lines = [" | ".join(map(_cell, row)) for row in rows]
    align = " | ".join("---:" if name in numbers else "---" for name in columns)
    return "\n".join([" | ".join(columns), align, *lines]) if lines else "none"


def picture(svg: str, words: str) -> str:
    """Show a picture.

    Args:
        svg: the document. The UI shows pictures that are part of the text, but no SVG among it.
        words: what it shows, for those who do not see it.
    """
    return f"![{words}](data:image/svg+xml,{quote(svg, safe=_IN_DATA)})"


def short(value: object) -> str:
    """Cut the text of a cell off where it is too long for one."""
    return str(value)[:_LONGEST]


def _cell(value: object) -> str:
    """Write a value so that it stays in its cell."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
