"""The part of a card's text that is kept current: what lies between two marks, each alone on its line.

All other text stays byte for byte. Marks in code, which show how marks are written, are none. What the part says
belongs to `card_text`.
"""

import re
from dataclasses import dataclass

from govbr_assets.core.card_yaml import LINE

BEGIN, END = "<!-- govbr_assets:begin -->", "<!-- govbr_assets:end -->"
"""The marks."""

_ANY_MARK = re.compile(r"<!--\s*govbr_assets:(begin|end)\s*-->", re.IGNORECASE)
_MARK = re.compile(rf" {{0,3}}{_ANY_MARK.pattern}[ \t]*(?:\r\n|\r|\n)?", re.IGNORECASE)
_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*(`{3,}|~{3,})(.*)", re.DOTALL)
_INDENTED_CODE = re.compile(r"(?: {4}| {0,3}\t)")
_INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


@dataclass(frozen=True)
class Block:
    """Where the part is.

    Attributes:
        start: where it begins, behind the first mark.
        end: where the second mark begins.
        newline: the line end of the marks.
    """

    start: int
    end: int
    newline: str


def find_block(text: str) -> tuple[Block | None, str]:
    """Find the part that is kept current.

    Args:
        text: of the card, without its front matter.

    Returns:
        Where it is, and an empty text; None and an empty text if there are no marks; None and what is wrong with the
        marks, in a sentence, if they are not one pair.
    """
    found, position, crowded = list[tuple[str, int, int, str]](), 0, False
    for line, in_code in _lines(text):
        mark = None if in_code else _MARK.fullmatch(line)
        if mark:
            found.append((mark[1].lower(), position, position + len(line), line))
        elif not in_code:
            crowded |= bool(_ANY_MARK.search(_INLINE_CODE.sub("", line)))
        position += len(line)
    kinds = [kind for kind, *_ in found]
    if kinds == ["begin", "end"] and not crowded:
        (_, _, start, line), (_, end, _, _) = found
        return Block(start, end, line[len(line.rstrip("\r\n")) :]), ""
    return None, _problem(kinds, crowded=crowded)


def replace_block(text: str, content: str) -> tuple[str, str]:
    """Replace the part that is kept current.

    Args:
        text: of the card, without its front matter.
        content: what the part is to say, with line feeds as line ends.

    Returns:
        The text, unchanged if it has no pair of marks, and what is wrong with its marks, or an empty text.
    """
    block, problem = find_block(text)
    if block is None:
        return text, problem
    return text[: block.start] + content.replace("\n", block.newline) + text[block.end :], ""


def _problem(kinds: list[str], *, crowded: bool) -> str:
    """Return what is wrong with marks."""
    if not kinds and not crowded:
        return ""
    wrong = {("end", "begin"): "stand in the wrong order", ("begin",): "have no end", ("end",): "have no begin"}
    problem = "share their lines with other text" if crowded else wrong.get(tuple(kinds), "stand there more than once")
    return (
        f"The marks of govbr_assets in README.md {problem}, so that its text was left alone: write {BEGIN} and {END}"
        " once each, on lines of their own."
    )


def _lines(text: str) -> list[tuple[str, bool]]:
    """Cut a text into lines, each with whether it is code."""
    lines, fence = list[tuple[str, bool]](), ""
    for line in LINE.findall(text):
        opened = _FENCE.fullmatch(line)
        if fence:
            lines.append((line, True))
            closes = opened and opened[1][0] == fence[0] and len(opened[1]) >= len(fence) and not opened[2].strip()
            fence = "" if closes else fence
        elif opened and not (opened[1][0] == "`" and "`" in opened[2]):
            lines.append((line, True))
            fence = opened[1]
        else:
            lines.append((line, bool(_INDENTED_CODE.match(line))))
    return lines
