"""Tables in Markdown, as the UI shows them."""

from collections.abc import Collection, Iterable, Sequence

_LONGEST = 100  # characters of a text in a cell


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


def short(value: object) -> str:
    """Cut the text of a cell off where it is too long for one."""
    return str(value)[:_LONGEST]


def _cell(value: object) -> str:
    """Write a value so that it stays in its cell."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
