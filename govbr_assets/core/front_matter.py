"""A card's YAML edited so that only what is meant changes: its text otherwise stays byte for byte.

Two libraries share the work. PyYAML says what a text means, for it is what readers have (YAML 1.1: `yes` is true).
ruamel.yaml writes the text anew with its comments, order, quotes and anchors; to it every scalar is its own text, so
that no rule of YAML 1.2 touches a value. Nothing here knows what the metadata is about, or where in a file it stands.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import yaml
from ruamel.yaml.error import YAMLError as RuamelError

from govbr_assets.core.card_yaml import LINE_END, NO_VALUE, Metadata, check_keys, key_lines, read_metadata, unusable
from govbr_assets.core.lines import carry_edit
from govbr_assets.core.round_trip import RoundTrip, same
from govbr_assets.errors import ContractError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_CANNOT_WRITE = (yaml.YAMLError, RuamelError, *NO_VALUE, AssertionError, NotImplementedError, RecursionError)


def edit_metadata(text: str, wish: Metadata, newline: str, first_line: int = 1) -> str:
    """Write a text that means the wish and differs from the old one nowhere else.

    Args:
        text: YAML, a mapping or nothing, up to the closing fence.
        wish: what it shall mean.
        newline: the end of new lines.
        first_line: where in its file the text begins, for messages.

    Returns:
        YAML that was read again and compared with the wish; ends with a newline.

    Raises:
        ContractError: there is no such text, or the old one has a key twice; names the line.
    """
    before = read_metadata(text, first_line)
    check_keys(text, first_line)
    lines = _LINE.findall(text)
    if lines and lines[-1].rstrip() == "...":
        lines.pop()  # nothing may follow it
    # A block text at the end means another one as soon as a line follows.
    for meant in (before, read_metadata(text, first_line, whole=True)):
        for candidate in _candidates(lines, meant, wish, newline, first_line):
            if _means(edited := "".join(candidate), wish):
                return edited
    changed = next(key for key in [*before, *wish] if key not in wish or not same(before.get(key), wish[key]))
    line = first_line + key_lines(text).get(str(changed), 0)
    raise unusable(line, f"`{changed}` cannot be edited without touching others: write it without aliases and tags")


def _candidates(
    lines: list[str], before: Metadata, wish: Metadata, newline: str, first_line: int
) -> Iterator[list[str]]:
    """Write the wish in several ways, the one that keeps the most of the old text first."""
    try:
        document = RoundTrip("".join(LINE_END.sub("", line) + "\n" for line in lines))
        old = document.settle(lines)
        document.change(before, wish)
        old, new = ([line.replace("\n", newline) for line in each] for each in (old, document.lines()))
    except _CANNOT_WRITE as error:
        raise unusable(first_line, f"it cannot be written anew: {' '.join(str(error).split())}") from error
    ours, base, theirs = map(_by_key, (lines, old, new))
    for pair in (True, False) if ours.keys() == base.keys() else ():
        parts = [carry_edit(ours[key], base[key], theirs.get(key, []), keep_comments=True, pair=pair) for key in ours]
        added = [part for key, part in theirs.items() if key not in ours]
        yield [line for part in [*parts, *added] for line in part]
    yield carry_edit(lines, old, new, keep_comments=True)
    yield carry_edit(lines, old, new)
    yield new


def _by_key(lines: list[str]) -> dict[str | None, list[str]]:
    """Cut a mapping in block style into the lines of each key, with what stands before the first one under None."""
    try:
        starts = key_lines("".join(lines))
    except ContractError:
        starts = {}
    parts = [lines[start:end] for start, end in pairwise([0, *starts.values(), len(lines)])]
    return dict(zip([None, *starts], parts, strict=True))


def _means(text: str, wish: Metadata) -> bool:
    """Say whether a text is read as the wish, and has no key twice."""
    try:
        check_keys(text)
        return same(read_metadata(text), wish)
    except ContractError:
        return False
